"""Shared by the tests of the month-end commands: tenants, a run, a person at the terminal."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, Self

import boto3
import pytest

from cli.stack import global_options
from cli.stack.stack import Stack
from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable, UnknownPrice
from invoicing.accounts.catalogue_form import read_plan
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation import parallel
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end.failures_table import FailuresTable
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.rollup import Rollup, RollupResult
from invoicing.month_end.rollup_message import RollupMessage
from invoicing.month_end.start import month_end, record_run
from invoicing.month_end.start_event import parse_start
from invoicing.usage.usage_table import UsageTable
from tests.unit.cli.conftest import STACK

RUN_AT = "2026-05-01T03:00:00Z"
PLAN = {
    "code": "studio",
    "name": "Studio",
    "price": "50.00",
    "proration": "daily",
    "rates": [
        {"resource_kind": "hours", "unit": "hour", "model": "per_unit", "included": "1488"}
        | {"unit_price": "0.01"}
    ],
}
RECORD = {"SentTimestamp": "1777604400000", "ApproximateReceiveCount": "1"}


def store(*tenant_ids: str) -> None:
    """Stores tenants on one plan since January; the pilot has used 2,160 hours in April.

    Without the commands that could do it: they would take most of a test's time.
    """
    accounts = STACK.accounts
    PriceVersions(accounts.name, PLANS).put(read_plan(PLAN), 1)
    for number, tenant_id in enumerate(tenant_ids, start=1000):
        TenantsTable(accounts.name).put(
            Tenant(tenant_id, f"{tenant_id.title()} [Ltd]", str(number), "gst")
        )
        SubscriptionsTable(accounts.name).put(
            Segment(tenant_id, tenant_id, date(2026, 1, 10), None, "studio", 1)
        )
    use_more("pilot", 2160)


@cache
def aws(service: str) -> Any:
    """Returns a client for moto, made once: making one takes as long as a whole test."""
    return boto3.client(service)


def _message(tenant_id: str, period: str, run_id: str, force: bool) -> RollupMessage:
    fields = {"version": 1, "tenant_id": tenant_id, "period": period, "run_id": run_id}
    return RollupMessage.model_validate(fields | {"run_at": RUN_AT, "force": force})


def note_failure(tenant_id: str, reason: str, run_id: str = "the-run") -> None:
    """Notes a failure in April, as the rollup does."""
    message = _message(tenant_id, "2026-04", run_id, force=False)
    FailuresTable("accounts").note(message, reason, RECORD)


def roll_up(tenant_id: str, period: str = "2026-04", force: bool = False) -> RollupResult:
    """Rolls up one tenant, as its message on the queue would."""
    return _rollup(_message(tenant_id, period, "the-run", force))


def _rollup(message: RollupMessage) -> RollupResult:
    return Rollup(STACK.pricing, InvoicesTable("invoices"), STACK.settings).roll_up(message)


def use_more(tenant_id: str, hours: int, kind: str = "hours") -> None:
    """Adds usage in April."""
    UsageTable("usage").add(tenant_id, tenant_id, date(2026, 4, 30), {kind: Decimal(hours)})


def break_prices(accounts: AccountsTable, tenant_id: str) -> None:
    """Adds a subscription to an unknown plan: the tenant cannot be priced any more."""
    segment = Segment(tenant_id, f"{tenant_id}-annex", date(2026, 4, 1), None, "gone", 1)
    SubscriptionsTable(accounts.name).put(segment)


@dataclass
class Cloud:
    """The function that starts a run, with a queue that is worked off as soon as it is filled."""

    depths: list[int] = field(default_factory=lambda: [0])
    events: list[dict[str, Any]] = field(default_factory=list)
    works: bool = True

    def client(self, service: str) -> Any:
        """Returns the client of a service, as a command asks for it."""
        return aws("sts") if service == "sts" else self

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> None:
        """Starts the run and completes it at once."""
        assert (FunctionName, InvocationType) == ("test-start-month-end", "Event")
        event = json.loads(Payload)
        self.events.append(event)
        if self.works:
            self._run(event)

    def _run(self, event: dict[str, Any]) -> None:
        request = parse_start(event)
        run = month_end(request, STACK.settings, run_id="other", now=datetime.now(UTC))
        record_run(run, request, MonthEndsTable("accounts"))
        everybody = chain.from_iterable(STACK.accounts.tenant_ids(None, 10))
        for tenant_id in request.tenant_ids or list(everybody):
            message = run.message(tenant_id)
            try:
                _rollup(message)
            except UnknownPrice as error:
                FailuresTable("accounts").note(message, f"UnknownPrice: {error}", RECORD)

    def get_queue_attributes(self, **_words: Any) -> dict[str, Any]:
        """Returns the next depth of the queue; the last one is returned for ever."""
        depth = self.depths.pop(0) if len(self.depths) > 1 else self.depths[0]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {"Attributes": dict(zip(names, (str(depth), "0"), strict=True))}


def use_cloud(patch: pytest.MonkeyPatch, cloud: Cloud) -> Cloud:
    """Makes the commands use this cloud, in one thread: moto's tables do not work with more."""
    patch.setattr(global_options, "connect", lambda _: STACK)
    patch.setattr(Stack, "client", lambda _self, service: cloud.client(service))
    patch.setattr(parallel, "THREADS", 1)
    return cloud


class Terminal(io.StringIO):
    """A person's terminal, on which this text is typed."""

    def isatty(self) -> bool:
        return True


def at_a_terminal(patch: pytest.MonkeyPatch, typed: str) -> None:
    """From here on, somebody is at the terminal and types this text."""
    patch.setattr("sys.stdin", Terminal(typed))
    for module in ("invoices.change_invoice", "month_end.issue_month"):
        patch.setattr(f"cli.{module}.someone_is_there", lambda: True)


def at(patch: pytest.MonkeyPatch, module: str, moment: str) -> None:
    """Stops the clock of a module at a moment (UTC)."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Self:
            assert tz is UTC
            return cls.fromisoformat(moment)

    patch.setattr(f"{module}.datetime", Stopped)
