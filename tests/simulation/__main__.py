"""`python -m tests.simulation`: months of month-ends under faults, seed by seed."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.aws.faults import Fault
from tests.simulation.guards import GUARDS, first_violation
from tests.simulation.stage.report import InvariantViolated, replay_command
from tests.simulation.story import tell
from tests.simulation.world.functions import Functions, simulated_functions

PROGRESS_SECONDS = 5.0


def main() -> int:
    """Returns 0, or 1 if a seed breaks an invariant or nothing notices that a guard is gone."""
    arguments = _arguments()
    with simulated_functions() as functions:
        if arguments.guards is not None:
            return _without_guards(arguments.guards, arguments.seeds, functions)
        if arguments.seed is not None:
            return 0 if _run_seed(arguments.seed, functions, arguments.verbose) else 1
        return many(arguments.first, arguments.seeds, functions)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds (default: 300)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument(
        "--guards",
        nargs="?",
        const="",
        metavar="WORDS",
        help="take the guards with these words in their name away in turn: which is noticed?",
    )
    parser.add_argument("--verbose", action="store_true", help="every step, as it happens")
    return parser.parse_args()


def _run_seed(seed: int, functions: Functions, aloud: bool) -> bool:
    try:
        outcome = tell(seed, functions, aloud=aloud)
    except InvariantViolated as error:
        _print_failure(seed, error)
        return False
    print(f"seed {seed}: {outcome.steps} AWS calls, {outcome.faults.total()} faults, no violation")
    return True


def _print_failure(seed: int, error: InvariantViolated) -> None:
    print(*getattr(error, "__notes__", ()), sep="\n")
    print(f"\nseed {seed} breaks {error}\nreplay it: {replay_command(seed)}")


def many(first: int, count: int, functions: Functions) -> int:
    """Runs seeds in a row and prints progress; returns 1 at the first that breaks an invariant."""
    began = reported = time.monotonic()
    steps, faults = 0, Counter[tuple[Fault, str]]()
    for seed in range(first, first + count):
        try:
            outcome = tell(seed, functions)
        except InvariantViolated as error:
            _print_failure(seed, error)
            return 1
        steps += outcome.steps
        faults += outcome.faults
        if time.monotonic() - reported > PROGRESS_SECONDS:
            reported = time.monotonic()
            done = seed + 1 - first
            print(f"{done} of {count} seeds, {done / (reported - began):.1f} a second", flush=True)
    seconds = time.monotonic() - began
    print(
        f"{count} seeds from {first} in {seconds:.0f} s ({count / seconds:.1f} a second): ", end=""
    )
    print(f"{steps} AWS calls, {faults.total()} faults, no invariant broken")
    for (fault, operation), hits in sorted(faults.items()):
        print(f"  {hits:6} {fault}: {operation}")
    return 0


def _without_guards(words: str, seeds: int, functions: Functions) -> int:
    """Prints the rows of the table in docs/reliability.md."""
    missed = 0
    for guard in (guard for guard in GUARDS if words in guard):
        violation = first_violation(guard, seeds, functions)
        missed += violation is None
        cells = f"{violation[1].invariant} | {violation[0] + 1}" if violation else "nothing |"
        print(f"| {guard} | {cells} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
