"""Lists of invoice headers: one tenant's, one period's, or all of them; page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from pynamodb.expressions.condition import Condition

from invoicing.foundation.dynamodb import bound
from invoicing.foundation.parallel import at_once
from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_item import (
    HEADER_ATTRIBUTES,
    InvoiceItem,
    PeriodIndex,
    flags_of,
    header_of,
)
from invoicing.invoices.keys import all_shards, current_key, period_shard
from invoicing.invoices.review import Flags
from quote_engine import Period

# DynamoDB counts items before it filters: a state that few are in needs long pages.
FILTERED_PAGE = 1000
ATTRIBUTES = ["tenant_id", "period_start", *HEADER_ATTRIBUTES]


@dataclass(frozen=True, slots=True)
class HeaderPage:
    """A page of headers, and the position of the next one (None at the end)."""

    headers: tuple[Header, ...]
    next_position: str | None


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """A current invoice's header, and its own review flags."""

    header: Header
    flags: Flags


@dataclass(frozen=True, slots=True)
class HeaderFilter:
    """Selects headers: of one tenant or all, of one period or all, in one state or any."""

    tenant_id: str | None
    period: Period | None
    status: InvoiceStatus | None


class InvoiceLists:
    """Lists current invoices only: replaced revisions and line pages never appear.

    A tenant's list is a consistent read of the table, newest period first. A period's list comes
    from the sharded index, in order of tenant id; the list of everything scans that index, in no
    order worth relying on. The index may lag a second behind and never feeds money.
    """

    def __init__(self, table_name: str) -> None:
        self._items = bound(InvoiceItem, table_name)

    def page(self, wanted: HeaderFilter, limit: int, after: str | None) -> HeaderPage:
        """Returns at most `limit` headers after the position, which must come from this filter."""
        if wanted.tenant_id is not None:
            matching, position = self._of_tenant(wanted, limit, after), _period_start
        elif wanted.period is not None:
            matching, position = self._of_period(wanted, limit, after), _tenant_id
        else:
            matching, position = self._of_everyone(wanted, limit, after), _invoice_id
        items = list(islice(matching, limit + 1))
        more = len(items) > limit
        headers = tuple(header_of(item) for item in items[:limit])
        return HeaderPage(headers, position(items[limit - 1]) if more else None)

    def whole_period(self, period: Period) -> list[ListedInvoice]:
        """Returns all current invoices of a period in order of tenant id, including void ones.

        The shards are read at the same time, each in pages of up to 1 MB.
        """

        def shard(name: str) -> list[ListedInvoice]:
            items = self._items.period.query(name)
            return [ListedInvoice(header_of(item), flags_of(item)) for item in items]

        shards = at_once(shard, all_shards(period.label))
        return sorted(
            (listed for entries in shards for listed in entries),
            key=lambda listed: listed.header.tenant_id,
        )

    def _of_tenant(
        self, wanted: HeaderFilter, limit: int, after: str | None
    ) -> Iterator[InvoiceItem]:
        key: Condition | None = None
        if wanted.period is not None:
            key = InvoiceItem.period_start == current_key(wanted.period)
        elif after is not None:
            key = InvoiceItem.period_start < after
        return self._items.query(
            wanted.tenant_id,
            key,
            filter_condition=_current(wanted.status),
            consistent_read=True,
            scan_index_forward=False,
            attributes_to_get=ATTRIBUTES,
            page_size=limit + 1,
        )

    def _of_period(
        self, wanted: HeaderFilter, limit: int, after: str | None
    ) -> Iterator[InvoiceItem]:
        assert wanted.period is not None
        # Each shard is read lazily, so a page of n headers costs little more than n reads.
        shards = [
            self._items.period.query(
                shard,
                PeriodIndex.tenant_id > after if after is not None else None,
                filter_condition=_in_state(wanted.status),
                page_size=FILTERED_PAGE if wanted.status else max(4, limit // 8),
            )
            for shard in all_shards(wanted.period.label)
        ]
        return merge(*shards, key=_tenant_id)

    def _of_everyone(
        self, wanted: HeaderFilter, limit: int, after: str | None
    ) -> Iterator[InvoiceItem]:
        return self._items.period.scan(
            filter_condition=_in_state(wanted.status),
            last_evaluated_key=_index_key(after) if after is not None else None,
            page_size=FILTERED_PAGE if wanted.status else limit + 1,
        )


def _in_state(status: InvoiceStatus | None) -> Condition | None:
    return None if status is None else InvoiceItem.status == status.value


def _current(status: InvoiceStatus | None) -> Condition:
    current: Condition = InvoiceItem.period_shard.exists()
    return current if status is None else current & (InvoiceItem.status == status.value)


def _period_start(item: InvoiceItem) -> str:
    return str(item.period_start)


def _tenant_id(item: InvoiceItem) -> str:
    return str(item.tenant_id)


def _invoice_id(item: InvoiceItem) -> str:
    return header_of(item).id


def _index_key(invoice_id: str) -> dict[str, Any]:
    tenant_id, _, label = invoice_id.partition(".")
    return {
        "period_shard": {"S": period_shard(tenant_id, label)},
        "tenant_id": {"S": tenant_id},
        "period_start": {"S": current_key(Period.month(label))},
    }
