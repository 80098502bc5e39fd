"""What commit 6b321da stored is written by today's code as it was, to the byte.

Otherwise a change of one field would change others, and terms that are equal would not look so.
"""

import json

from invoicing.accounts.account import (
    read_segment,
    read_tenant,
    stored_segment_json,
    stored_tenant_json,
)
from invoicing.accounts.catalogue_table import ADDONS, PLANS
from invoicing.invoices.billed_usage import billed_entries, read_billed
from tests.integration.stored.contents import stored_items


def _documents(prefix: str) -> dict[tuple[str, str], str]:
    """Returns the documents of the accounts table whose sort key begins so, by key."""
    return {
        (item["pk"]["S"], item["sk"]["S"]): item["document"]["S"]
        for item in stored_items("accounts")
        if item["sk"]["S"].startswith(prefix) and "document" in item
    }


def test_segments_with_add_ons_without_dates() -> None:
    documents = {key: text for key, text in _documents("sub#").items() if text != "null"}
    assert len(documents) == 48
    for (tenant_id, sort_key), text in documents.items():
        _, deployment_id, starts_on = sort_key.split("#")
        segment = read_segment(tenant_id, deployment_id, starts_on, json.loads(text))
        assert json.dumps(stored_segment_json(segment)) == text


def test_tenants() -> None:
    documents = _documents("tenant")
    assert len(documents) == 25
    for (tenant_id, _), text in documents.items():
        tenant = read_tenant(tenant_id, json.loads(text))
        assert json.dumps(stored_tenant_json(tenant)) == text


def test_the_catalogue() -> None:
    documents = _documents("v0")
    assert len(documents) == 17
    for (key, _), text in documents.items():
        stored = json.loads(text)
        if key.startswith("plan#"):
            written = PLANS.to_json(PLANS.read(stored))
        else:
            written = ADDONS.to_json(ADDONS.read(stored))
        assert json.dumps(written, sort_keys=True) == text


def test_the_record_of_billed_usage() -> None:
    items = stored_items("invoices")
    records = [
        json.loads(item["billed"]["S"]) for item in items if item.get("pages") == {"N": "1"}
    ]
    assert len(records) == 39
    for record in records:
        assert billed_entries(read_billed("tenant", record)) == record
