"""An estimate for a tenant with 50 deployments: DynamoDB calls counted, CPU beside botocore's."""

import subprocess
import sys
from statistics import median

from benchmarks.dynamodb.capacity import read_units
from benchmarks.dynamodb.recorded import Recording
from benchmarks.dynamodb.replay import CannedDynamoDB, plain_client, repeat_calls
from benchmarks.harness.environment import function_settings
from benchmarks.harness.results import InvalidBenchmark, Row, Spread
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from benchmarks.workloads.estimate_subject import (
    DEPLOYMENTS,
    PROJECTED_CENTS,
    TO_DATE_CENTS,
    estimate,
)
from invoicing.foundation.dynamodb import connection
from local.environment import ROOT

GROUP = f"Estimate, a tenant with {DEPLOYMENTS} deployments"
ESTIMATE, BOTOCORE = "CPU, x plain botocore calls", "botocore"


def estimate_rows(effort: Effort) -> list[Row]:
    """Returns rows that only inform: nothing is promised about estimates."""
    recording = record_apart()
    calls = recording.warm.calls
    operations = ", ".join(call.operation for call in calls)
    return [
        Row(GROUP, "calls", Spread.counted(len(calls)), "calls", operations),
        Row(GROUP, "read units", Spread.counted(sum(map(read_units, calls))), "units"),
        _cpu_row(recording, effort),
    ]


def record_apart() -> Recording:
    """Records in a child process; raises InvalidBenchmark with the child's error output."""
    command = [sys.executable, "-m", "benchmarks.dynamodb.record_estimate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidBenchmark(f"the estimate could not be recorded:\n{done.stderr}")
    return Recording.from_json(done.stdout)


def _cpu_row(recording: Recording, effort: Effort) -> Row:
    connection.cache_clear()
    try:
        CannedDynamoDB(recording).attach(connection().client)
        settings = function_settings()
        answer = estimate(settings)
        totals = [answer[side]["total_cents"] for side in ("to_date", "projection")]
        if totals != [TO_DATE_CENTS, PROJECTED_CENTS]:
            raise InvalidBenchmark(f"estimate: {totals} cents to date and projected")
        peer = plain_client(recording), recording.warm.calls
        cases = [Case(ESTIMATE, estimate, settings), Case(BOTOCORE, repeat_calls, peer)]
        measured = interleaved(cases, effort)
    finally:
        connection.cache_clear()
    ours, theirs = measured[ESTIMATE], measured[BOTOCORE]
    our_time, their_time = (f"{median(us) / 1000:.1f} ms" for us in (ours, theirs))
    detail = f"{our_time} against {their_time}; to date and projected, all but the network"
    return Row(GROUP, ESTIMATE, Spread.of(ratios(ours, theirs)), "x", detail)
