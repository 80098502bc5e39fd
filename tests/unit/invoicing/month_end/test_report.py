"""The arithmetic of a month's report, without any table."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import ListedInvoice
from invoicing.invoices.review import Flags, ReviewRule
from invoicing.month_end.failures import Failure
from invoicing.month_end.late_usage_sweep import LateUsageFound, late_usage_json
from invoicing.month_end.month_reader import ListedMonth, TenantCheck
from invoicing.month_end.report import MonthReport, digest, month_report
from invoicing.month_end.report_json import (
    STORED_BYTES,
    cut_to_fit,
    report_json,
    stored_report_json,
)
from invoicing.pricing.waiting_usage import Fate, WaitingUsage
from quote_engine import Period, UnpricedUsage

APRIL = Period.month("2026-04")
AT = datetime(2026, 5, 1, 4, tzinfo=UTC)


def header(
    tenant_id: str, cents: int, status: str = "draft", currency: str = "AUD", revision: int = 1
) -> Header:
    """An April header; a tenth of its total counts as tax."""
    tax = cents // 10
    return Header(
        tenant_id=tenant_id,
        number=f"2604-{tenant_id}",
        period_start=date(2026, 4, 1),
        period_end=date(2026, 5, 1),
        status=InvoiceStatus(status),
        revision=revision,
        currency=currency,
        subtotal_cents=cents - tax,
        tax_cents=tax,
        total_cents=cents,
        issued_at=None,
        due_on=None,
        fingerprint=hashlib.sha256(f"{tenant_id} {cents}".encode()).hexdigest(),
    )


def failure(tenant_id: str, reason: str = "UnknownPrice: x") -> Failure:
    """A tenant's recorded failure."""
    return Failure(tenant_id, reason, "run", AT, 5)


def report(
    *headers: Header,
    checks: tuple[TenantCheck, ...] = (),
    before: tuple[Header, ...] = (),
    flags: dict[str, Flags] | None = None,
) -> MonthReport:
    """The report of these April invoices and checks, after these invoices of March."""
    listing = ListedMonth(
        period=APRIL,
        invoices=tuple(
            ListedInvoice(header, (flags or {}).get(header.tenant_id, {})) for header in headers
        ),
        before={header.tenant_id: header for header in before},
        unlisted=tuple(check.tenant_id for check in checks),
        runs=(),
    )
    return month_report(listing, checks, AT)


def test_nobody_is_counted_twice_or_not_at_all() -> None:
    checks = (
        TenantCheck("e", None, due=True, failure=failure("e")),
        TenantCheck("f", None, due=True, failure=None),
        # Old failures of a tenant that is not due any more, and of one that is invoiced.
        TenantCheck("g", None, due=False, failure=failure("g")),
        TenantCheck("h", ListedInvoice(header("h", 700), {}), due=True, failure=failure("h")),
    )
    invoices = [header("a", 100), header("b", 200, "issued"), header("c", 400, "void")]
    answer = report_json(report(*invoices, checks=checks))
    assert (answer["tenants"], answer["due"]) == (7, 6)
    assert answer["invoiced"] == {"draft": 2, "issued": 1, "paid": 0, "void": 1}
    assert [failed["tenant_id"] for failed in answer["failed"]["tenants"]] == ["e"]
    assert answer["missing"]["tenant_ids"] == ["f"]
    assert answer["nothing_to_invoice"]["tenant_ids"] == ["g"]
    assert answer["void_not_reissued"]["tenant_ids"] == ["c"]


@pytest.mark.parametrize(
    ("headers", "totals"),
    [
        ([], []),
        ([header("a", 400, "void")], []),
        ([header("a", 100), header("b", -30, "paid")], [("AUD", 2, 70)]),
        (
            [header("a", 100), header("b", 10, "issued", "NZD"), header("c", 5, currency="NZD")],
            [("AUD", 1, 100), ("NZD", 2, 15)],
        ),
    ],
)
def test_totals_are_of_what_is_billed_and_never_over_two_currencies(
    headers: list[Header], totals: list[tuple[str, int, int]]
) -> None:
    rows = report_json(report(*headers))["totals"]
    assert [(row["currency"], row["invoices"], row["total_cents"]) for row in rows] == totals


def test_each_state_has_its_own_sums() -> None:
    answer = report_json(report(header("a", 110), header("b", 220), header("c", 550, "void")))
    assert [
        (row["status"], row["invoices"], row["subtotal_cents"], row["tax_cents"])
        for row in answer["by_status"]
    ] == [("draft", 2, 297, 33), ("void", 1, 495, 55)]


def test_the_review_has_held_ones_first_then_the_biggest_movers() -> None:
    before = (header("big", 10_000), header("small", 10_000), header("gone", 9_000))
    checks = (TenantCheck("gone", None, due=False, failure=None),)
    reviewed = report(
        header("big", 90_000),
        header("issued", 1, "issued"),
        header("new", 95_000),
        header("small", 20_000),
        header("unpriced", 100),
        checks=checks,
        before=before,
        flags={
            "unpriced": {ReviewRule.UNPRICED_USAGE: 1},
            "issued": {ReviewRule.UNPRICED_USAGE: 1},
        },
    ).review()
    assert [(finding.tenant_id, finding.held, finding.moved_cents) for finding in reviewed] == [
        ("big", True, 80_000),
        ("small", True, 10_000),
        ("unpriced", True, 100),
        ("new", False, 95_000),
        ("gone", False, -9_000),
    ]


def test_who_had_nothing_to_pay_last_month_has_not_stopped() -> None:
    checks = (TenantCheck("gone", None, due=False, failure=None),)
    assert report(checks=checks, before=(header("gone", 0),)).review() == []


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ([header("b", 2), header("a", 1)], True),
        ([header("a", 1, "issued"), header("b", 2, "void")], True),
        ([header("a", 1)], False),
        ([header("a", 1), header("b", 3)], False),
        ([header("a", 1), header("b", 2, revision=2)], False),
        ([header("a", 1), header("b", 2), header("c", 3)], False),
    ],
)
def test_a_digest_is_of_content_and_not_of_state(headers: list[Header], same: bool) -> None:
    reviewed = digest([header("a", 1), header("b", 2)])
    assert (digest(headers) == reviewed) is same


def waiting(number: int) -> WaitingUsage:
    """Usage with names as long as they may be."""
    names = f"tenant-{number:05}", APRIL, "d" * 64, "k" * 64
    return WaitingUsage(*names, Decimal("1.5"), Fate.NEXT_INVOICE, APRIL)


def test_stored_late_usage_fits_into_an_item_however_much_there_is() -> None:
    entries = [waiting(number) for number in range(5000)]
    failed = [(f"tenant-{number:05}", "ü" * 300) for number in range(2000)]
    found = LateUsageFound(5000, {"2026-04": entries}, failed, complete=True)
    body = cut_to_fit(partial(late_usage_json, found, "2026-04", AT))
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= STORED_BYTES
    assert (body["count"], len(body["entries"])) == (5000, 300)
    assert (body["failed"]["count"], len(body["failed"]["tenants"])) == (2000, 300)


def test_a_report_shows_as_much_of_late_usage_as_of_its_other_lists() -> None:
    found = LateUsageFound(3, {"2026-04": [waiting(number) for number in range(3)]}, (), True)
    stored = late_usage_json(found, "2026-04", AT, 1000)
    with_late_usage = replace(report(), late_usage=stored)
    shown = report_json(with_late_usage, 2)["late_usage"]
    assert (shown["count"], len(shown["entries"]), shown["complete"]) == (3, 2, True)
    assert report_json(report())["late_usage"] is None


def test_a_finding_names_three_kinds_and_counts_the_others() -> None:
    kinds = [UnpricedUsage("web", f"kind-{n}", Decimal(n)) for n in range(1, 6)]
    listing = ListedMonth(
        period=APRIL,
        invoices=(ListedInvoice(header("a", 100), {ReviewRule.UNPRICED_USAGE: 5}),),
        before={},
        unlisted=(),
        runs=(),
        unbilled={"a": kinds},
    )
    [entry] = month_report(listing, (), AT).review()
    assert entry.findings[-1].detail == (
        "usage of 5 kinds is billed nothing: "
        "1 kind-1 of web, 2 kind-2 of web, 3 kind-3 of web, 2 more"
    )


def test_a_stored_report_fits_into_an_item_whatever_failed() -> None:
    names = [f"tenant-{number:05}" for number in range(8000)]
    checks = tuple(TenantCheck(name, None, True, failure(name, "ü" * 300)) for name in names)
    large = report(*(header(f"new-{number}", 5) for number in range(3000)), checks=checks)
    stored = stored_report_json(large)
    assert len(json.dumps(stored, ensure_ascii=False).encode()) <= STORED_BYTES
    assert stored["failed"]["count"] == 8000
    assert len(stored["failed"]["tenants"]) == 300
    whole = report_json(large)
    assert (whole["failed"]["count"], len(whole["failed"]["tenants"])) == (8000, 1000)
