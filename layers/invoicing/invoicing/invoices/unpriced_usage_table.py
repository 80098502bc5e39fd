"""Reads from many invoices of a month what they bill nothing for."""

from collections.abc import Iterable, Sequence
from itertools import batched, chain

from invoicing.foundation.dynamodb import RawItem, read_keys
from invoicing.foundation.parallel import at_once
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_item import unpriced_of
from invoicing.invoices.invoice_lists_table import ListedInvoice
from invoicing.invoices.keys import current_key, page_key, pages_partition
from invoicing.invoices.review import ReviewRule
from quote_engine import UnpricedUsage

# DynamoDB answers at most 16 MB at once; a page of an invoice may have 100 KB.
KEYED_AT_ONCE = 50
TENANT, START = "tenant_id", "period_start"


class UnpricedUsageTable:
    """The invoices table, for the unpriced usage of invoices that the index flags for it.

    The index does not copy it, and only few invoices have any.
    """

    def __init__(self, table_name: str) -> None:
        self._name = table_name

    def read(self, invoices: Iterable[ListedInvoice]) -> dict[str, tuple[UnpricedUsage, ...]]:
        """Returns the unpriced usage of those that have any, by tenant; all are of one month.

        A void invoice bills nothing anyhow, and is left out. Consistent; a hundredth of a call
        for each invoice, and one more for each of several pages.
        """
        keys = [
            {TENANT: listed.header.tenant_id, START: current_key(listed.header.period)}
            for listed in invoices
            if ReviewRule.UNPRICED_USAGE in listed.flags
        ]
        parts = at_once(self._read, batched(keys, KEYED_AT_ONCE, strict=False))
        return {tenant_id: usage for part in parts for tenant_id, usage in part.items()}

    def _read(self, keys: Sequence[dict[str, str]]) -> dict[str, tuple[UnpricedUsage, ...]]:
        items = [
            item
            for item in read_keys(self._name, keys)
            if item["status"]["S"] != InvoiceStatus.VOID
        ]
        pages = read_keys(self._name, chain.from_iterable(map(_further_pages, items)))
        by_key = {(page[TENANT]["S"], page[START]["S"]): page for page in (*items, *pages)}
        usage = {}
        for item in items:
            keys_of = [{name: item[name]["S"] for name in (TENANT, START)}, *_further_pages(item)]
            found = [by_key.get((key[TENANT], key[START]), {}) for key in keys_of]
            texts = (page.get("unpriced", {}).get("S") for page in found)
            usage[item[TENANT]["S"]] = unpriced_of(texts)
        return usage


def _further_pages(item: RawItem) -> list[dict[str, str]]:
    """Returns the keys of the invoice's pages after the first."""
    tenant_id, start, revision = item[TENANT]["S"], item[START]["S"], int(item["revision"]["N"])
    return [
        {
            TENANT: pages_partition(tenant_id),
            START: page_key(start, revision, item["attempt"]["S"], number),
        }
        for number in range(2, int(item["pages"]["N"]) + 1)
    ]
