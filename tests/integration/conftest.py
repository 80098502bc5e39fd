"""The tables and the queue of template.yaml in moto, in this process."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from invoicing.accounts.account import AddonPrice, Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation import parallel
from invoicing.foundation.dynamodb import _bound, connection
from invoicing.invoices.invoice_lists_table import InvoiceLists
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end import send_messages
from invoicing.usage import metering
from invoicing.usage.usage_table import UsageTable
from local.handlers import load_handler
from local.template import table_definition
from quote_engine import Period, PerUnit, Plan

APRIL = Period.month("2026-04")
STUDIO = Plan(
    code="studio",
    name="Studio",
    price=Decimal("50.00"),
    proration="daily",
    rates=(PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(1488)),),
)
STORAGE = AddonPrice("storage_50gb", None, Decimal("7.50"))


@dataclass
class Stack:
    """The tables and the queue, with raw access for assertions about stored items."""

    accounts: AccountsTable
    usage: UsageTable
    invoices: InvoicesTable
    lists: InvoiceLists
    queue_url: str
    dynamodb: Any
    sqs: Any

    def raw_items(self, table: str) -> list[dict[str, Any]]:
        """Returns every item of a table as DynamoDB holds it."""
        items: list[dict[str, Any]] = self.dynamodb.scan(TableName=table)["Items"]
        return items

    def add_tenant(self, tenant_id: str, hours: str | None = "2160", **changes: Any) -> None:
        """Adds a tenant on the pilot's plan and add-on, with these droplet hours in April."""
        number = changes.pop("account_number", str(len(self.raw_items("accounts")) + 100))
        tenant = Tenant(tenant_id, changes.pop("name", tenant_id.title()), number, "gst")
        TenantsTable(self.accounts.name).put(tenant)
        SubscriptionsTable(self.accounts.name).put(
            Segment(
                tenant_id=tenant_id,
                deployment_id=changes.pop("deployment_id", tenant_id),
                starts_on=changes.pop("starts_on", date(2026, 1, 10)),
                ends_on=changes.pop("ends_on", None),
                plan_code=changes.pop("plan_code", "studio"),
                plan_version=changes.pop("plan_version", 1),
                addons=(AddonChoice("storage_50gb", 1, 1),),
            )
        )
        assert not changes
        if hours is not None:
            quantities = {"droplet_hours": Decimal(hours)}
            self.usage.add(tenant_id, tenant_id, date(2026, 4, 15), quantities)

    def received(self) -> list[str]:
        """Receives all messages on the queue; returns their bodies."""
        bodies: list[str] = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                return bodies
            bodies += [message["Body"] for message in answer["Messages"]]


def _forget_clients() -> None:
    """Drops cached clients: each test has its own AWS, and bound item classes keep clients."""
    connection.cache_clear()
    _bound.cache_clear()
    send_messages.aws_client.cache_clear()


@pytest.fixture
def stack(environment: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Empty tables except for the pilot's plan and add-on, and an empty queue."""
    with mock_aws():
        _forget_clients()
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        for name in ("accounts", "invoices", "usage"):
            logical_id = f"{name.title()}Table"
            dynamodb.create_table(TableName=name, **table_definition(logical_id))
        queue_url = sqs.create_queue(QueueName="rollup")["QueueUrl"]
        environment.setenv("ROLLUP_QUEUE_URL", queue_url)
        # Moto loses updates when threads meet, so here one thread writes at a time.
        environment.setattr(metering, "WRITERS", 1)
        environment.setattr(parallel, "THREADS", 1)
        accounts = AccountsTable("accounts")
        PriceVersions(accounts.name, PLANS).put(STUDIO, 1)
        PriceVersions(accounts.name, ADDONS).put(STORAGE, 1)
        yield Stack(
            accounts=accounts,
            usage=UsageTable("usage"),
            invoices=InvoicesTable("invoices"),
            lists=InvoiceLists("invoices"),
            queue_url=queue_url,
            dynamodb=dynamodb,
            sqs=sqs,
        )
        _forget_clients()


@pytest.fixture
def rollup(stack: Stack) -> ModuleType:
    """The rollup function, freshly imported over the test's tables."""
    return load_handler("rollup_tenant")


@pytest.fixture
def log(rollup: ModuleType) -> StringIO:
    """The rollup function's log, one JSON line per entry."""
    written = StringIO()
    rollup.logger.registered_handler.setStream(written)
    return written
