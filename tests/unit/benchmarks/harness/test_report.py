"""Targets, verdicts, and what the command prints and returns."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.harness import report
from benchmarks.harness.results import InvalidBenchmark, Row, Spread, Target, Verdict

TARGET = Target(limit=20, stretch=15, source="At most 20; stretch 15.")


def row(value: float, target: Target | None = TARGET) -> Row:
    return Row("group", "measure", Spread.counted(value), "x", "detail", target)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (15, Verdict.STRETCH),
        (15.01, Verdict.MET),
        (20, Verdict.MET),
        (20.01, Verdict.MISSED),
    ],
)
def test_a_median_is_held_against_the_target_and_the_stretch(
    value: float, verdict: Verdict
) -> None:
    assert row(value).verdict is verdict


def test_a_row_without_a_target_informs_and_never_fails_a_run() -> None:
    rows = [row(1_000, target=None)]
    assert rows[0].verdict is Verdict.INFO
    assert report.missed(rows) == []


def test_the_median_is_judged_and_not_the_worst_round() -> None:
    spread = Spread.of([30, 10, 12])
    assert (spread.least, spread.middle, spread.most) == (10, 12, 30)
    assert Row("group", "measure", spread, "x", "", TARGET).verdict is Verdict.STRETCH


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[list[Row]], int]:
    """Runs the command with these rows as its measurements; it writes to the test's own folder."""

    def with_rows(rows: list[Row]) -> int:
        monkeypatch.setattr(command, "enter", lambda: None)
        monkeypatch.setattr(command, "build_note", lambda: "a note")
        monkeypatch.setattr(command, "measure", lambda scale: rows)
        monkeypatch.setattr(command, "RESULTS", tmp_path / "bench.json")
        return command.main(["--quick"])

    return with_rows


def test_a_run_that_meets_its_targets_returns_0_and_writes_what_it_shows(
    run: Callable[[list[Row]], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([row(12), row(99, target=None)]) == 0
    written = json.loads((tmp_path / "bench.json").read_text())
    assert [entry["verdict"] for entry in written["rows"]] == ["stretch", "info"]
    assert written["rows"][0]["target"] == "At most 20; stretch 15."
    assert (written["quick"], written["notes"]) == (True, ["a note"])
    assert "12.00" in capsys.readouterr().out


def test_a_missed_target_returns_1_and_is_named(
    run: Callable[[list[Row]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([row(12), row(21)]) == 1
    assert "MISSED measure: At most 20; stretch 15." in capsys.readouterr().out


def test_what_cannot_be_measured_returns_1_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> list[Row]:
        raise InvalidBenchmark("the two sides differ")

    monkeypatch.setattr(command, "enter", lambda: None)
    monkeypatch.setattr(command, "measure", fail)
    assert command.main([]) == 1
    assert "the two sides differ" in capsys.readouterr().err


def test_help_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    assert "--quick" in capsys.readouterr().out
