"""Usage files: what a row becomes, what is faulty about one, and what is no usage at all."""

from datetime import UTC, date, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from cli.terminal.errors import BadInput
from cli.usage.day_events import DayEvents
from cli.usage.usage_file import DAYS, EVENTS, DaysRow, FaultyRow, UsageRow, read_usage

SYDNEY = ZoneInfo("Australia/Sydney")
DAYS_HEADER = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
EVENTS_HEADER = "id,source,deployment_id,resource_kind,quantity,occurred_at\n"


def rows_of(text: str | bytes) -> list[UsageRow | DaysRow | FaultyRow]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_usage(BytesIO(data), "a.csv")[1])


def test_a_row_for_days_keeps_its_run() -> None:
    [row] = rows_of(DAYS_HEADER + "web,hours,2026-04-04,2026-04-05,12.5\n")
    assert row == DaysRow(2, "web", "hours", date(2026, 4, 4), date(2026, 4, 5), "12.5")
    assert [f"{day}" for day in row.each_day()] == ["2026-04-04", "2026-04-05"]


def test_a_day_is_an_event_at_noon_named_by_what_it_counts() -> None:
    events = DayEvents(SYDNEY, datetime(2026, 5, 1, tzinfo=UTC), "second-meter")
    assert events.raw("web", "hours", date(2026, 4, 4), "12.5") == {
        # SHA-256 of "web\nhours", by sha256sum.
        "id": "2026-04-04:69c30e1d4c244efeb8f0e64a1013e755",
        "source": "second-meter",
        "deployment_id": "web",
        "resource_kind": "hours",
        "quantity": "12.5",
        # Daylight saving ends in the night after this day.
        "occurred_at": "2026-04-04T12:00:00+11:00",
    }
    next_day = events.raw("web", "hours", date(2026, 4, 5), "1")
    assert next_day["occurred_at"] == "2026-04-05T12:00:00+10:00"


def test_deployment_and_kind_cannot_be_taken_for_each_other() -> None:
    events = DayEvents(SYDNEY, datetime(2026, 5, 1, tzinfo=UTC))
    pairs = [("ab", "c"), ("a", "bc"), ("c", "ab"), ("a" * 64, "b" * 64)]
    ids = [events.raw(*pair, date(2026, 4, 4), "1")["id"] for pair in pairs]
    assert len(set(ids)) == 4
    assert {len(each) for each in ids} == {43}


def test_a_row_of_an_event_is_that_event() -> None:
    row = "e-1,meter,web,hours,0.25,2026-04-04T00:00:00Z"
    [usage_row] = rows_of(f"\ufeff{EVENTS_HEADER}{row}\n\n")
    assert isinstance(usage_row, UsageRow)
    assert (usage_row.line, list(usage_row.event.values())) == (2, row.split(","))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-04-01T10:00:00+1000", "2026-04-01T10:00:00+10:00"),
        ("2026-04-01T00:00:00+0000", "2026-04-01T00:00:00+00:00"),
        ("2026-04-01T00:00:00.125-0330", "2026-04-01T00:00:00.125-03:30"),
        ("2026-04-01 00:00:00 UTC", "2026-04-01 00:00:00Z"),
        ("2026-04-01T00:00:00UTC", "2026-04-01T00:00:00Z"),
        ("2026-04-01 00:00:00 GMT", "2026-04-01 00:00:00Z"),
        ("2026-04-01 10:00:00+10", "2026-04-01 10:00:00+10:00"),
        ("2026-04-01 10:00:00 +1000", "2026-04-01 10:00:00+10:00"),
        # These say no time with a zone, and are left to be rejected.
        ("2026-04-01", "2026-04-01"),
        ("2026-04-01 UTC", "2026-04-01 UTC"),
        ("2026-04-01T00:00:00", "2026-04-01T00:00:00"),
        ("2026-04-01T00:00:00 AEST", "2026-04-01T00:00:00 AEST"),
        ("1/4/2026 10:00", "1/4/2026 10:00"),
    ],
)
def test_times_are_read_as_databases_write_them(written: str, read: str) -> None:
    [row] = rows_of(f"{EVENTS_HEADER}e-1,meter,web,hours,1,{written}\n")
    assert isinstance(row, UsageRow)
    assert row.event["occurred_at"] == read


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("web,hours,2026-04-01,2026-04-30", "4 fields instead of 5"),
        ("web,hours,2026-04-01,2026-04-30,1,2", "6 fields instead of 5"),
        ("web,hours,2026-04-31,2026-04-30,1", "first_day, last_day: must be days"),
        ("web,hours,20260401,2026-04-30,1", "first_day, last_day: must be days"),
        ("web,hours,2026-04-02,2026-04-01,1", "last_day: must be 0 to 365 days after"),
        ("web,hours,2026-04-01,9999-12-31,1", "last_day: must be 0 to 365 days after"),
        (f"{'w' * 1001},hours,2026-04-01,2026-04-30,1", "a field has more than 1,000 characters"),
    ],
)
def test_a_row_that_makes_no_event_is_faulty(row: str, reason: str) -> None:
    [faulty] = rows_of(f"{DAYS_HEADER}{row}\n")
    assert isinstance(faulty, FaultyRow)
    assert faulty.line == 2
    assert reason in faulty.reason


def test_what_spreadsheets_leave_behind_is_read() -> None:
    text = (
        "\ufeff\r\n"
        + DAYS_HEADER.replace("\n", ",,\r\n")
        + "web,hours,2026-04-01,2026-04-01,1,,\r\n"
        ",,,,,,\r\n"
        "web,hours,2026-04-02,2026-04-02,1\r\n"
        " , \r\n"
        "web,hours,2026-04-03,2026-04-03,1,,,,\r\n"
    )
    assert [row.line for row in rows_of(text)] == [3, 5, 7]
    assert all(isinstance(row, DaysRow) for row in rows_of(text))


EVENT_COLUMNS = "the columns must be id,source,deployment_id,resource_kind,quantity,occurred_at"
DAYS_COLUMNS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,quantity\n", f"a.csv:1: {EVENT_COLUMNS} (missing: source, deployment_id, "),
        ("", f"a.csv:1: {EVENT_COLUMNS}; or {DAYS_COLUMNS}"),
        ("name,price\n", f"a.csv:1: {EVENT_COLUMNS}; or {DAYS_COLUMNS}"),
        (
            "\n" + DAYS_HEADER.replace("last_day", "until").replace("first_day", "from"),
            f"a.csv:2: the columns must be {DAYS_COLUMNS} "
            "(unknown: from, until; missing: first_day, last_day)",
        ),
        (EVENTS_HEADER.replace(",", ", "), "(unknown: ' source', ' deployment_id', ' resource_k"),
        (EVENTS_HEADER.replace("id,source", "id,,source"), "(unknown: '')"),
        (EVENTS_HEADER.replace("source", "id"), "a.csv:1: a column is named twice: id"),
        (EVENTS_HEADER.replace(",", ";"), "a.csv:1: the columns are separated by semicolons, not"),
        (EVENTS_HEADER.replace(",", "\t"), "a.csv:1: the columns are separated by tabs, not by"),
        (EVENTS_HEADER.encode("utf-16"), "a.csv: UTF-16 text; save it as UTF-8"),
        (EVENTS_HEADER.encode("utf-16-be"), "a.csv: UTF-16 text; save it as UTF-8"),
        (f'{EVENTS_HEADER}"a"b,c\n', "a.csv:2: not CSV: ',' expected after '\"'"),
        (f'{EVENTS_HEADER}a,b\n"a,b\nc,d\ne,f\n', "a.csv:3: not CSV: unexpected end of data"),
        (f"{EVENTS_HEADER}a,b\n".encode() + b"caf\xe9,b\n", "a.csv:3: not UTF-8 text"),
        (f"{EVENTS_HEADER}{'a' * 2**20}\n", "a.csv:2: not CSV: the line is longer than 1 MB"),
    ],
)
def test_a_file_without_usage_is_bad_input(text: str | bytes, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        rows_of(text)
    assert says in str(refused.value)


def test_the_form_is_told_by_the_columns_in_any_order() -> None:
    for header, form in ((EVENTS_HEADER, EVENTS), (DAYS_HEADER, DAYS)):
        names = header.strip().split(",")[::-1]
        assert read_usage(BytesIO(",".join(names).encode()), "a.csv")[0] is form
