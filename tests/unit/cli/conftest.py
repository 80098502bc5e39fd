"""The files of a test, and the three tables in this process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.commands import month_end
from cli.loading import load
from cli.stack import global_options
from cli.stack.stack import Stack
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.dynamodb import connection
from invoicing.foundation.settings import Settings
from invoicing.usage import metering
from invoicing.usage.usage_table import UsageTable
from local.template import table_definition
from tests.conftest import ENVIRONMENT

type Write = Callable[[str, str], Path]
type Said = pytest.CaptureFixture[str]

SETTINGS = Settings.from_environment(ENVIRONMENT | {"BILLING_TIME_ZONE": "Australia/Sydney"})
STACK = Stack("test", SETTINGS)
CATALOGUE = """\
version: 1
plans:
  - code: studio
    name: Studio
    price: "50.00"
    proration: daily
    rates:
      - {resource_kind: hours, unit: hour, model: per_unit, included: "1488", unit_price: "0.01"}
"""
TENANTS = """\
tenants:
  - tenant_id: pilot
    name: Pilot [Pottery]
    account_number: "1000"
    tax: gst
    subscriptions:
      - {deployment_id: pilot, plan: studio, starts_on: 2026-01-10}
"""
USAGE = """\
deployment_id,resource_kind,first_day,last_day,quantity_per_day
pilot,hours,2026-04-01,2026-04-30,72
"""
RECEIVED = ("--received-at", "2026-05-01T00:00:00Z")


def said_json(capsys: Said) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes a file into the test's folder."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """One client for all tests of a module: making a client takes most of a test's time."""
    connection.cache_clear()
    yield boto3.client("dynamodb")
    connection.cache_clear()


@pytest.fixture
def tables(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Empty tables, which every command of the test connects to."""
    with mock_aws():
        for name in ("accounts", "invoices", "usage"):
            dynamodb.create_table(TableName=name, **table_definition(f"{name.title()}Table"))
        monkeypatch.setattr(global_options, "connect", lambda _: STACK)
        # moto's tables do not work with threads.
        monkeypatch.setattr(load, "WRITERS", 1)
        monkeypatch.setattr(metering, "WRITERS", 1)
        # There are no queues unless a test makes them.
        monkeypatch.setattr(month_end, "queue_lines", lambda _: ())
        yield STACK


@pytest.fixture
def month(tables: Stack, write: Write) -> Path:
    """A folder with a catalogue, a tenant and its April."""
    write("catalogue.yaml", CATALOGUE)
    write("tenants.yaml", TENANTS)
    return write("usage.csv", USAGE).parent


@pytest.fixture
def accounts(tables: Stack) -> AccountsTable:
    return tables.accounts


@pytest.fixture
def usage(tables: Stack) -> UsageTable:
    return UsageTable(tables.settings.usage_table)
