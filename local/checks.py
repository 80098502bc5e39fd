"""`python -m local.checks fast|all`: runs the checks in turn, then sums up results and times.

All checks run even if one fails, so that one run shows everything that is wrong.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.terminal.tables import console
from local.environment import REGION, ROOT, for_build, tool


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its name for people, and a command that fails when something is wrong."""

    name: str
    command: Sequence[str | Path]


def _python(*arguments: str) -> list[str | Path]:
    return [sys.executable, "-m", *arguments]


def fast_checks() -> list[Check]:
    """Returns the checks that a developer runs before every commit."""
    validate: list[str | Path] = [
        tool(".tools/sam", "sam"),
        "validate",
        "--lint",
        "--region",
        REGION,
    ]
    # The coverage run leaves out the property tests: counting would triple their time.
    engine_tests = (
        "tests/unit/quote_engine",
        "--ignore=tests/unit/quote_engine/test_properties.py",
    )
    simulate = ("benchmarks.scale", "simulate", "--once", "--tenants", "1000")
    coverage = ("pytest", *engine_tests, "-q", "-n2", "--cov", "--cov-report=term-missing")
    return [
        Check("Style (ruff check)", _python("ruff", "check")),
        Check("Layout of the code (ruff format)", _python("ruff", "format", "--check")),
        Check("Types (mypy, strict)", _python("mypy", ".")),
        Check(
            "Directions of import (import-linter)", [tool(".venv", "lint-imports"), "--no-logo"]
        ),
        Check("Template (sam validate --lint)", validate),
        Check("A month-end on paper, measured in small", _python(*simulate)),
        Check("Full coverage of quote_engine (pytest)", _python(*coverage)),
        Check("Unit tests and properties (pytest)", _python("pytest", "tests/unit", "-q", "-n2")),
    ]


def all_checks() -> list[Check]:
    """Returns the fast checks, then those that need AWS: in process, then their own local AWS."""
    real = ("benchmarks.scale", "run", "--tenants", "20")
    return [
        *fast_checks(),
        Check(
            "Integration tests: events in, moto out",
            _python("pytest", "tests/integration", "-q", "-n", "auto"),
        ),
        Check(
            "Simulation: month-ends under faults, 300 seeds",
            _python("pytest", "tests/simulation", "-q", "-n2", "--dist", "worksteal"),
        ),
        Check("The demo: April's month-end, checked as it goes", _python("local", "demo")),
        Check("Benchmarks, each once", _python("benchmarks", "--once")),
        Check("A month-end of twenty tenants, each checked", _python(*real)),
        Check("End-to-end tests: the deployed template", _python("pytest", "tests/e2e", "-q")),
    ]


def _run(check: Check, output: Console) -> tuple[bool, float]:
    output.rule(f"[bold]{check.name}", align="left")
    # The child writes to the same output but bypasses this console's buffer.
    sys.stdout.flush()
    began = time.monotonic()
    code = subprocess.run(
        check.command, cwd=ROOT, env=for_build(), stdin=subprocess.DEVNULL, check=False
    ).returncode
    return code == 0, time.monotonic() - began


def _summary(results: Sequence[tuple[str, bool, float]]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("Check")
    table.add_column("Result")
    total = sum(seconds for _, _, seconds in results)
    table.add_column("Seconds", f"{total:.1f}", justify="right")
    for name, passed, seconds in results:
        table.add_row(name, "[green]passed" if passed else "[bold red]FAILED", f"{seconds:.1f}")
    return table


def main(scope: str) -> int:
    """Runs the checks of a scope, `fast` or `all`; returns 0 if every check passes, else 1."""
    output = console()
    checks = all_checks() if scope == "all" else fast_checks()
    results = [(check.name, *_run(check, output)) for check in checks]
    output.rule("[bold]Summary", align="left")
    output.print(_summary(results))
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
