"""What a run would do to a month, by the rollup itself; nothing is written."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from cli.stack.stack import Stack
from cli.terminal.errors import BadInput
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.month_end.preview import Previews
from invoicing.month_end.rollup import INVOICED, RollupOutcome
from quote_engine import Period

# Tenants between two movements of the bar.
AT_ONCE = 64
MIGHT_WRITE = frozenset(
    (RollupOutcome.ROLLED, RollupOutcome.REPLACED, RollupOutcome.REFUSED, RollupOutcome.SKIPPED)
)

type Preview = dict[str, Any]


def previews_of(
    stack: Stack,
    period: Period,
    tenant_ids: Collection[str],
    at: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Preview]:
    """What a forced run would do to these tenants, or to all; raises BadInput for unknown ones."""
    previews = Previews.over(stack.settings)
    found: list[Preview] = []
    try:
        for some in _pages(previews, period, tenant_ids, at):
            found += some
            advance(len(some))
    except UnknownTenant as error:
        raise BadInput(str(error)) from error
    return found


def _pages(
    previews: Previews, period: Period, tenant_ids: Collection[str], at: datetime
) -> Iterator[list[Preview]]:
    for tenant_id in sorted(set(tenant_ids)):
        yield [previews.named(period, at, tenant_id)]
    after: str | None = None
    more = not tenant_ids
    while more:
        some, after = previews.page(period, at, after, AT_ONCE)
        yield some
        more = after is not None


def unforced(preview: Preview) -> Preview:
    """The same of a run that is not forced: who has an invoice, void or not, is skipped."""
    if preview["before"] is None or preview["outcome"] not in MIGHT_WRITE:
        return preview
    kept = {"after": preview["before"], "changes": [], "unpriced": []}
    return preview | {"outcome": RollupOutcome.SKIPPED.value, "reason": INVOICED} | kept
