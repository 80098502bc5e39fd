"""`monthend usage correct FILE.csv`: a whole import is taken back, day by day, exactly once."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.stack.stack import Stack
from cli.usage import patience, take_back
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.usage.corrections import Corrections
from invoicing.usage.usage_event import UsageEvent
from invoicing.usage.usage_events_table import UsageEventsTable
from invoicing.usage.usage_json import quantities_json
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.unit.cli.conftest import RECEIVED, Said, Write, said_json
from tests.unit.cli.month_end.office import Cloud, at, store, use_cloud

DAYS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
EVENTS = "id,source,deployment_id,resource_kind,quantity,occurred_at\n"
# Of the pilot 72 and 10 hours on each of three days, and some traffic on one; 5 of acme's hours.
ROWS = (
    "pilot,hours,2026-04-01,2026-04-03,72",
    "pilot,hours,2026-04-01,2026-04-03,10",
    "pilot,egress_gb,2026-04-02,2026-04-02,41.75",
    "acme,hours,2026-04-02,2026-04-02,5",
)
WHY = ("--reason", "the file of another customer")
NONE_LEFT = {"corrected": 0, "unchanged": 0, "unknown": 0, "conflict": 0, "rejected": 0}


@pytest.fixture
def office(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tenants on 3 May; the pilot has used 2,160 hours on 30 April by other ways."""
    store("pilot", "acme")
    use_cloud(monkeypatch, Cloud())
    at(monkeypatch, "cli.usage.correct_import", "2026-05-03T10:00:00+00:00")
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)


@pytest.fixture
def april(office: None, write: Write, capsys: Said) -> Path:
    """The file, imported."""
    file = write("april.csv", DAYS + "\n".join(ROWS) + "\n")
    assert main(["usage", "import", str(file), *RECEIVED, "--json"]) == 0
    # Six and one rows for a day of the pilot's, one of acme's.
    assert said_json(capsys)["counts"]["accepted"] == 8
    return file


def correct(capsys: Said, *words: object, code: int = 0) -> Any:
    """Returns the JSON that the command prints."""
    assert main(["usage", "correct", *map(str, words), *WHY, "--json"]) == code
    return said_json(capsys)


def totals(usage: UsageTable) -> dict[str, dict[str, str]]:
    """Returns April's totals of both tenants."""
    months = usage.totals(["pilot", "acme"], Period.month("2026-04"))
    return {name: quantities_json(total.quantities) for name, total in months.items()}


# 2,160 and three days of 82 hours.
COUNTED = {"acme": {"hours": "5"}, "pilot": {"egress_gb": "41.75", "hours": "2406"}}
TAKEN_BACK = {"acme": {"hours": "0"}, "pilot": {"egress_gb": "0", "hours": "2160"}}


def test_a_file_is_taken_back_whatever_its_name_and_order(
    april: Path, usage: UsageTable, write: Write, capsys: Said
) -> None:
    assert totals(usage) == COUNTED
    rows = list(ROWS)
    random.Random(7).shuffle(rows)
    renamed = write("other name.csv", "\ufeff" + DAYS + "\n" + "\n\n".join(rows) + "\n")
    report = correct(capsys, renamed, "--id", "wrong-file")
    assert report["counts"] == NONE_LEFT | {"corrected": 8}
    assert (report["rows"], report["broken_off"], report["dry_run"]) == ([], None, False)
    assert report["months"] == [
        {
            "tenant_id": "acme",
            "deployment_id": "acme",
            "period": "2026-04",
            "change": {"hours": "-5"},
            "total": {"hours": "0"},
            "invoice": None,
        },
        {
            "tenant_id": "pilot",
            "deployment_id": "pilot",
            "period": "2026-04",
            "change": {"egress_gb": "-41.75", "hours": "-246"},
            "total": {"egress_gb": "0", "hours": "2160"},
            "invoice": None,
        },
    ]
    assert totals(usage) == TAKEN_BACK


def test_a_person_is_told_what_was_taken_off_and_how_to_count_the_right_file(
    april: Path, capsys: Said
) -> None:
    assert main(["usage", "correct", str(april), *WHY]) == 0
    shown = capsys.readouterr()
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "pilot 2026-04 hours -246 2160" in lines
    assert lines[-3:] == [
        "8 corrected, 0 unchanged, 0 unknown, 0 conflict, 0 rejected",
        "2026-04 of acme, pilot: not invoiced yet; will be billed as corrected",
        "Its ids stay used. To count the right file: "
        "monthend usage import FILE.csv --source NAME, with a new NAME",
    ]
    assert shown.err.startswith("Correction ")


def test_a_repeat_changes_nothing_and_another_finds_nothing(
    april: Path, usage: UsageTable, capsys: Said
) -> None:
    first = correct(capsys, april, "--id", "wrong-file")
    assert correct(capsys, april, "--id", "wrong-file")["counts"] == first["counts"]
    again = correct(capsys, april, "--id", "another")
    assert again["counts"] == NONE_LEFT | {"unchanged": 8}
    assert {row["line"] for row in again["rows"]} == {2, 3, 4, 5}
    assert again["rows"][0]["reason"].startswith(
        "id: nothing stands of it, since correction wrong-"
    )
    assert again["months"] == []
    assert totals(usage) == TAKEN_BACK


def test_the_same_file_counts_nothing_again_and_the_right_one_goes_by_another_source(
    april: Path, usage: UsageTable, write: Write, capsys: Said
) -> None:
    correct(capsys, april, "--id", "wrong-file")
    assert main(["usage", "import", str(april), *RECEIVED, "--json"]) == 0
    assert said_json(capsys)["counts"]["duplicate"] == 8
    right = write("april.csv", DAYS + "acme,hours,2026-04-02,2026-04-02,7\n")
    assert main(["usage", "import", str(right), *RECEIVED, "--source", "april-2"]) == 0
    assert totals(usage) == TAKEN_BACK | {"acme": {"hours": "7"}}
    capsys.readouterr()
    # It is known by its source alone.
    report = correct(capsys, right, "--id", "right-file", code=1)
    assert report["counts"] == NONE_LEFT | {"conflict": 1}
    report = correct(capsys, right, "--id", "right-file-2", "--source", "april-2")
    assert report["counts"] == NONE_LEFT | {"corrected": 1}
    assert totals(usage) == TAKEN_BACK


def test_a_dry_run_says_the_same_and_changes_nothing(
    april: Path, usage: UsageTable, capsys: Said, dynamodb: Any
) -> None:
    before = dynamodb.scan(TableName="usage")["Items"]
    report = correct(capsys, april, "--dry-run")
    assert report["counts"] == NONE_LEFT | {"corrected": 8}
    assert report["months"][1]["change"] == {"egress_gb": "-41.75", "hours": "-246"}
    assert dynamodb.scan(TableName="usage")["Items"] == before
    assert dynamodb.scan(TableName="invoices")["Items"] == []
    assert main(["usage", "correct", str(april), *WHY, "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert "Dry run, nothing changed: 8 corrected" in shown.out
    assert shown.err == ""


def test_each_row_that_was_not_taken_back_is_told_with_its_line(
    april: Path, usage: UsageTable, write: Write, capsys: Said
) -> None:
    correct(capsys, *_day("2026-04-03", "82", "1"), "--id", "by-day")
    other = write(
        "april.csv",
        DAYS
        + "pilot,hours,2026-04-01,2026-04-01,83\n"
        + "pilot,hours,2026-04-03,2026-04-03,82\n"
        + "pilot,egress_gb,2026-04-01,2026-04-01,1\n"
        + "pilot,egress_gb,2026-04-02,2026-04-02,41.75\n"
        + "nobody,hours,2026-04-01,2026-04-01,1\n"
        + "acme,hours,2025-04-30,2025-05-01,5\n"
        + "acme,hours,2026-04-02,2026-04-02,five\n"
        + "acme,hours,2026-04-31\n",
    )
    report = correct(capsys, other, "--id", "other", code=1)
    assert [(row["line"], row["outcome"], row["reason"]) for row in report["rows"]] == [
        (2, "conflict", "id: is counted with other content"),
        (
            3,
            "conflict",
            "quantity: 1 hours of pilot stand in 2026-04-03: 82 cannot be taken off",
        ),
        (4, "unknown", "id: no such event is counted, or it is forgotten by now"),
        (6, "unknown", "deployment_id: no such deployment is known"),
        (7, "rejected", "day: corrections reach from 2025-05-01 to 2026-05-04"),
        (7, "unknown", "id: no such event is counted, or it is forgotten by now"),
        (8, "rejected", "quantity: must be a decimal string such as 12.5"),
        (9, "rejected", "3 fields instead of 5"),
    ]
    assert report["counts"] == {
        "corrected": 1,
        "unchanged": 0,
        "unknown": 3,
        "conflict": 2,
        "rejected": 3,
    }
    # 2,160 and 82, 82 and 1 of three days.
    assert totals(usage)["pilot"] == {"egress_gb": "0", "hours": "2325"}


def _day(day: str, expect: str, quantity: str) -> tuple[str, ...]:
    place = ("--deployment", "pilot", "--kind", "hours", "--day", day)
    return (*place, "--expect", expect, "--quantity", quantity)


def breaking(patch: pytest.MonkeyPatch, error: BaseException, after: int) -> Callable[[], None]:
    """Breaks corrections off after so many; returns what mends them."""
    left, whole = [after], Corrections.correct

    def correct_some(self: Corrections, *words: Any) -> Any:
        if not left[0]:
            raise error
        left[0] -= 1
        return whole(self, *words)

    patch.setattr(Corrections, "correct", correct_some)
    return lambda: patch.setattr(Corrections, "correct", whole)


@pytest.mark.parametrize(
    ("error", "said"),
    [(RecordBusy("busy"), "busy"), (KeyboardInterrupt(), "stopped")],
    ids=["a busy store", "Ctrl-C"],
)
def test_what_was_broken_off_goes_on_with_its_id(
    april: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Said,
    error: BaseException,
    said: str,
) -> None:
    usage = UsageTable("usage")
    mend = breaking(monkeypatch, error, after=1)
    assert main(["usage", "correct", str(april), *WHY, "--id", "wrong-file", "--json"]) == 1
    shown = capsys.readouterr()
    again = "run the same command again with --id wrong-file"
    assert shown.err == f"monthend: broken off: {said}; {again}\n"
    # The first of three days.
    assert json.loads(shown.out)["counts"] == NONE_LEFT | {"corrected": 2}
    assert totals(usage)["pilot"] == {"egress_gb": "41.75", "hours": "2324"}
    mend()
    assert correct(capsys, april, "--id", "wrong-file")["counts"]["corrected"] == 8
    assert totals(usage) == TAKEN_BACK


def test_another_file_under_a_used_id_is_refused(
    april: Path, usage: UsageTable, write: Write, capsys: Said
) -> None:
    correct(capsys, april, "--id", "wrong-file")
    other = write("april.csv", DAYS + "acme,hours,2026-04-02,2026-04-02,6\n")
    assert main(["usage", "correct", str(other), *WHY, "--id", "wrong-file"]) == 1
    assert "--id: was used at 2026-05-03" in capsys.readouterr().err


def test_events_with_ids_of_their_own_are_taken_back_too(
    office: None, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    usage = UsageTable("usage")
    monkeypatch.setattr(take_back, "EVENTS_A_CORRECTION", 2)
    rows = [f"e-{n},meter,pilot,hours,0.5,2026-04-0{n % 2 + 1}T08:00:00Z" for n in range(5)]
    file = write("events.csv", EVENTS + "\n".join(rows) + "\n")
    assert main(["usage", "import", str(file), *RECEIVED]) == 0
    capsys.readouterr()
    assert totals(usage) == {"pilot": {"hours": "2162.5"}}
    file.write_text(f"{file.read_text()}e-x,meter,pilot,hours,1,2026-04-01T08:00:00Z\nshort\n")
    report = correct(capsys, file, "--id", "meter", code=1)
    assert report["counts"] == NONE_LEFT | {"corrected": 5, "unknown": 1, "rejected": 1}
    assert [(row["line"], row["outcome"]) for row in report["rows"]] == [
        (7, "unknown"),
        (8, "rejected"),
    ]
    assert totals(usage) == {"pilot": {"hours": "2160"}}


def test_rows_that_an_earlier_version_counted_need_their_day(
    office: None, usage: UsageTable, write: Write, capsys: Said, dynamodb: Any
) -> None:
    for line, quantity in ((2, "72"), (4, "5")):
        _counted_as_6b321da(dynamodb, line, "2026-04-01", quantity)
    rows = ("2026-04-02,72", "2026-04-01,9", "2026-04-01,5")
    text = "".join(f"pilot,hours,2026-04-01,{row}\n" for row in rows)
    file = write("april.csv", DAYS + text)
    # Line 2 has two days; it was counted on the first of them.
    report = correct(capsys, file, "--id", "old", code=1)
    assert [(row["line"], row["outcome"]) for row in report["rows"]] == [
        (2, "conflict"),
        (2, "unknown"),
        (3, "unknown"),
        (4, "conflict"),
    ]
    assert "correct its day (--day)" in report["rows"][0]["reason"]
    correct(capsys, *_day("2026-04-01", "77", "0"), "--id", "by-day")
    assert totals(usage) == {"pilot": {"hours": "2160"}}


def _counted_as_6b321da(dynamodb: Any, line: int, day: str, quantity: str) -> None:
    """Counts an event of april.csv under the id of then, and keeps nothing but its digest."""
    event = {
        "id": f"april.csv:{line}:{day}",
        "source": "monthend-import",
        "deployment_id": "pilot",
        "resource_kind": "hours",
        "quantity": quantity,
        "occurred_at": f"{day}T12:00:00+11:00",
    }
    UsageEventsTable("usage").record("pilot", day, [UsageEvent.model_validate(event)])
    dynamodb.update_item(
        TableName="usage",
        Key={
            "deployment_period": {"S": f"pilot#monthend-import#{event['id']}"},
            "day": {"S": "event"},
        },
        UpdateExpression="REMOVE deployment_id, resource_kind, counted_on, quantity",
    )


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        ("a,b\n", "", "april.csv:1: "),
        (DAYS, "--quantity 1", "--quantity: cannot go with the others"),
        (DAYS, f"--id {'x' * 46}", "--id: must have at most 45 characters"),
        (DAYS, "--id a/b", "--id: String should match pattern"),
        (DAYS, "--source a/b", "--source: must be up to 64 of"),
        (EVENTS, "--source a", "--source: the events of "),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_two(
    april: Path, capsys: Said, text: str, words: str, says: str
) -> None:
    april.write_text(text)
    assert main(["usage", "correct", str(april), *WHY, *words.split()]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert says in line
    assert totals(UsageTable("usage")) == COUNTED
