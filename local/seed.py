"""Fills a deployed stack with the sample month, through the project's own table classes.

Runs as a process of its own (`python -m local.seed ACCOUNTS_TABLE USAGE_TABLE`): the table classes
find DynamoDB through the environment, and two stacks may be filled side by side.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from invoicing.accounts_table import AccountsTable
from invoicing.usage_table import UsageTable
from local.sample_month import SampleMonth, Usage, sample_month

WRITERS = 8


def seed_accounts(table: AccountsTable, month: SampleMonth) -> None:
    """Stores the catalogue, the tenants and their subscriptions."""
    for plan in month.plans:
        table.put_plan(plan, month.catalogue_version)
    for addon in month.addons:
        table.put_addon(addon, month.catalogue_version)
    table.put_accounts(month.accounts)


def seed_usage(table: UsageTable, month: SampleMonth) -> None:
    """Adds every day's usage; adding is not repeatable, so this is for an empty table."""

    def add(usage: Usage) -> None:
        table.add(usage.tenant_id, usage.deployment_id, usage.day, usage.quantities)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(add, month.usage))


def main(accounts_table: str, usage_table: str) -> None:
    month = sample_month()
    seed_accounts(AccountsTable(accounts_table), month)
    seed_usage(UsageTable(usage_table), month)


if __name__ == "__main__":
    main(*sys.argv[1:])
