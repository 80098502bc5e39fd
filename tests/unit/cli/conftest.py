"""Files of a test, and the three tables in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from moto import mock_aws

from cli import app as cli_app
from cli import load
from cli.stack import Stack
from invoicing import base_table, metering
from invoicing.accounts_table import AccountsTable
from invoicing.usage_table import UsageTable
from tests.template import table_definition

type Write = Callable[[str, str], Path]

STACK = Stack("test", "accounts", "invoices", "usage", ZoneInfo("Australia/Sydney"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the test's folder."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """The clients of a module's tests: making them anew for each test would cost most of it."""
    base_table.connection.cache_clear()
    yield boto3.client("dynamodb")
    base_table.connection.cache_clear()


@pytest.fixture
def tables(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Empty tables, which every command of the test finds."""
    with mock_aws():
        for name in ("accounts", "invoices", "usage"):
            dynamodb.create_table(TableName=name, **table_definition(f"{name.title()}Table"))
        monkeypatch.setattr(cli_app, "connect", lambda _: STACK)
        # moto's tables are not made for threads.
        monkeypatch.setattr(load, "WRITERS", 1)
        monkeypatch.setattr(metering, "WRITERS", 1)
        yield STACK


@pytest.fixture
def accounts(tables: Stack) -> AccountsTable:
    return AccountsTable(tables.accounts_table)


@pytest.fixture
def usage(tables: Stack) -> UsageTable:
    return UsageTable(tables.usage_table)
