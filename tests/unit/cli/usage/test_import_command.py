"""`monthend usage import` from the shell: what it refuses whole, and what it leaves behind."""

import io
import os
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.app import main
from cli.usage import input_file, patience, usage_import
from invoicing.foundation.dynamodb import connection
from invoicing.usage import metering
from invoicing.usage.usage_events_table import UsageEventsTable, UsageNotRecorded
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.unit.cli.conftest import RECEIVED, TENANTS, Said, Write, said_json

APRIL = Period.month("2026-04")
DAYS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
EVENTS = "id,source,deployment_id,resource_kind,quantity,occurred_at\n"
TWO = """\
  - tenant_id: acme
    name: Acme
    account_number: "1001"
    tax: gst
    subscriptions:
      - {deployment_id: acme, plan: studio, starts_on: 2026-01-10}
"""
AGAIN = "run the same command again: what was counted is a duplicate then"


@pytest.fixture
def loaded(month: Path, write: Write, capsys: Said) -> Path:
    """Two tenants, pilot and acme, and no usage."""
    write("tenants.yaml", TENANTS + TWO)
    assert main(["load", str(month)]) == 0
    capsys.readouterr()
    return month


def counts(capsys: Said, file: Path | str, *words: str, code: int = 0) -> dict[str, int]:
    """Imports a file; returns the outcomes that occurred."""
    assert main(["usage", "import", str(file), *RECEIVED, *words, "--json"]) == code
    return {name: count for name, count in said_json(capsys)["counts"].items() if count}


def hours(usage: UsageTable, deployment_id: str = "pilot") -> Decimal:
    total = usage.days(deployment_id, APRIL).total
    return total.quantities["hours"] if total else Decimal(0)


ROWS = [
    f"{name},hours,2026-04-{day:02},2026-04-{day:02},{1 if name == 'pilot' else 2}\n"
    for day in range(1, 11)
    for name in ("pilot", "acme")
]


def test_swapped_rows_blank_lines_and_copies_count_once(
    loaded: Path, write: Write, usage: UsageTable, capsys: Said
) -> None:
    file = write("april.csv", DAYS + "".join(ROWS))
    assert counts(capsys, file) == {"accepted": 20}
    swapped = [row for pair in zip(ROWS[1::2], ROWS[::2], strict=True) for row in pair]
    for name, text in (
        ("april.csv", DAYS + "".join(swapped)),
        ("april.csv", DAYS + "\n" + "".join(ROWS)),
        ("a copy of april.csv", "\ufeff" + DAYS + "".join(ROWS)),
        ("sorted.csv", DAYS.replace("\n", ",,\n") + "".join(sorted(ROWS)).replace("\n", ",,\n")),
    ):
        assert counts(capsys, write(name, text)) == {"duplicate": 20}
    assert [hours(usage), hours(usage, "acme")] == [10, 20]


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (b'e,meter,pilot,"hours"x,1,2026-04-01T00:00:00Z\n', ":20007: not CSV: "),
        (b'e,meter,pilot,"hours,1,2026-04-01T00:00:00Z\n', ":20007: not CSV: unexpected end"),
        (b"e,meter,pilot,hours,1,caf\xe9\n", ":20007: not UTF-8 text"),
        (b"\xff\xfee,meter", ":20007: not UTF-8 text"),
    ],
    ids=["broken quote", "open quote", "Latin-1 byte", "sibling: UTF-16 below UTF-8"],
)
@pytest.mark.parametrize("form", [EVENTS, DAYS], ids=["events", "days"])
def test_a_file_that_is_broken_at_its_end_is_refused_whole(  # noqa: PLR0913, PLR0917
    loaded: Path, usage: UsageTable, capsys: Said, form: str, last: bytes, says: str
) -> None:
    good = [
        f"e-{n},meter,pilot,hours,1,2026-04-01T00:00:00Z\n"
        if form == EVENTS
        else f"pilot,hours,2026-04-01,2026-04-01,{n}\n"
        for n in range(20_005)
    ]
    file = loaded / "big.csv"
    file.write_bytes((form + "".join(good)).encode() + last)
    assert main(["usage", "import", str(file), *RECEIVED]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert says in line
    assert hours(usage) == 0


def test_a_larger_file_is_refused_by_its_size_unread(loaded: Path, capsys: Said) -> None:
    file = loaded / "huge.csv"
    with file.open("wb") as stream:
        # Nothing but a hole: to read it would say "not UTF-8" or "UTF-16".
        stream.truncate(512 * 1024 * 1024 + 1)
    assert main(["usage", "import", str(file), *RECEIVED]) == 2
    assert capsys.readouterr().err.endswith("huge.csv: larger than 512 MB: divide it\n")


def test_the_largest_file_is_taken(
    loaded: Path, write: Write, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = DAYS + "".join(ROWS)
    file = write("april.csv", text)
    monkeypatch.setattr(input_file, "MOST_BYTES", len(text))
    assert counts(capsys, file) == {"accepted": 20}
    monkeypatch.setattr(input_file, "MOST_BYTES", len(text) - 1)
    assert main(["usage", "import", str(file), *RECEIVED]) == 2


@pytest.fixture
def piped(loaded: Path) -> Iterator[Any]:
    """A function that makes a named pipe from which a text can be read once."""
    writers: list[threading.Thread] = []

    def pipe(text: str) -> Path:
        path = loaded / f"pipe-{len(writers)}.csv"
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_text, args=(text,)))
        writers[-1].start()
        return path

    yield pipe
    for writer in writers:
        writer.join()


@pytest.mark.parametrize("form", [EVENTS, DAYS], ids=["events", "days"])
def test_a_pipe_is_read_like_a_file(  # noqa: PLR0913, PLR0917
    loaded: Path,
    piped: Any,
    usage: UsageTable,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    rows = {
        DAYS: "pilot,hours,2026-04-01,2026-04-02,4\n",
        EVENTS: "e,m,pilot,hours,4,2026-04-01T00:00:00Z\nf,m,pilot,hours,4,2026-04-02T00:00:00Z\n",
    }
    text = form + rows[form]
    assert counts(capsys, piped(text)) == {"accepted": 2}
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert counts(capsys, "-") == {"duplicate": 2}
    assert hours(usage) == 8
    assert set(usage.days("pilot", APRIL).imports.values()) == {("-",)}
    monkeypatch.setattr(input_file, "MOST_BYTES", len(text) - 1)
    assert main(["usage", "import", str(piped(text)), *RECEIVED]) == 2


def test_days_keep_the_names_of_their_files(
    loaded: Path, write: Write, usage: UsageTable, capsys: Said
) -> None:
    long_name = f"{'n' * 100}.csv"
    for n, name in enumerate(["April usage.csv", long_name]):
        row = f"pilot,hours,2026-04-01,2026-04-01,{n}\n"
        counts(capsys, write(name, DAYS + row), "--source", f"s{n}")
    names = usage.days("pilot", APRIL).imports
    assert names == {"2026-04-01": ("April usage.csv", "n" * 96)}


def break_after(monkeypatch: pytest.MonkeyPatch, calls: int, error: BaseException) -> None:
    """Lets so many calls count their thousand events; the next one counts one and breaks off."""
    record = metering.Metering.record
    made = [0]

    def counted(self: metering.Metering, events: Any, received: Any) -> Any:
        made[0] += 1
        if made[0] <= calls:
            return record(self, events, received)
        record(self, events[:1], received)
        raise error

    monkeypatch.setattr(metering.Metering, "record", counted)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(usage_import, "EVENTS_A_CALL", 4)


EXPIRED = ClientError(
    {"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "TransactWriteItems"
)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (UsageNotRecorded("4 events after 8 tries"), "4 events after 8 tries"),
        (EXPIRED, "An error occurred (ExpiredTokenException)"),
        (KeyboardInterrupt(), "stopped"),
    ],
    ids=["busy", "credentials", "Ctrl-C"],
)
def test_what_breaks_off_midway_says_what_was_counted(  # noqa: PLR0913, PLR0917
    loaded: Path,
    write: Write,
    usage: UsageTable,
    capsys: Said,
    error: BaseException,
    says: str,
) -> None:
    file = write("april.csv", DAYS + "".join(ROWS))
    with pytest.MonkeyPatch.context() as monkeypatch:
        break_after(monkeypatch, 3, error)
        assert main(["usage", "import", str(file), *RECEIVED]) == 1
    shown = capsys.readouterr()
    assert shown.out == "12 accepted, 0 duplicate, 0 conflict, 0 rejected\n"
    # Before it, perhaps, the warning that April is long ago.
    line = shown.err.splitlines()[-1]
    assert line.startswith(f"monthend: broken off: {says}")
    assert line.endswith(f"; {AGAIN}")
    assert counts(capsys, file)["accepted"] + 12 < 20
    assert [hours(usage), hours(usage, "acme")] == [10, 20]


def test_a_broken_import_as_json_names_its_reason(
    loaded: Path, write: Write, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_after(monkeypatch, 0, KeyboardInterrupt())
    file = write("april.csv", DAYS + "".join(ROWS))
    assert main(["usage", "import", str(file), *RECEIVED, "--json"]) == 1
    assert said_json(capsys)["broken_off"] == "stopped"


def test_what_fails_before_the_first_event_is_no_broken_import(
    loaded: Path, write: Write, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise EXPIRED

    monkeypatch.setattr(connection().client, "batch_get_item", refused)
    assert main(["usage", "import", str(write("a.csv", DAYS + ROWS[0])), *RECEIVED]) == 3
    assert capsys.readouterr().out == ""


def test_a_dry_run_says_what_an_import_would_do_and_writes_nothing(  # noqa: PLR0913, PLR0917
    loaded: Path,
    write: Write,
    usage: UsageTable,
    capsys: Said,
    dynamodb: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts(capsys, write("april.csv", DAYS + "".join(ROWS[:8])))
    rows = [*ROWS, "pilot,hours,2026-04-01,2026-04-01,3\n", "who,hours,2026-04-01,2026-04-01,1\n"]
    file = write("april.csv", DAYS + "".join(rows) + "pilot,hours,2026-04-30,2026-05-03,1\n")
    events = [
        "e1,meter,pilot,hours,1,2026-04-01T00:00:00Z\n",
        "e1,meter,pilot,hours,1.0,2026-04-01T00:00:00Z\n",
        "e1,meter,acme,hours,1,2026-04-01T00:00:00Z\n",
        "e2,meter,who,hours,1,2026-04-01T00:00:00Z\n",
        "e3,meter,pilot,hours,many,2026-04-01T00:00:00Z\n",
    ]
    other = write("events.csv", EVENTS + "".join(events))
    before = dynamodb.scan(TableName="usage")["Items"]
    with monkeypatch.context() as patch:
        patch.setattr(UsageEventsTable, "record", None)
        dry = [counts(capsys, each, "--dry-run", code=1) for each in (file, other)]
    assert dynamodb.scan(TableName="usage")["Items"] == before
    assert dry == [
        # Two rows of one sum are in conflict with 1; 2 and 3 May are too far ahead.
        {"accepted": 14, "duplicate": 7, "conflict": 2, "rejected": 3},
        {"accepted": 2, "duplicate": 1, "rejected": 2},
    ]
    assert [counts(capsys, each, code=1) for each in (file, other)] == dry


def test_a_dry_run_says_that_it_is_one(loaded: Path, write: Write, capsys: Said) -> None:
    file = write("april.csv", DAYS + "".join(ROWS))
    assert main(["usage", "import", str(file), *RECEIVED, "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "Dry run, nothing written: 20 accepted, 0 duplicate, 0 conflict, 0 rejected\n"
    )


def test_a_source_is_for_rows_of_days_that_add_to_others(
    loaded: Path, write: Write, usage: UsageTable, capsys: Said
) -> None:
    file = write("april.csv", DAYS + "".join(ROWS))
    assert counts(capsys, file) == {"accepted": 20}
    for outcome in ("accepted", "duplicate"):
        assert counts(capsys, file, "--source", "second-meter") == {outcome: 20}
    assert hours(usage) == 20
    events = write("events.csv", EVENTS)
    for words, says in (
        ([str(file), "--source", "s" * 65], "--source: must be up to 64 of A-Z, a-z, 0-9"),
        ([str(file), "--source", "second meter"], "--source: must be up to 64 of A-Z, a-z, 0-9"),
        ([str(events), "--source", "meter"], "events.csv have sources of their own"),
    ):
        assert main(["usage", "import", *words]) == 2
        assert says in capsys.readouterr().err
