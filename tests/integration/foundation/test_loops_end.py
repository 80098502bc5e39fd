"""Lists end on an empty key, and none goes on for ever with a page that comes again.

A store that answers so is asked a hundred times at most: then the test fails, and does not hang.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import PaginationError

from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation import dynamodb
from invoicing.foundation.dynamodb import KeysNotRead, read_keys
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_lists_table import HeaderFilter
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.closing import Office

MOST_CALLS = 100
LISTS = ("Query", "Scan")
# The hash key of each table is in it.
SAME = {"pk": {"S": "same"}, "tenant_id": {"S": "same"}}


class AskedForEver(BaseException):
    """No `Exception`: no handler takes it for the fault of one tenant or of AWS."""


class Limited:
    """Changes the answers of some operations, and fails the test if they are asked too often."""

    def __init__(
        self, event: str, operations: tuple[str, ...], answer: Callable[..., Any]
    ) -> None:
        self._answer, self.calls = answer, 0
        for operation in operations:
            events = dynamodb.connection().client.meta.events
            events.register(f"{event}.dynamodb.{operation}", self._called)

    def _called(self, **given: Any) -> Any:
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise AskedForEver
        return self._answer(**given)


def empty_keys() -> Limited:
    """Makes the last page of each list say where it ends: nowhere."""

    def answer(parsed: dict[str, Any], **_: Any) -> None:
        parsed.setdefault("LastEvaluatedKey", {})

    return Limited("after-call", LISTS, answer)


def same_page() -> Limited:
    """Makes each page of each list lead to itself."""
    page = {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": SAME}

    def answer(**_: Any) -> Any:
        response = type("Response", (), {"status_code": 200})
        return response, dict(page)

    return Limited("before-call", LISTS, answer)


@pytest.fixture
def office(stack: Stack, rollup: Any) -> Office:
    """Finance, with three tenants, two of which have an invoice."""
    for name in ("acme", "beta", "gamma"):
        stack.add_tenant(name)
    office = Office(stack, rollup)
    assert office.roll_up("acme", "beta") == []
    return office


def invoices(office: Office, **wanted: Any) -> list[str]:
    chosen = HeaderFilter(**{"tenant_id": None, "period": None, "status": None} | wanted)
    page = office.stack.lists.page(chosen, 10, None)
    return sorted(header.tenant_id for header in page.headers)


def listed(office: Office) -> list[str]:
    found = office.stack.lists.whole_period(APRIL)
    return [invoice.header.tenant_id for invoice in found]


def segments(office: Office) -> int:
    table = SubscriptionsTable(office.stack.accounts.name)
    page, _ = table.page("acme", None, 10)
    stored = table.get("acme", "acme")
    assert stored is not None
    return len(page) + len(stored.record.segments)


def plans(office: Office) -> list[tuple[str, int]]:
    return PriceVersions(office.stack.accounts.name, PLANS).codes(None, 10)


def previewed(office: Office) -> list[str]:
    answer = office.ask("preview_month_end", None, None, {"period": "2026-04"})
    return [preview["tenant_id"] for preview in answer["body"]["previews"]]


READS: dict[str, tuple[Callable[[Office], Any], Any]] = {
    "account": (lambda office: len(office.stack.accounts.account("acme").segments), 1),
    "tenants": (
        lambda office: [*office.stack.accounts.tenant_ids(None, 2)],
        [["acme", "beta"], ["gamma"]],
    ),
    "plan": (lambda office: office.stack.accounts.newest_version("plan", "studio"), 1),
    "plans": (plans, [("studio", 1)]),
    "segments": (segments, 2),
    "invoices": (invoices, ["acme", "beta"]),
    "drafts": (lambda office: invoices(office, status=InvoiceStatus.DRAFT), ["acme", "beta"]),
    "invoices of a month": (lambda office: invoices(office, period=APRIL), ["acme", "beta"]),
    "invoices of a tenant": (lambda office: invoices(office, tenant_id="beta"), ["beta"]),
    "month": (listed, ["acme", "beta"]),
    "history": (lambda office: len(office.history("acme")), 1),
    "usage days": (lambda office: [*office.stack.usage.days("acme", APRIL).days], ["2026-04-15"]),
    "rollup": (
        lambda office: (office.roll_up("gamma"), listed(office)),
        ([], ["acme", "beta", "gamma"]),
    ),
    "forced rollup": (lambda office: office.roll_up("acme", force=True), []),
    "report": (lambda office: office.report()["missing"]["tenant_ids"], ["gamma"]),
    "preview": (previewed, ["acme", "beta", "gamma"]),
}


@pytest.mark.parametrize("name", READS)
def test_an_empty_key_ends_a_list(office: Office, name: str) -> None:
    read, expected = READS[name]
    asked = empty_keys()
    assert read(office) == expected
    assert asked.calls


ENDLESS: dict[str, Callable[[Office], Any]] = {
    "account": lambda office: office.stack.accounts.account("acme"),
    "tenants": lambda office: [*office.stack.accounts.tenant_ids(None, 2)],
    "plans": plans,
    "segments": segments,
    "invoices": invoices,
    "invoices of a month": lambda office: invoices(office, period=APRIL),
    "month": listed,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_page_that_comes_again_is_an_error(office: Office, name: str) -> None:
    same_page()
    with pytest.raises(KeysNotRead, match=r"gives the same page again$"):
        ENDLESS[name](office)


def test_usage_days_that_come_again_are_an_error(office: Office) -> None:
    same_page()
    with pytest.raises(PaginationError, match="same next token"):
        office.stack.usage.days("acme", APRIL)


def test_a_report_whose_pages_come_again_is_refused(office: Office) -> None:
    same_page()
    assert office.ask("get_month_end")["statusCode"] == 500


def test_a_tenant_whose_pages_come_again_fails_and_is_tried_later(office: Office) -> None:
    same_page()
    assert office.roll_up("gamma") == ["gamma"]


def test_keys_that_stay_unprocessed_are_an_error(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "sleep", lambda _: None)
    key = {"deployment_period": "acme#2026-04", "day": "total"}
    unread = {"usage": {"Keys": [{name: {"S": value} for name, value in key.items()}]}}

    def answer(parsed: dict[str, Any], **_: Any) -> None:
        parsed["UnprocessedKeys"] = unread

    asked = Limited("after-call", ("BatchGetItem",), answer)
    with pytest.raises(KeysNotRead, match="1 keys of usage were not read"):
        read_keys("usage", [key])
    assert asked.calls == 6
