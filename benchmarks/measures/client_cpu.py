"""CPU time of one persisted invoice, beside the same DynamoDB calls by botocore alone."""

from statistics import median

from benchmarks.dynamodb.recorded import Recording
from benchmarks.dynamodb.replay import plain_client, repeat_calls, replayed_rollup
from benchmarks.harness.results import Row, Spread
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from benchmarks.workloads.subject import message

GROUP = "Invoice, persisted (CPU, x plain botocore calls)"
ROLLUP, BOTOCORE = "Rollup.roll_up(), warm", "botocore"
US_IN_A_MS = 1_000


def cpu_rows(recording: Recording, effort: Effort) -> list[Row]:
    """Returns a row that only informs: the promise is about other systems, not measured here."""
    warm = recording.warm
    with replayed_rollup(recording) as rollup:
        cases = [
            Case(ROLLUP, rollup.roll_up, message(warm.tenant_id)),
            Case(BOTOCORE, repeat_calls, (plain_client(recording), warm.calls)),
        ]
        measured = interleaved(cases, effort)
    ours, theirs = measured[ROLLUP], measured[BOTOCORE]
    detail = f"{_ms(ours)} ms against {_ms(theirs)} ms; all but the network"
    return [Row(GROUP, ROLLUP, Spread.of(ratios(ours, theirs)), "x", detail)]


def _ms(taken_us: list[float]) -> str:
    return f"{median(taken_us) / US_IN_A_MS:.2f}"
