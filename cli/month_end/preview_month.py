"""Previews a month's run with the rollup's own code; nothing is written."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from cli.stack.pages import every_page
from cli.stack.stack import Stack
from cli.terminal.errors import BadInput
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.month_end.preview import Previews
from invoicing.month_end.rollup import INVOICED, RollupOutcome
from quote_engine import Period

# Tenants priced between two steps of the progress bar.
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
    """Previews a forced run for these tenants, or for all if none are named.

    Raises BadInput for an unknown tenant.
    """
    previews = Previews.over(stack.settings)
    collected: list[Preview] = []
    try:
        for page in _pages(previews, period, tenant_ids, at):
            collected += page
            advance(len(page))
    except UnknownTenant as error:
        raise BadInput(str(error)) from error
    return collected


def _pages(
    previews: Previews, period: Period, tenant_ids: Collection[str], at: datetime
) -> Iterator[list[Preview]]:
    for tenant_id in sorted(set(tenant_ids)):
        yield [previews.named(period, at, tenant_id)]
    if not tenant_ids:
        yield from every_page(lambda after: previews.page(period, at, after, AT_ONCE))


def unforced(preview: Preview) -> Preview:
    """The preview of an unforced run: a tenant that has an invoice, void or not, is skipped."""
    if preview["before"] is None or preview["outcome"] not in MIGHT_WRITE:
        return preview
    unchanged = {"after": preview["before"], "changes": [], "unpriced": []}
    return preview | {"outcome": RollupOutcome.SKIPPED.value, "reason": INVOICED} | unchanged
