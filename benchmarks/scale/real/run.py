"""`run`: its own stack, generated customers, two month-ends, and every invoice checked."""

import os
import time
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.scale.real.billing import (
    AGAIN,
    FIRST,
    TimedMonthEnd,
    faults,
    invoices,
    load,
    month_end,
    waiting,
)
from benchmarks.scale.real.customers import totals
from benchmarks.scale.real.watch import BYTES_IN_A_MB, EMULATOR, RoleTimes
from cli.terminal.tables import money
from local.environment import STATE, LocalError
from local.show import Steps
from local.stack import LocalStack

FOLDER = STATE / "scale"
SHOWN_FAULTS = 5


class NotAsExpected(LocalError):
    """An invoice is missing, is one too many, or comes to another amount."""


def expect(holds: bool, otherwise: str) -> None:
    """Raises NotAsExpected with the sentence `otherwise` unless `holds` is true."""
    if not holds:
        raise NotAsExpected(f"Not as expected: {otherwise}")


def _followed(stack: LocalStack, steps: Steps, run_id: str, title: str) -> TimedMonthEnd:
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    quiet = not steps.output.is_terminal
    with (
        steps.bare_step(title),
        Progress(*columns, console=steps.output, transient=True, disable=quiet) as progress,
    ):
        task = progress.add_task("tenants", total=None)

        def show(sent: int, left: int) -> None:
            progress.update(task, total=sent, completed=sent - left)

        return month_end(stack, run_id, show)


def rates_table(runs: Mapping[str, TimedMonthEnd]) -> Table:
    """Returns a table of how fast both month-ends were, and where a message's time went."""
    table = Table(title="Where the time went", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    for name in runs:
        table.add_column(name, justify="right")
    month_ends = runs.values()
    table.add_row("tenants", *(f"{run.sent:,}" for run in month_ends))
    table.add_row(
        "tenants/s, end to end", *(f"{run.sent / run.seconds:,.0f}" for run in month_ends)
    )
    table.add_row("seconds, end to end", *(f"{run.seconds:.1f}" for run in month_ends))
    table.add_row(
        "  start_month_end answered after", *(f"{run.start_seconds:.1f}" for run in month_ends)
    )
    table.add_row(
        "  the first tenant was done after", *(f"{run.first_done:.1f}" for run in month_ends)
    )
    waited = (run.average_done - run.start_seconds / 2 for run in month_ends)
    table.add_row("  a message waited, on average", *(f"{seconds:.1f}" for seconds in waited))
    return table


def taken_table(run: TimedMonthEnd) -> Table:
    """Returns a table of the first month-end's CPU and memory, by role."""
    table = Table(title="CPU and memory, first run", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Processes")
    for name in ("how many", "CPU, s", "CPU ms a tenant", "of all cores", "most memory, MB"):
        table.add_column(name, justify="right")
    cores = os.cpu_count() or 1
    for role, times in sorted(run.taken.items(), key=lambda entry: -entry[1].cpu):
        table.add_row(role, *_cells(times, run, cores))
    return table


def _cells(times: RoleTimes, run: TimedMonthEnd, cores: int) -> tuple[str, ...]:
    return (
        f"{len(times.pids)}",
        f"{times.cpu:.1f}",
        f"{times.cpu * 1000 / run.sent:.1f}",
        f"{times.cpu / run.seconds / cores:.0%}",
        f"{times.most_resident / BYTES_IN_A_MB:.0f}",
    )


def check_first(stack: LocalStack, run: TimedMonthEnd, tenants: int) -> str:
    """Checks that each tenant has exactly one invoice of exactly the expected amount.

    Returns a sentence that says so. Raises NotAsExpected otherwise, and if an outcome is not
    `rolled` or there is a dead letter.
    """
    stored = invoices(stack)
    wrong = faults(stored, tenants)
    expect(not wrong, "; ".join(wrong[:SHOWN_FAULTS]))
    expect(set(run.outcomes) == {"rolled"}, f"the outcomes are {dict(run.outcomes)}")
    dead = waiting(stack, "rollup_dlq")
    expect(dead == 0, f"{dead} messages are in the dead-letter queue")
    due = sum(totals(tenants).values())
    return f"Exactly {tenants:,} invoices, each to the cent: {money(due)} AUD in all."


def bring_up(stack: LocalStack, steps: Steps, tenants: int, concurrency: int | None) -> None:
    """Starts a stack, builds and deploys the template, and loads the customers."""
    parameters = {"RollupConcurrency": str(concurrency)} if concurrency else {}
    with steps.step("Start a local AWS, build and deploy the template"):
        stack.start()
        stack.deploy(**parameters)
    with steps.step(f"Load {tenants:,} tenants, their subscriptions and their usage"):
        load(stack, tenants)


def tell(stack: LocalStack, steps: Steps, tenants: int) -> None:
    """Runs two month-ends on a loaded stack, checks them and shows them."""
    first = _followed(stack, steps, FIRST, "Month-end")
    with steps.step("Read and check every invoice"):
        checked = check_first(stack, first, tenants)
        before = invoices(stack)
    again = _followed(stack, steps, AGAIN, "Month-end, a second time")
    expect(set(again.outcomes) == {"skipped"}, f"the second run: {dict(again.outcomes)}")
    expect(invoices(stack) == before, "the second run changed an invoice")
    steps.output.print(rates_table({"first run": first, "second run": again}))
    steps.output.print(taken_table(first))
    steps.say(f"{checked} The second run skipped all of them and changed not a byte.")
    steps.say(limit(first))


def limit(run: TimedMonthEnd) -> str:
    """Returns how busy the run kept the processors, and what they could do at most."""
    cores, cpu = os.cpu_count() or 1, sum(times.cpu for times in run.taken.values())
    if not cpu:
        return "CPU and memory are not measured here: there is no /proc."
    emulator = run.taken.get(EMULATOR, RoleTimes()).cpu
    return (
        f"The run kept {cpu / run.seconds / cores:.0%} of {cores} processors busy (load average"
        f" {os.getloadavg()[0]:.1f}, with whatever else ran here), the emulator itself"
        f" {emulator / cpu:.0%} of that. With nothing but CPU to wait for, these processors could"
        f" do {cores * run.sent / cpu:,.0f} tenants/s. It is the emulator that was measured,"
        " and not AWS."
    )


def real_run(console: Console, tenants: int, concurrency: int | None) -> None:
    """Does all of this and stops the stack; raises LocalError if anything is not as promised."""
    steps, stack = Steps(console), LocalStack(FOLDER, auth=False)
    began = time.monotonic()
    stack.stop()
    try:
        bring_up(stack, steps, tenants, concurrency)
        tell(stack, steps, tenants)
    finally:
        stack.stop()
    steps.say(f"Everything is stopped, after {time.monotonic() - began:.0f} s.")
