"""The items that commit 6b321da stored: what is in them, and how they come into the tables.

They were made by that commit's own code, over moto: catalogue, tenants and subscriptions put by
its functions, usage counted, and months rolled up, issued, paid and voided by its handlers. Only
three things were set: the ids of writes, so that they are the same each time; for saltbush a page
size of 1,500 bytes, which stands for an invoice of hundreds of deployments; and for heron that the
run issues at once. Nothing was edited afterwards, and nothing may be. `terms.json` has what that
commit's `terms_of` returned for each invoice.

The catalogue was loaded twice, so versions 1 and 2 of each plan are equal. What the tenants show:

| Tenant | Deployment in April | Later |
|---|---|---|
| pilot | Studio and storage, the pilot's figures | 40 late hours on May; 10 more not billed yet |
| wattle | Studio; storage from the 16th; 1,080 h from the 16th | |
| banksia | the same, from version 1 to 2 | 500 late hours not billed yet |
| lyrebird | as wattle | 500 late hours on May's draft |
| acme | gst, gst_free from May | 10,000 late hours on May; 100 more not billed yet |
| cove | gst, gst_free from May | 10,000 late hours not billed yet |
| kauri | gst_free, gst from May | 10,000 late hours on May's draft |
| fjord | gst_free, gst from May | 10,000 late hours not billed yet |
| heron | Studio, issued by the run | |
| ibis | 10 % off and a commitment of 100.00 | 7,000 late hours on May; 100 more not billed yet |
| grevillea | Studio; 10 % and 5.00 off from the 16th | |
| ironbark | commitment of 100.00 in two segments | two commitments on two plans in May |
| jarrah | every rate model, bound and conversion, in two segments | |
| mulga | as jarrah | 50 late jobs on May; 1 late GB not billed yet |
| magpie | 50.00 not prorated; storage from the 16th | |
| petrel | the same, with emails in packages | 200 late emails not billed yet |
| currawong | a pool of two; storage on one from the 16th | 100 late hours not billed yet |
| saltbush | eight deployments, on three pages | 50 late hours not billed yet |
| quokka | ends on the 20th; usage after it, and of a kind without a rate | |
| possum | load balancer; 2 times storage, 3 times from the 16th | |
| lory | Studio, Growth from the 11th | voided, and made again |
| snipe | Studio with a gap from the 16th to the 24th | |
| redgum | ends on the 30th; another deployment was taken back | 100 late hours are all of May |
| wren | issued as ...B after a reprice, then voided | |
| plover | voided as a draft | |
"""

import json
from itertools import batched
from pathlib import Path
from typing import Any, NamedTuple

ITEMS = Path(__file__).parent / "of_6b321da"
TABLES = ("accounts", "invoices", "usage")
ITEMS_A_CALL = 25


class StoredRevision(NamedTuple):
    """A revision of an invoice; the last of its month is the current one. Amounts in cents."""

    tenant_id: str
    label: str
    revision: int
    number: str
    status: str
    subtotal_cents: int
    tax_cents: int
    total_cents: int


INVOICES = (
    StoredRevision("acme", "2026-04", 1, "2604-1005", "issued", 5750, 575, 6325),
    StoredRevision("acme", "2026-05", 1, "2605-1005", "issued", 15750, 0, 15750),
    StoredRevision("banksia", "2026-03", 1, "2603-1003", "issued", 3548, 355, 3903),
    StoredRevision("banksia", "2026-04", 1, "2604-1003", "issued", 5711, 571, 6282),
    StoredRevision("cove", "2026-04", 1, "2604-1006", "issued", 5750, 575, 6325),
    StoredRevision("currawong", "2026-04", 1, "2604-1017", "issued", 4883, 488, 5371),
    StoredRevision("fjord", "2026-04", 1, "2604-1008", "issued", 5750, 0, 5750),
    StoredRevision("grevillea", "2026-04", 1, "2604-1011", "draft", 4716, 472, 5188),
    StoredRevision("heron", "2026-04", 1, "2604-1009", "issued", 5000, 500, 5500),
    StoredRevision("ibis", "2026-04", 1, "2604-1010", "issued", 10000, 1000, 11000),
    StoredRevision("ibis", "2026-05", 1, "2605-1010", "issued", 10800, 1080, 11880),
    StoredRevision("ironbark", "2026-04", 1, "2604-1012", "draft", 15000, 1500, 16500),
    StoredRevision("ironbark", "2026-05", 1, "2605-1012", "draft", 13400, 1340, 14740),
    StoredRevision("jarrah", "2026-04", 1, "2604-1013", "draft", 7994, 799, 8793),
    StoredRevision("kauri", "2026-04", 1, "2604-1007", "issued", 5750, 0, 5750),
    StoredRevision("kauri", "2026-05", 1, "2605-1007", "draft", 15750, 1575, 17325),
    StoredRevision("lory", "2026-04", 1, "2604-1021", "void", 9667, 967, 10634),
    StoredRevision("lory", "2026-04", 2, "2604-1021B", "draft", 9667, 967, 10634),
    StoredRevision("lyrebird", "2026-04", 1, "2604-1004", "paid", 5711, 571, 6282),
    StoredRevision("lyrebird", "2026-05", 1, "2605-1004", "draft", 6250, 625, 6875),
    StoredRevision("magpie", "2026-04", 1, "2604-1015", "draft", 10750, 1075, 11825),
    StoredRevision("mulga", "2026-04", 1, "2604-1014", "issued", 7994, 799, 8793),
    StoredRevision("mulga", "2026-05", 1, "2605-1014", "issued", 1550, 155, 1705),
    StoredRevision("petrel", "2026-04", 1, "2604-1016", "issued", 10750, 1075, 11825),
    StoredRevision("pilot", "2026-03", 1, "2603-1001", "paid", 6462, 646, 7108),
    StoredRevision("pilot", "2026-04", 1, "2604-1001", "paid", 6422, 642, 7064),
    StoredRevision("pilot", "2026-05", 1, "2605-1001", "draft", 5750, 575, 6325),
    StoredRevision("pilot", "2026-05", 2, "2605-1001B", "issued", 5790, 579, 6369),
    StoredRevision("pilot", "2026-06", 1, "2606-1001", "draft", 5750, 575, 6325),
    StoredRevision("plover", "2026-04", 1, "2604-1025", "void", 5000, 500, 5500),
    StoredRevision("possum", "2026-04", 1, "2604-1020", "draft", 8675, 868, 9543),
    StoredRevision("quokka", "2026-04", 1, "2604-1019", "draft", 3333, 333, 3666),
    StoredRevision("redgum", "2026-04", 1, "2604-1023", "paid", 5000, 500, 5500),
    StoredRevision("redgum", "2026-05", 1, "2605-1023", "issued", 100, 10, 110),
    StoredRevision("saltbush", "2026-04", 1, "2604-1018", "draft", 40000, 4000, 44000),
    StoredRevision("saltbush", "2026-04", 2, "2604-1018B", "issued", 40096, 4010, 44106),
    StoredRevision("snipe", "2026-04", 1, "2604-1022", "draft", 3602, 360, 3962),
    StoredRevision("wattle", "2026-03", 1, "2603-1002", "issued", 3548, 355, 3903),
    StoredRevision("wattle", "2026-04", 1, "2604-1002", "draft", 5711, 571, 6282),
    StoredRevision("wren", "2026-04", 1, "2604-1024", "draft", 5012, 501, 5513),
    StoredRevision("wren", "2026-04", 2, "2604-1024B", "void", 5112, 511, 5623),
)


def _current() -> tuple[StoredRevision, ...]:
    newest = {(invoice.tenant_id, invoice.label): invoice for invoice in INVOICES}
    return tuple(newest.values())


CURRENT = _current()


def stored_items(table: str) -> list[dict[str, Any]]:
    """Returns a table's items as DynamoDB held them."""
    items: list[dict[str, Any]] = json.loads((ITEMS / f"{table}.json").read_text())
    return items


def stored_terms() -> dict[str, str]:
    """Returns the digest of the terms of each invoice, by its id."""
    terms: dict[str, str] = json.loads((ITEMS / "terms.json").read_text())
    return terms


def put_stored_items(dynamodb: Any) -> None:
    """Puts all items, as they are, into the tables."""
    for table in TABLES:
        for items in batched(stored_items(table), ITEMS_A_CALL, strict=False):
            puts = [{"PutRequest": {"Item": item}} for item in items]
            dynamodb.batch_write_item(RequestItems={table: puts})
