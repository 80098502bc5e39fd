"""Shows the month-end on paper as tables and bars."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.scale.paper.cost import CostLine, total
from benchmarks.scale.paper.model import MINUTE, PaperRun, Scenario, run
from benchmarks.scale.paper.parameters import named
from benchmarks.scale.paper.stages import Need, PaperStage, saturation, target_of

BAR_WIDTH = 46
# Quantities from here on are shown without decimals.
WHOLE = 100
PARTS = (10, 4, 2, 1)
CONCURRENCIES = (25, 50, 100, 200, 500)
STATES = (("new", False), ("grown", True))

NOT_MEASURED = """\
Not measured, only assumed: DynamoDB's and SQS's latencies, what a vCPU is worth beside this
machine's core, the pollers' pause between batches, full batches of ten, retries after throttling,
and how DynamoDB splits partitions while it is written to. Not counted: free tiers, storage and
backups, polling an empty queue, custom metrics, data transfer, and the price of pre-warming; of
issuing and usage, the functions' duration and logs."""


def title(scenario: Scenario) -> str:
    """Returns one line that says which month-end is worked out."""
    state = "a year on, grown tables" if scenario.warm else "the first month, new tables"
    return (
        f"A month-end of {scenario.tenants:,} tenants on AWS, on paper: {state},"
        f" RollupConcurrency {scenario.concurrency}"
    )


def minutes(seconds: float) -> str:
    """Returns seconds as minutes with one decimal."""
    return f"{seconds / MINUTE:.1f}"


def stage_table(scenario: Scenario, stages: Sequence[PaperStage], worked_out: PaperRun) -> Table:
    """Returns a table of each stage alone, its share of the run as the scarcest, and the whole."""
    table = Table(title=title(scenario), title_justify="left", box=SIMPLE_HEAD, show_footer=True)
    table.add_column("Stage", "Together", no_wrap=True)
    table.add_column("Min", minutes(worked_out.seconds), justify="right")
    rate = scenario.tenants / worked_out.seconds
    table.add_column("Tenants/s", f"{rate:,.0f}", justify="right")
    table.add_column("Limits for", justify="right", no_wrap=True)
    table.add_column("Why not faster")
    seconds = sum(worked_out.limited_by.values())
    for stage in stages:
        share = worked_out.limited_by.get(stage.name, 0) / seconds
        style = "bold" if stage.name == worked_out.bottleneck else ""
        cells = [stage.name, minutes(stage.seconds), f"{stage.rate:,.0f}", f"{share:.0%}"]
        table.add_row(*cells, stage.limit, style=style)
    return table


def verdict(scenario: Scenario, worked_out: PaperRun) -> str:
    """Returns the bottleneck, whether the target is met, and when more workers gain nothing."""
    seconds, target = worked_out.seconds, target_of(scenario)
    outcome = "met" if seconds <= target else "missed"
    return (
        f"Bottleneck: {worked_out.bottleneck}. The target of {target // MINUTE} min is {outcome}"
        f" by {minutes(abs(target - seconds))} min.\n"
        f"From RollupConcurrency {saturation(scenario)} on a table is the limit: what is more than"
        " that is throttled and retried, and gains nothing."
    )


def need_table(needs: Iterable[Need], default: int) -> Table:
    """Returns a table of the RollupConcurrency that each target takes."""
    heading = f"RollupConcurrency that the targets take; the template's default is {default}"
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Target")
    for name in ("as assumed", "DynamoDB twice as slow", "cores half as fast"):
        table.add_column(name, justify="right")
    for need in needs:
        least = (need.as_assumed, need.slow_tables, need.slow_core)
        table.add_row(
            need.goal, *("none will do" if count is None else f"{count}" for count in least)
        )
    return table


def cost_table(heading: str, lines: list[CostLine]) -> Table:
    """Returns a table of what is billed, dearest first."""
    dollars = f"{total(lines):.2f}"
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD, show_footer=True)
    table.add_column("Item", "Total")
    table.add_column("Quantity", justify="right")
    table.add_column("Unit")
    table.add_column("US$", dollars, justify="right")
    for line in sorted(lines, key=lambda line: -line.dollars):
        amount = f"{line.quantity:,.{0 if line.quantity >= WHOLE else 2}f}"
        table.add_row(line.name, amount, line.unit, f"{line.dollars:.2f}")
    return table


def bars(heading: str, rows: Sequence[tuple[str, float]]) -> Table:
    """Returns bars, one for each row, as long as its seconds; the longest fills the width."""
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    longest = max(seconds for _, seconds in rows)
    for name, seconds in rows:
        length = max(1, round(BAR_WIDTH * seconds / longest))
        table.add_row(f"  {name} ", "\u2588" * length, f" {minutes(seconds)} min")
    return table


def by_tenants(scenario: Scenario) -> Table:
    """Returns bars: minutes for parts of the tenants and for all, on new and grown tables."""
    counts = [max(1, scenario.tenants // part) for part in PARTS]
    rows = [
        (f"{count:,} {name}", run(replace(scenario, tenants=count, warm=warm)).seconds)
        for count in counts
        for name, warm in STATES
    ]
    return bars(f"Minutes by tenants, RollupConcurrency {scenario.concurrency}", rows)


def by_concurrency(scenario: Scenario) -> Table:
    """Returns bars: minutes for some settings and the scenario's own, on new and grown tables."""
    rows = [
        (f"{count:,} {name}", run(replace(scenario, concurrency=count, warm=warm)).seconds)
        for count in sorted({*CONCURRENCIES, scenario.concurrency})
        for name, warm in STATES
    ]
    heading = f"Minutes by RollupConcurrency, {scenario.tenants:,} tenants"
    return bars(heading, rows)


def parameter_table(groups: Iterable[object]) -> Table:
    """Returns a table of every figure that was not measured, with its source."""
    table = Table(title="Parameters", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Name", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Unit")
    table.add_column("Source")
    for group in groups:
        for name, value, unit, source in named(group):
            shown = f"{value:,g}" if value >= 1 else f"{value:.10f}".rstrip("0")
            table.add_row(name, shown, unit, escape(source))
        table.add_section()
    return table


def measured_table(scenario: Scenario) -> Table:
    """Returns a table of what was measured on this machine a moment ago."""
    first, later, start = (
        scenario.measured.first,
        scenario.measured.later,
        scenario.measured.start,
    )
    table = Table(
        title="Measured on this machine (the least of several rounds)",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("One tenant's rollup")
    table.add_column("first month", justify="right")
    table.add_column(f"{later.months} invoices behind it", justify="right")
    both = (first, later)
    table.add_row("CPU of the handler, ms", *(f"{cost.cpu_ms:.2f}" for cost in both))
    table.add_row("DynamoDB calls", *(f"{len(cost.calls)}" for cost in both))
    table.add_row("read units", *(f"{sum(cost.reads.values()):g}" for cost in both))
    table.add_row("write units", *(f"{sum(cost.writes.values()):g}" for cost in both))
    table.add_row("log bytes", *(f"{cost.log_bytes:.0f}" for cost in both))
    table.add_section()
    table.add_row("The start: CPU to list a tenant, ms", f"{start.list_ms / 1000:.3f}", "")
    table.add_row("The start: CPU to send a message, ms", f"{start.send_ms / 1000:.3f}", "")
    table.add_row("A cold start's CPU, ms", f"{scenario.measured.cold_start_ms:.0f}", "")
    around = scenario.measured.around
    table.add_section()
    table.add_row("Issuing an invoice: read units", f"{around.issue_reads:g}", "")
    table.add_row("Issuing an invoice: write units", f"{around.issue_writes:g}", "")
    table.add_row("A usage event alone in its call: read units", f"{around.event_reads:g}", "")
    table.add_row("A usage event alone in its call: write units", f"{around.event_writes:g}", "")
    return table


def say_not_measured(console: Console) -> None:
    """Prints what is only assumed and what is not counted."""
    console.print(f"[dim]{NOT_MEASURED}[/]")
