"""Every measure runs, with counts too small to mean anything."""

from pathlib import Path

import pytest

from benchmarks.dynamodb.record import record
from benchmarks.dynamodb.recorded import Recording
from benchmarks.dynamodb.replay import plain_client, repeat_calls
from benchmarks.harness.environment import function_variables
from benchmarks.harness.fresh_start import BARE, FreshStart, run
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from benchmarks.measures import quotes
from benchmarks.measures.calls import call_rows
from benchmarks.measures.client_cpu import cpu_rows
from benchmarks.measures.packages import folder_bytes, functions
from benchmarks.workloads.bare_loop import bare_sums
from benchmarks.workloads.workload import BUSY, ORDINARY, bare_integers
from invoicing.foundation.dynamodb import connection

TINY = Effort(rounds=2, turns=1, turn_us=50)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording.from_json(record().to_json())


def test_the_bare_loop_rounds_half_a_cent_up() -> None:
    # 0.5 units at 1 cent are half a cent; 10 % of 5 cents is half a cent too.
    assert bare_sums((((4, 1),), ((500, 0, 100),))) == ([4, 1, 1], 5, 1, 6)


def test_the_bare_loop_bills_nothing_within_the_allowance() -> None:
    assert bare_sums(((), ((1_000, 1_000, 100),))) == ([0], 0, 0, 0)


def test_the_workload_has_five_lines_and_the_busy_one_ten() -> None:
    assert bare_sums(bare_integers(ORDINARY)) == (
        [5000, 750, 5000, 672, 1142],
        11422,
        1142,
        12564,
    )
    assert len(bare_sums(bare_integers(BUSY))[0]) == 10


def test_a_quote_that_differs_from_the_bare_loop_is_not_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quotes, "bare_sums", lambda month: ([1], 1, 0, 1))
    with pytest.raises(InvalidBenchmark, match="the bare loop"):
        quotes.checked(ORDINARY, 5)


def test_quotes_are_measured() -> None:
    rows = quotes.quote_rows(TINY)
    assert [row.name for row in rows if row.target] == [
        "price() of a ready request, 5 lines",
        "models in and out: subscriptions and request made, on a plan of the catalogue; price()",
        "JSON to JSON: parse_request(), price(), quote_json() with the fingerprint",
        "on a plan with three pooled rates",
    ]
    assert all(row.spread.least > 0 for row in rows)


def test_turns_are_taken_in_turn_and_ratios_by_round() -> None:
    seen: list[str] = []
    cases = [Case(name, seen.append, name) for name in "ab"]
    measured = interleaved(cases, Effort(rounds=3, turns=2, turn_us=1))
    assert [len(measured[name]) for name in "ab"] == [3, 3]
    assert seen[-1] == "b"
    assert ratios([10, 12], [5, 3]) == [2, 4]


def test_calls_and_units_of_a_rollup_are_counted(recording: Recording) -> None:
    counts = {row.name: row.spread.middle for row in call_rows(recording)}
    assert counts["calls, warm"] == len(recording.warm.calls)
    # The catalogue comes in the same batch as the usage: more units, not more calls.
    assert counts["calls, warm"] == counts["calls, cold: the catalogue is read too"]
    assert counts["read units, warm"] < counts["read units, cold"]
    assert counts["write units"] >= 2


def test_the_real_rollup_runs_over_the_recorded_answers(recording: Recording) -> None:
    (row,) = cpu_rows(recording, TINY)
    assert row.spread.least > 0
    assert connection.cache_info().currsize == 0


def test_a_request_that_was_not_recorded_is_refused(recording: Recording) -> None:
    client = plain_client(Recording(cold=recording.cold, warm=recording.cold))
    with pytest.raises(InvalidBenchmark, match="not recorded: Query"):
        repeat_calls((client, recording.warm.calls))
    connection.cache_clear()


def test_every_request_of_a_recording_has_an_answer(recording: Recording) -> None:
    client = plain_client(recording)
    repeat_calls((client, (*recording.cold.calls, *recording.warm.calls)))
    connection.cache_clear()


def test_a_fresh_interpreter_is_timed() -> None:
    times = run(BARE)
    assert times.cpu > 0
    assert times.wall > 0


def test_a_fresh_interpreter_that_fails_says_why() -> None:
    with pytest.raises(InvalidBenchmark, match="No module named 'nowhere'"):
        run(FreshStart("broken", "import nowhere"))


def test_functions_are_named_with_their_layers_as_the_template_has_them() -> None:
    layers = {function.name: function.layers for function in functions()}
    assert layers["rollup_tenant"] == ("QuoteEngineLayer", "InvoicingLayer")


def test_variables_come_from_the_template() -> None:
    variables = function_variables()
    assert variables["INVOICES_TABLE"] == "InvoicesTable"
    assert variables["BILLING_TIME_ZONE"] == "UTC"
    assert "AWS_ENDPOINT_URL" not in variables


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "inner" / "b").write_bytes(b"678")
    assert folder_bytes(tmp_path) == 8
