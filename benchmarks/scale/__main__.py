"""`python -m benchmarks.scale simulate|run`: exits 1 if something is not as it should be."""

import argparse
import sys
from collections.abc import Callable, Sequence

from benchmarks.harness.results import InvalidBenchmark
from benchmarks.scale.measured.measured import FULL, ONCE
from benchmarks.scale.paper.model import LEAST_CONCURRENCY, MOST_CONCURRENCY
from benchmarks.scale.paper.simulate import scenario_here, simulate
from benchmarks.scale.real.customers import MOST_TENANTS
from benchmarks.scale.real.run import real_run
from cli.terminal.tables import console
from local.environment import LocalError
from local.interrupts import Interrupted, interruptible

MILLION = 1_000_000
MOST_ON_PAPER = 100 * MILLION
USUAL_RUN = 2_000


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text.replace(",", "").replace("_", ""))
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be {least:,} to {most:,}, not {text}")
        return value

    return number


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    about = "a month-end on paper: minutes, bottleneck and cost, from what one tenant costs here"
    paper = commands.add_parser("simulate", help=about, description=about)
    paper.add_argument("--tenants", type=_number(1, MOST_ON_PAPER), default=MILLION)
    paper.add_argument(
        "--warm", action="store_true", help="a year on, with tables that have grown"
    )
    paper.add_argument(
        "--once",
        action="store_true",
        help="measure once, only to show that it all works; nothing is written",
    )
    about = "bill generated tenants on a local stack, and check every invoice"
    real = commands.add_parser("run", help=about, description=about)
    real.add_argument("--tenants", type=_number(1, MOST_TENANTS), default=USUAL_RUN)
    for command in (paper, real):
        command.add_argument(
            "--concurrency",
            type=_number(LEAST_CONCURRENCY, MOST_CONCURRENCY),
            help="RollupConcurrency",
        )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 with a sentence on standard error; if interrupted, that signal's code."""
    arguments = arguments_of(words)
    try:
        with interruptible():
            if arguments.command == "run":
                real_run(console(), arguments.tenants, arguments.concurrency)
            else:
                output = console()
                with output.status("Measuring what one tenant costs ..."):
                    scenario = scenario_here(
                        arguments.tenants,
                        arguments.concurrency,
                        arguments.warm,
                        ONCE if arguments.once else FULL,
                    )
                simulate(output, scenario, keep=not arguments.once)
    except (LocalError, InvalidBenchmark) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("\nStopped, as asked.", file=sys.stderr)
        return interrupted.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
