"""How far back an invoice looks for late usage: four months, and a year where it was corrected.

The pilot pays for each hour beyond 1,488: with 2,160 hours in a month, the next ones cost a cent.
"""

from datetime import UTC, date, datetime

import pytest

from cli.usage.import_report import ImportReport, too_late_warning
from invoicing.foundation.billing_calendar import label_after, months_apart
from invoicing.foundation.settings import settings
from invoicing.invoices.billing_history_table import LATE_MONTHS, MONTHS_AROUND
from invoicing.usage.correction import MONTHS_BACK, InvalidCorrection
from invoicing.usage.usage_event import OLDEST, UsageEvent, UsageResult, read_event
from quote_engine import Period
from tests.integration.conftest import Stack
from tests.integration.pricing.test_corrected_usage import CorrectedMonths
from tests.integration.pricing.test_late_usage import Months


@pytest.fixture
def months(stack: Stack) -> CorrectedMonths:
    """The pilot, long since a customer, with nothing counted."""
    stack.add_tenant("pilot", hours=None, account_number="1001", starts_on=START)
    return CorrectedMonths(stack)


START = date(2024, 1, 1)


def invoiced(months: Months, label: str) -> None:
    """Issues the month with 2,160 hours, all of them on the 15th."""
    months.use(label, 2160)
    months.issued(label)


@pytest.mark.parametrize(
    ("late", "billed_on", "cents"),
    [
        # Four months lie between usage and invoice, and five: in a year and over New Year.
        ("2026-04", "2026-08", [30]),
        ("2026-04", "2026-09", []),
        ("2025-09", "2026-01", [30]),
        ("2025-08", "2026-01", []),
        ("2025-12", "2026-04", [30]),
        ("2025-12", "2026-05", []),
        ("2025-12", "2026-01", [30]),
        ("2024-12", "2026-01", []),
    ],
)
def test_late_usage_is_billed_for_four_months(
    months: CorrectedMonths, late: str, billed_on: str, cents: list[int]
) -> None:
    invoiced(months, late)
    months.use(late, 30)
    months.issued(billed_on)
    assert [amount for _, amount in months.adjustments(billed_on)] == cents


@pytest.mark.parametrize(
    ("corrected", "billed_on", "cents"),
    [
        ("2026-04", "2026-08", [-100]),
        ("2026-04", "2026-09", [-100]),
        ("2025-09", "2026-01", [-100]),
        ("2025-08", "2026-01", [-100]),
        # The month of a year ago is the last that is looked at.
        ("2025-01", "2026-01", [-100]),
        ("2024-12", "2026-01", []),
        ("2025-04", "2026-04", [-100]),
        ("2025-03", "2026-04", []),
    ],
)
def test_a_correction_is_billed_for_a_year(
    months: CorrectedMonths, corrected: str, billed_on: str, cents: list[int]
) -> None:
    invoiced(months, corrected)
    # Made in the very next month: nothing but the mark can then be told from late usage.
    made_on = f"{label_after(Period.month(corrected), 1)}-20"
    months.correct(f"{corrected}-15", ("2160", "2060"), made_on)
    months.issued(billed_on)
    assert [amount for _, amount in months.adjustments(billed_on)] == cents


@pytest.mark.parametrize(
    ("made_on", "oldest", "too_old"),
    [
        ("2026-11-28", "2025-11-15", "2025-10-15"),
        ("2026-01-31", "2025-01-15", "2024-12-15"),
        ("2026-12-01", "2025-12-15", "2025-11-15"),
    ],
)
def test_what_may_be_corrected_is_what_the_months_own_invoice_looks_at(
    months: CorrectedMonths, made_on: str, oldest: str, too_old: str
) -> None:
    """The invoice of the month in which the correction is made is the next one to come."""
    for day in (oldest, too_old):
        invoiced(months, day[:7])
    with pytest.raises(InvalidCorrection, match="is more than 12 months before"):
        months.correct(too_old, ("2160", "2060"), made_on)
    months.correct(oldest, ("2160", "2060"), made_on)
    months.issued(made_on[:7])
    assert [amount for _, amount in months.adjustments(made_on[:7])] == [-100]


def test_september_and_august_in_january(months: CorrectedMonths) -> None:
    """By usage of August that is late, no invoice is changed: it is refused, or warned of."""
    for label in ("2025-08", "2025-09"):
        invoiced(months, label)
    months.use("2025-08", 25)
    months.use("2025-09", 30)
    months.correct("2025-09-15", ("2190", "2140"), "2026-01-10")
    months.issued("2026-01")
    text = "Adjustment for 2025-09: droplet_hours (2140 used, 2160 invoiced)"
    assert months.adjustments("2026-01") == [(text, -20)]
    # A correction of August, also by an hour, makes the next invoice bill all that is open of it.
    months.correct("2025-08-15", ("2185", "2184"), "2026-02-10")
    months.issued("2026-02")
    text = "Adjustment for 2025-08: droplet_hours (2184 used, 2160 invoiced)"
    assert months.adjustments("2026-02") == [(text, 24)]


@pytest.mark.parametrize(
    ("occurred_at", "received", "reason"),
    [
        # 90 days before 29 November is 31 August; before 31 January, it is 2 November.
        ("2025-08-31T00:00:00+00:00", "2025-11-29T00:00:00+00:00", None),
        (
            "2025-08-31T00:00:00+00:00",
            "2026-01-01T00:00:00+00:00",
            "occurred_at: more than 90 days ago",
        ),
        ("2025-11-02T00:00:00+00:00", "2026-01-31T00:00:00+00:00", None),
        (
            "2025-11-01T23:59:59+00:00",
            "2026-01-31T00:00:00+00:00",
            "occurred_at: more than 90 days ago",
        ),
    ],
)
def test_late_usage_is_refused_by_its_age(
    occurred_at: str, received: str, reason: str | None
) -> None:
    raw = {
        "id": "e-1",
        "source": "collector-1",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": "1",
        "occurred_at": occurred_at,
    }
    event = read_event(raw, datetime.fromisoformat(received))
    assert isinstance(event, UsageEvent if reason is None else UsageResult)
    if isinstance(event, UsageResult):
        assert event.reason == reason


def test_an_import_in_january_warns_of_august_and_not_of_september(
    environment: pytest.MonkeyPatch,
) -> None:
    now, zone = datetime(2026, 1, 10, tzinfo=UTC), settings().zone
    assert too_late_warning(ImportReport(months={"2025-09", "2025-12"}), now, zone) is None
    warning = too_late_warning(ImportReport(months={"2025-08", "2025-09"}), now, zone)
    assert warning is not None
    assert "usage of 2025-08, more than 4 months back" in warning


def test_the_look_back_covers_all_that_is_accepted() -> None:
    """The invoice of the month in which usage comes looks back to the month that it is of."""
    last_days = [Period.month(f"{year}-{month:02}").last_day for year, month in MONTHS]
    apart = {months_apart(month_of(day), month_of(day + OLDEST)) for day in last_days}
    # 31 January and 90 days is 1 May, except in leap years.
    assert apart == {3, LATE_MONTHS}
    assert MONTHS_BACK == MONTHS_AROUND


MONTHS = [(year, month) for year in range(2024, 2032) for month in range(1, 13)]


def month_of(day: date) -> Period:
    """Returns the month of a day."""
    return Period.month(day.isoformat()[:7])
