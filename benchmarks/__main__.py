"""`python -m benchmarks [--quick | --once]`: prints a table, exits 1 if a target is missed.

Machines are noisy, so no figure is judged alone: each is a ratio to a peer that was measured in
the same run, turn by turn, or it is a count.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.dynamodb.recorded import record_apart
from benchmarks.harness import report
from benchmarks.harness.environment import enter
from benchmarks.harness.results import InvalidBenchmark, Row
from benchmarks.harness.timing import Effort
from benchmarks.measures.calls import call_rows
from benchmarks.measures.client_cpu import cpu_rows
from benchmarks.measures.cold_start import cold_start_rows
from benchmarks.measures.estimates import estimate_rows
from benchmarks.measures.packages import build_note, package_rows
from benchmarks.measures.quotes import quote_rows
from benchmarks.measures.usage import usage_rows
from cli.terminal.tables import console
from local.environment import STATE

RESULTS = STATE / "bench.json"
DESCRIPTION = """\
Measures what Monthend promises to be quick at, each thing side by side with a peer: a quote
against a bare integer loop, an invoice against the same calls by botocore alone, a cold start
against a botocore client; and counts DynamoDB calls, capacity units and package sizes."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How long each measure may take."""

    quotes: Effort
    invoice: Effort
    usage: Effort
    estimate: Effort
    rollup_starts: int
    other_starts: int


FULL = Scale(
    quotes=Effort(rounds=15, turns=20),
    invoice=Effort(rounds=15, turns=10, turn_us=10_000),
    usage=Effort(rounds=7, turns=2, turn_us=50_000),
    estimate=Effort(rounds=7, turns=2, turn_us=50_000),
    rollup_starts=15,
    # They inform and are not judged: two dozen functions, from sources and as built.
    other_starts=3,
)
QUICK = Scale(
    quotes=Effort(rounds=7, turns=10),
    invoice=Effort(rounds=7, turns=5, turn_us=10_000),
    usage=Effort(rounds=3, turns=1, turn_us=50_000),
    estimate=Effort(rounds=3, turns=1, turn_us=50_000),
    rollup_starts=3,
    other_starts=0,
)
ONCE = Scale(
    quotes=Effort(rounds=1, turns=1),
    invoice=Effort(rounds=1, turns=1),
    usage=Effort(rounds=1, turns=1),
    estimate=Effort(rounds=1, turns=1),
    rollup_starts=1,
    other_starts=0,
)


def measure(scale: Scale) -> list[Row]:
    """Measures and returns every row, in the order of the table."""
    recording = record_apart()
    return [
        *quote_rows(scale.quotes),
        *cpu_rows(recording, scale.invoice),
        *call_rows(recording),
        *usage_rows(scale.usage),
        *estimate_rows(scale.estimate),
        *cold_start_rows(scale.rollup_starts, scale.other_starts),
        *package_rows(),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 if every target is met; 1 if one is missed or nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=DESCRIPTION)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="fewer rounds: seconds, and noisier")
    how.add_argument(
        "--once",
        action="store_true",
        help="measure once, only to show that it all works; nothing is judged or written",
    )
    asked = parser.parse_args(arguments)
    enter()
    try:
        rows = measure(ONCE if asked.once else QUICK if asked.quick else FULL)
    except InvalidBenchmark as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if asked.once:
        print(f"{len(rows)} rows were measured.")
        return 0
    notes = [build_note()]
    report.write(RESULTS, rows, notes, asked.quick)
    report.show(console(), rows, notes)
    print(f"\nWritten to {RESULTS.parent.name}/{RESULTS.name}.")
    return 1 if report.missed(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
