"""`python -m benchmarks.scale`: its arguments, its exit codes, and what it shows."""

import json
from pathlib import Path

import pytest

from benchmarks.harness.results import InvalidBenchmark
from benchmarks.scale import __main__ as command
from benchmarks.scale.paper import simulate
from benchmarks.scale.real import run as real_run
from local.environment import LocalError
from local.stack import LocalStack
from tests.unit.benchmarks.scale.test_paper import SCENARIO


def test_without_words_it_is_a_million_tenants_on_new_tables() -> None:
    arguments = command.arguments_of(["simulate"])
    assert (arguments.tenants, arguments.concurrency, arguments.warm) == (1_000_000, None, False)


def test_a_real_run_is_two_thousand_tenants() -> None:
    assert command.arguments_of(["run"]).tenants == 2_000


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["simulate", "--tenants", "0"], "must be 1 to 100,000,000"),
        (["simulate", "--concurrency", "1"], "must be 2 to 1,000"),
        (["run", "--tenants", "50000"], "must be 1 to 20,000"),
        (["run", "--tenants", "many"], "invalid number value: 'many'"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    words: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.arguments_of(words)
    assert fault in capsys.readouterr().err


def test_a_million_may_be_written_with_commas() -> None:
    assert command.arguments_of(["simulate", "--tenants", "2,000,000"]).tenants == 2_000_000


def test_the_paper_month_end_is_shown_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "scenario_here", lambda *_: SCENARIO)
    monkeypatch.setattr(simulate, "RESULTS", tmp_path / "scale.json")
    assert command.main(["simulate"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "1,000,000 tenants on AWS, on paper: the first month, new tables",
        "Bottleneck: rollup_tenant. The target of 15 min is met by",
        "Minutes by tenants",
        "Minutes by RollupConcurrency",
        "Not measured, only assumed",
    ):
        assert part in shown
    written = json.loads((tmp_path / "scale.json").read_text())
    assert written["bottleneck"] == "rollup_tenant"
    assert written["scenario"]["limits"]["vcpu_mb"] == 1000
    assert written["dollars"] == pytest.approx(sum(line["dollars"] for line in written["cost"]))


def test_what_cannot_be_measured_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise InvalidBenchmark("a tenant failed")

    monkeypatch.setattr(command, "scenario_here", fail)
    assert command.main(["simulate"]) == 1
    assert capsys.readouterr().err == "scale: a tenant failed\n"


def test_a_run_that_is_not_as_promised_fails_and_stops_its_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped: list[bool] = []

    def fail(*_: object) -> None:
        raise LocalError("1,999 invoices")

    monkeypatch.setattr(real_run, "bring_up", fail)
    monkeypatch.setattr(LocalStack, "stop", lambda _: stopped.append(True))
    assert command.main(["run", "--tenants", "5"]) == 1
    assert capsys.readouterr().err == "scale: 1,999 invoices\n"
    # Once before, in case one was left running, and once after.
    assert stopped == [True, True]
