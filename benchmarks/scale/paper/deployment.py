"""A month-end's sizes, read from the template and the code: nothing is typed in twice."""

from dataclasses import dataclass

from invoicing.invoices.keys import SHARDS
from invoicing.month_end.send_messages import ENTRIES, THREADS
from invoicing.month_end.start import TENANTS_PER_PAGE
from local.handlers import load_handler
from local.template import resources, template

MS_IN_A_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class DeployedSizes:
    """The sizes of a deployed month-end: memory in MB, times in seconds."""

    concurrency: int
    batch: int
    rollup_mb: int
    start_mb: int
    start_window: float
    entries: int = ENTRIES
    threads: int = THREADS
    page: int = TENANTS_PER_PAGE
    shards: int = SHARDS


def deployment() -> DeployedSizes:
    """Reads the template's own figures, with every parameter at its default."""
    functions = resources("AWS::Serverless::Function")
    start, rollup = (functions[name]["Properties"] for name in ("StartMonthEnd", "RollupTenant"))
    margin = load_handler("start_month_end").MARGIN_MS / MS_IN_A_SECOND
    return DeployedSizes(
        concurrency=int(template()["Parameters"]["RollupConcurrency"]["Default"]),
        batch=rollup["Events"]["Tenants"]["Properties"]["BatchSize"],
        rollup_mb=rollup["MemorySize"],
        start_mb=start["MemorySize"],
        start_window=start["Timeout"] - margin,
    )
