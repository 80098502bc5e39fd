"""The connection that the table classes share."""

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation import dynamodb
from invoicing.month_end.month_ends_table import MonthEndsTable
from tests.integration.conftest import APRIL, Stack


def test_a_table_has_its_index_whichever_of_its_item_classes_comes_first(stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    for first in (MonthEndsTable, AccountsTable):
        dynamodb.connection.cache_clear()
        first("accounts")
        assert next(AccountsTable("accounts").tenant_ids(None, 10)) == ["acme"]
        assert MonthEndsTable("accounts").runs(APRIL) == []
