"""The keys of the invoices table: all of them are built and recognised here.

| partition | sort key | item |
|---|---|---|
| `acme` | `2026-04-01` | the current invoice of a month |
| `acme` | `2026-04-01#r2` | a replaced revision of it |
| `acme` | `2026-04` | who last billed late usage of the month |
| `acme` | `2026-04~corrected` | the mark: usage of the month was corrected |
| `acme#pages` | `2026-04-01#r0002#<attempt>#0003` | a further page of a large invoice |
| `acme#history` | `2026-04-01#r0002#issue` | a change of state that was made |
| `acme#history` | `2026-04-01#<moment>#<unique>` | a change of state that was refused |

The revision number is unpadded in a replaced invoice's key and padded in the others. Stored items
have it that way, so it stays.
"""

from datetime import date
from zlib import crc32

from quote_engine import Period

# DynamoDB caps a partition at 1,000 writes a second; one key per period would cap a run there.
SHARDS = 16
DAY_LENGTH = len("2026-04-01")
MONTH_LENGTH = len("2026-04")
MARK = "~corrected"


def current_key(period: Period) -> str:
    """The sort key of a month's current invoice; keys of pages and history begin with it."""
    return period.start.isoformat()


def replaced_key(period_start: str, revision: int) -> str:
    """The sort key of a revision that has been replaced."""
    return f"{replaced_revisions(period_start)}{revision}"


def replaced_revisions(period_start: str) -> str:
    """The prefix of the sort keys of a month's replaced revisions."""
    return f"{period_start}#r"


def last_billed_key(period_label: str) -> str:
    """The sort key of the item that names who last billed late usage of a month."""
    return period_label


def is_last_billed_key(sort_key: str) -> bool:
    """Whether the item names who last billed late usage of a month; no invoice has such a key."""
    return len(sort_key) == MONTH_LENGTH


def corrected_key(period_label: str) -> str:
    """The sort key of the mark of a month whose usage was corrected; after its invoices."""
    return f"{period_label}{MARK}"


def is_corrected_key(sort_key: str) -> bool:
    """Whether the item is the mark of a corrected month; no invoice has such a key."""
    return sort_key.endswith(MARK)


def first_day_in(sort_key: str) -> date:
    """The first day of an invoice's month, from its key, current or replaced."""
    return date.fromisoformat(sort_key[:DAY_LENGTH])


def month_in(sort_key: str) -> Period:
    """The month of an invoice, current or replaced, or of a mark, from its key."""
    return Period.month(sort_key[:MONTH_LENGTH])


def pages_partition(tenant_id: str) -> str:
    """The partition of a tenant's further pages, which listing the tenant never reads."""
    return f"{tenant_id}#pages"


def pages_of_revision(period_start: str, revision: int) -> str:
    """The prefix of the sort keys of one revision's pages, whichever attempt wrote them."""
    return f"{period_start[:DAY_LENGTH]}#{_padded(revision)}#"


def pages_of_attempt(period_start: str, revision: int, attempt: str) -> str:
    """The prefix of the sort keys of the pages that one attempt at a revision wrote."""
    return f"{pages_of_revision(period_start, revision)}{attempt}#"


def page_key(period_start: str, revision: int, attempt: str, page: int) -> str:
    """The sort key of a further page; the invoice itself is page 1."""
    return f"{pages_of_attempt(period_start, revision, attempt)}{page:04}"


def history_partition(tenant_id: str) -> str:
    """The partition of the changes made to a tenant's invoices, and of those refused."""
    return f"{tenant_id}#history"


def history_of_month(period: Period) -> str:
    """The prefix of the sort keys of a month's history."""
    return f"{current_key(period)}#"


def done_key(period: Period, revision: int, action: str) -> str:
    """The sort key of a change that was made: it can be made, and recorded, only once."""
    return f"{history_of_month(period)}{_padded(revision)}#{action}"


def refused_key(period: Period, at: str, unique: str) -> str:
    """The sort key of a change refused at this moment; there may be any number of them."""
    return f"{history_of_month(period)}{at}#{unique}"


def period_shard(tenant_id: str, period_label: str) -> str:
    """The index partition of a tenant's invoice: stable, and evenly spread over tenants."""
    return f"{period_label}#{crc32(tenant_id.encode()) % SHARDS:02}"


def all_shards(period_label: str) -> list[str]:
    """Every index partition of a period."""
    return [f"{period_label}#{shard:02}" for shard in range(SHARDS)]


def _padded(revision: int) -> str:
    return f"r{revision:04}"
