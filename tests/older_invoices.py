"""Invoices as commit 6b321da stored them: every revision had used up a letter.

They are the items of that commit for one deployment on the plan of the tests, attribute by
attribute. They lack what was added since.
"""

from typing import Any

type RawItem = dict[str, dict[str, str]]

LINES = (
    '[{"kind":"plan_base","description":"Plan: Studio","deployment_id":"pilot",'
    '"resource_kind":null,"quantity":"1","unit":"month","unit_price":"50.00",'
    '"amount_cents":5000},{"kind":"addon","description":"Addon: storage_50gb",'
    '"deployment_id":"pilot","resource_kind":null,"quantity":"1","unit":"month",'
    '"unit_price":"7.50","amount_cents":750},{"kind":"overage","description":'
    '"Overage: droplet_hours (2188 used, 1488 included)","deployment_id":"pilot",'
    '"resource_kind":"droplet_hours","quantity":"700","unit":"hour","unit_price":"0.01",'
    '"amount_cents":700},{"kind":"tax","description":"GST 10%","deployment_id":null,'
    '"resource_kind":null,"quantity":"1","unit":"","unit_price":"6.45","amount_cents":645}]'
)
BILLED = (
    '[{"segment":"pilot 2026-01-10","usage":{"droplet_hours":"2188"},"plan_code":"studio",'
    '"plan_version":1,"addons":[{"code":"storage_50gb","version":1,"quantity":1}]}]'
)
TEXTS = {
    "tenant_id": "pilot",
    "period_start": "2026-04-01",
    "period_shard": "2026-04#02",
    "attempt": "592c66e09bfa45619185124246df6117",
    "billed": BILLED,
    "currency": "AUD",
    "fingerprint": "6513ad4f8b9cfa617d5f4e82e87abe67e5bb660130194015c856fc7ac56d05c0",
    "lines": LINES,
    "period_end": "2026-05-01",
    "run_at": "2026-05-01T03:00:00+00:00",
    "run_id": "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11",
    "status": "draft",
}
NUMBERS = {"pages": "1", "subtotal_cents": "6450", "tax_cents": "645", "total_cents": "7095"}
ISSUED = {
    "status": "issued",
    "issued_at": "2026-05-03T23:30:00+00:00",
    "due_on": "2026-05-17",
}
VOID = {"status": "void", "voided_at": "2026-05-03T23:30:00+00:00"}


def older_draft(revision: int, number: str, **texts: str) -> RawItem:
    """Returns a draft of the pilot's April that stands; `texts` take the place of others."""
    return {name: {"S": text} for name, text in (TEXTS | {"number": number} | texts).items()} | {
        name: {"N": text} for name, text in (NUMBERS | {"revision": str(revision)}).items()
    }


def older_void(revision: int, number: str, *, issued: bool, **texts: str) -> RawItem:
    """Returns a void invoice that stands, which was issued before or was a draft."""
    return older_draft(revision, number, **(ISSUED if issued else {}) | VOID | texts)


def replaced(item: RawItem) -> RawItem:
    """Returns the item as it was kept once a later revision had taken its place."""
    moved: dict[str, Any] = {name: value for name, value in item.items() if name != "period_shard"}
    key = f"{item['period_start']['S']}#r{item['revision']['N']}"
    return moved | {"period_start": {"S": key}}
