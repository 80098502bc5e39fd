"""The tables as commit 6b321da left them (see `contents`), with today's code over them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import Settings
from invoicing.invoices.invoice import Header, Invoice, Issue
from invoicing.invoices.lifecycle import Action, ChangeRequest, InvoiceChange
from invoicing.invoices.lifecycle_table import LifecycleTable
from invoicing.month_end.rollup import Rollup, RollupResult
from invoicing.month_end.rollup_message import RollupMessage
from invoicing.pricing.tenant_month import Pricing
from quote_engine import Period
from tests.conftest import ENVIRONMENT
from tests.integration.conftest import Stack
from tests.integration.stored.contents import put_stored_items

# After everything that was stored.
TODAY = datetime(2026, 12, 1, 3, tzinfo=UTC)


class OldBooks:
    """What the rollup and people do to the stored invoices."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.settings = Settings.from_environment(ENVIRONMENT)
        self.lifecycle = LifecycleTable("invoices")

    def run(self, tenant_id: str, label: str, force: bool = False) -> RollupResult:
        """Rolls up a tenant's month."""
        rollup = Rollup(Pricing.over(self.settings), self.stack.invoices, self.settings)
        message = RollupMessage(
            version=1, tenant_id=tenant_id, period=label, run_id="today", run_at=TODAY, force=force
        )
        return rollup.roll_up(message)

    def change(self, action: Action, tenant_id: str, label: str) -> Header:
        """Changes the invoice that stands, with a reason, as somebody who reviewed it."""
        period = Period.month(label)
        standing = self.stack.invoices.get(tenant_id, period).header
        request = ChangeRequest(revision=standing.revision, reason="reviewed")
        issue = Issue.at(TODAY, self.settings) if action is Action.ISSUE else None
        change = InvoiceChange(action, request, Actor("sub-finance", "finance"), TODAY, issue)
        return self.lifecycle.change(tenant_id, period, change)

    def invoice(self, tenant_id: str, label: str) -> Invoice:
        """Reads the invoice that stands."""
        return self.stack.invoices.get(tenant_id, Period.month(label))

    def amounts(self, tenant_id: str, label: str) -> tuple[int, int, int]:
        """Returns subtotal, tax and total of the invoice that stands, in cents."""
        header = self.invoice(tenant_id, label).header
        return header.subtotal_cents, header.tax_cents, header.total_cents

    def cents(self, tenant_id: str, label: str, kind: str) -> list[int]:
        """Returns the cents of each line of a kind, in order."""
        lines = self.invoice(tenant_id, label).lines
        return [line.amount_cents for line in lines if line.kind == kind]

    def item(self, tenant_id: str, sort_key: str) -> dict[str, Any]:
        """Returns an item of the invoices table as DynamoDB holds it."""
        key = {"tenant_id": {"S": tenant_id}, "period_start": {"S": sort_key}}
        item: dict[str, Any] = self.stack.dynamodb.get_item(TableName="invoices", Key=key)["Item"]
        return item


@pytest.fixture
def books(stack: Stack) -> OldBooks:
    """All that was stored, and nothing else."""
    put_stored_items(stack.dynamodb)
    return OldBooks(stack)
