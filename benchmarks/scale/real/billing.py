"""Bills thousands of tenants on a local stack: fires the run, follows, counts and checks it."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import mean
from typing import Any

from benchmarks.scale.real.customers import PERIOD, RECEIVED_AT, totals, write_files
from benchmarks.scale.real.watch import RoleTimes, Watch
from local import processes
from local.environment import LocalError
from local.month_end import fire
from local.stack import STACK_NAME, LocalStack

POLL_SECONDS = 0.5
RUN_SECONDS = 240.0
LOG_SECONDS = 5.0
FIRST, AGAIN = "scale-first", "scale-again"
STAMP = "%Y-%m-%d %H:%M:%S,%f%z"


@dataclass(frozen=True, slots=True)
class TimedMonthEnd:
    """A run's seconds since the start was invoked, and what each role used meanwhile.

    `outcomes` are those in the log. On a busy machine the emulator can leave out the last line of
    a worker, so their number proves nothing; the invoices do.
    """

    sent: int
    start_seconds: float
    first_done: float
    average_done: float
    seconds: float
    outcomes: Mapping[str, int]
    taken: Mapping[str, RoleTimes]


def command(stack: LocalStack, name: str, *words: str) -> None:
    """Runs a `monthend` command against the stack; raises LocalError with the end of its log."""
    everything = [sys.executable, "-m", "cli", "--stack", STACK_NAME, *words]
    processes.run(everything, stack.environment, stack.directory / f"{name}.log", name)


def load(stack: LocalStack, tenants: int) -> None:
    """Stores the catalogue and the customers, and imports their usage."""
    folder = stack.directory / "customers"
    write_files(folder, tenants)
    command(stack, "load", "load", str(folder))
    usage = str(folder / "usage.csv")
    command(stack, "usage-import", "usage", "import", "--received-at", RECEIVED_AT, usage)


def waiting(stack: LocalStack, queue: str = "rollup") -> int:
    """Returns how many messages are on a queue, in flight or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["queues"][queue], AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def log_lines(stack: LocalStack, run_id: str) -> list[dict[str, Any]]:
    """Returns the newest outcome of each tenant of a run, as `rollup_tenant` logged it."""
    function = stack.outputs["functions"]["rollup_tenant"]
    pages = stack.client("logs").get_paginator("filter_log_events")
    newest = {}
    for page in pages.paginate(logGroupName=f"/aws/lambda/{function}"):
        for event in page["events"]:
            if run_id in event["message"]:
                line = json.loads(event["message"])
                newest[line["tenant_id"]] = line
    return list(newest.values())


def month_end(stack: LocalStack, run_id: str, show: Callable[[int, int], None]) -> TimedMonthEnd:
    """Fires the schedule's target and waits until the queue is empty.

    `show` gets the numbers of messages sent and left. Raises LocalError after four minutes.
    """
    pid = int((stack.directory / "ministack.pid").read_text())
    with Watch(pid) as watch:
        began = time.time()
        sent = fire(stack, run_id)
        started = time.time()
        _follow(stack, sent, show)
        emptied = time.time()
    lines = _logged(stack, run_id, sent)
    done = [datetime.strptime(line["timestamp"], STAMP).timestamp() - began for line in lines]
    return TimedMonthEnd(
        sent=sent,
        start_seconds=started - began,
        first_done=min(done),
        average_done=mean(done),
        seconds=emptied - began,
        outcomes=Counter(line["outcome"] for line in lines),
        taken=watch.taken(),
    )


def _follow(stack: LocalStack, sent: int, show: Callable[[int, int], None]) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while left := waiting(stack):
        show(sent, left)
        if time.monotonic() > deadline:
            log = stack.directory / "ministack.log"
            text = f"after {RUN_SECONDS:.0f} s {left} of {sent} messages were left; see {log}."
            raise LocalError(text)
        time.sleep(POLL_SECONDS)
    show(sent, 0)


def _logged(stack: LocalStack, run_id: str, sent: int) -> list[dict[str, Any]]:
    """Returns the log of a run that is over; waits up to 5 s until it has every tenant."""
    deadline = time.monotonic() + LOG_SECONDS
    while len(lines := log_lines(stack, run_id)) < sent and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return lines


def invoices(stack: LocalStack) -> list[dict[str, Any]]:
    """Returns every item of the invoices table as it is stored, in the order of the keys."""
    pages = stack.client("dynamodb").get_paginator("scan")
    table = stack.outputs["tables"]["invoices"]
    items = [
        item
        for page in pages.paginate(TableName=table, ConsistentRead=True)
        for item in page["Items"]
    ]
    return sorted(items, key=lambda item: (item["tenant_id"]["S"], item["period_start"]["S"]))


def faults(items: list[dict[str, Any]], tenants: int) -> list[str]:
    """Returns what is wrong with the invoices of this many tenants; nothing if all is well."""
    expected = totals(tenants)
    if len(items) != tenants:
        return [f"{len(items)} items are in the invoices table, not {tenants}"]
    billed: dict[str, int] = {}
    for item in items:
        if item["period_start"]["S"] == f"{PERIOD}-01":
            billed[item["tenant_id"]["S"]] = int(item["total_cents"]["N"])
    return [
        f"{name}: {billed.get(name)} cents, not {cents}"
        for name, cents in expected.items()
        if billed.get(name) != cents
    ]
