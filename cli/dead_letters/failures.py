"""The reasons why tenants' months failed, as the rollup noted them."""

from collections import defaultdict
from collections.abc import Iterable

from cli.stack.stack import Stack
from invoicing.month_end.uninvoiced_table import UninvoicedTable
from quote_engine import Period

type TenantMonth = tuple[str, str]


def reasons(stack: Stack, months: Iterable[TenantMonth]) -> dict[TenantMonth, str]:
    """Reads the newest noted reasons for months such as ("pilot", "2026-04"); consistent."""
    settings = stack.settings
    table = UninvoicedTable(settings.invoices_table, settings.accounts_table)
    by_period: dict[str, list[str]] = defaultdict(list)
    for tenant_id, label in months:
        by_period[label].append(tenant_id)
    return {
        (tenant_id, label): failure.reason
        for label, tenant_ids in by_period.items()
        for tenant_id, failure in table.read(tenant_ids, Period.month(label)).failures.items()
    }
