"""The arithmetic of a month's report, without any table."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import Listed
from invoicing.invoices.review import Flags, ReviewRule
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_reader import ListedMonth, TenantCheck
from invoicing.month_end.report import MonthReport, digest, month_report
from invoicing.month_end.report_json import STORED_BYTES, report_json, stored_report_json
from quote_engine import Period

APRIL = Period.month("2026-04")
AT = datetime(2026, 5, 1, 4, tzinfo=UTC)


def header(
    tenant_id: str, cents: int, status: str = "draft", currency: str = "AUD", revision: int = 1
) -> Header:
    """An April header; of its total a tenth is said to be tax."""
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
    """A note of a failure."""
    return Failure(tenant_id, reason, "run", AT, 5)


def report(
    *headers: Header,
    looks: tuple[TenantCheck, ...] = (),
    before: tuple[Header, ...] = (),
    flags: dict[str, Flags] | None = None,
) -> MonthReport:
    """The report of these invoices and looks, after these of March."""
    listing = ListedMonth(
        period=APRIL,
        invoices=tuple(Listed(each, (flags or {}).get(each.tenant_id, {})) for each in headers),
        before={each.tenant_id: each for each in before},
        others=tuple(look.tenant_id for look in looks),
        runs=(),
    )
    return month_report(listing, looks, AT)


def test_nobody_is_counted_twice_or_not_at_all() -> None:
    looks = (
        TenantCheck("e", None, due=True, failure=failure("e")),
        TenantCheck("f", None, due=True, failure=None),
        # An old note of somebody who is not due any more, and of somebody who is invoiced.
        TenantCheck("g", None, due=False, failure=failure("g")),
        TenantCheck("h", Listed(header("h", 700), {}), due=True, failure=failure("h")),
    )
    invoices = [header("a", 100), header("b", 200, "issued"), header("c", 400, "void")]
    found = report_json(report(*invoices, looks=looks))
    assert (found["tenants"], found["due"]) == (7, 6)
    assert found["invoiced"] == {"draft": 2, "issued": 1, "paid": 0, "void": 1}
    assert [each["tenant_id"] for each in found["failed"]["tenants"]] == ["e"]
    assert found["missing"]["tenant_ids"] == ["f"]
    assert found["nothing_to_invoice"]["tenant_ids"] == ["g"]
    assert found["void_not_reissued"]["tenant_ids"] == ["c"]


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
    found = report_json(report(*headers))["totals"]
    assert [(row["currency"], row["invoices"], row["total_cents"]) for row in found] == totals


def test_each_state_has_its_own_sums() -> None:
    found = report_json(report(header("a", 110), header("b", 220), header("c", 550, "void")))
    assert [
        (row["status"], row["invoices"], row["subtotal_cents"], row["tax_cents"])
        for row in found["by_status"]
    ] == [("draft", 2, 297, 33), ("void", 1, 495, 55)]


def test_the_review_has_held_ones_first_then_the_biggest_movers() -> None:
    before = (header("big", 10_000), header("small", 10_000), header("gone", 9_000))
    looks = (TenantCheck("gone", None, due=False, failure=None),)
    found = report(
        header("big", 90_000),
        header("issued", 1, "issued"),
        header("new", 95_000),
        header("small", 20_000),
        header("unpriced", 100),
        looks=looks,
        before=before,
        flags={
            "unpriced": {ReviewRule.UNPRICED_USAGE: 1},
            "issued": {ReviewRule.UNPRICED_USAGE: 1},
        },
    ).review()
    assert [(each.tenant_id, each.held, each.moved_cents) for each in found] == [
        ("big", True, 80_000),
        ("small", True, 10_000),
        ("unpriced", True, 100),
        ("new", False, 95_000),
        ("gone", False, -9_000),
    ]


def test_who_had_nothing_to_pay_last_month_has_not_stopped() -> None:
    looks = (TenantCheck("gone", None, due=False, failure=None),)
    assert report(looks=looks, before=(header("gone", 0),)).review() == []


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([header("b", 2), header("a", 1)], True),
        ([header("a", 1, "issued"), header("b", 2, "void")], True),
        ([header("a", 1)], False),
        ([header("a", 1), header("b", 3)], False),
        ([header("a", 1), header("b", 2, revision=2)], False),
        ([header("a", 1), header("b", 2), header("c", 3)], False),
    ],
)
def test_a_digest_is_of_content_and_not_of_state(other: list[Header], same: bool) -> None:
    reviewed = digest([header("a", 1), header("b", 2)])
    assert (digest(other) == reviewed) is same


def test_a_stored_report_fits_into_an_item_whatever_failed() -> None:
    names = [f"tenant-{number:05}" for number in range(8000)]
    looks = tuple(TenantCheck(name, None, True, failure(name, "ü" * 300)) for name in names)
    found = report(*(header(f"new-{number}", 5) for number in range(3000)), looks=looks)
    kept = stored_report_json(found)
    assert len(json.dumps(kept, ensure_ascii=False).encode()) <= STORED_BYTES
    assert kept["failed"]["count"] == 8000
    assert len(kept["failed"]["tenants"]) == 300
    whole = report_json(found)
    assert (whole["failed"]["count"], len(whole["failed"]["tenants"])) == (8000, 1000)
