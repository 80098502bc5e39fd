"""A handler's cost before its first event, beside a process that makes a botocore client.

CPU time is judged: an import keeps one core busy, and CPU time does not count what else the
machine does meanwhile. A bare interpreter's start is subtracted from both sides.
"""

import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.harness.fresh_start import BARE, FreshStart, StartTimes, run
from benchmarks.harness.results import Row, Spread, Target
from benchmarks.harness.targets import COLD_START
from benchmarks.measures.packages import FunctionPackage, functions, is_built
from local.environment import ROOT

GROUP = "Cold start (CPU, x a botocore DynamoDB client)"
ROLLUP = "rollup_tenant"
# What a function makes for its first event; the others make theirs from the same parts.
FIRST_USE = {ROLLUP: "handler._rollup()"}
CLIENT = 'import botocore.session as s; s.get_session().create_client("dynamodb")'
SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
LAYERS = tuple(ROOT / "layers" / name for name in ("invoicing", "quote_engine"))
BOTOCORE = FreshStart("botocore", CLIENT, (SITE_PACKAGES,))

type Runs = dict[FreshStart, list[StartTimes]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A start and its peer, under the name that the table shows."""

    name: str
    start: FreshStart
    peer: FreshStart
    target: Target | None = None


def comparisons(function: FunctionPackage) -> list[Comparison]:
    """Returns a function's comparisons: from its sources and, if it is built, as it ships."""
    label = f"{function.name}: import{' + client' if function.name in FIRST_USE else ''}"
    program = f"import handler; {FIRST_USE.get(function.name, 'pass')}"
    target = COLD_START if function.name == ROLLUP else None
    sources = FreshStart(label, program, (function.source, *LAYERS, SITE_PACKAGES))
    compared = [Comparison(f"{label}, sources", sources, BOTOCORE, target)]
    if is_built(function):
        code, *folders = function.built_folders()
        layers = tuple(folder / "python" for folder in folders)
        built = FreshStart(label, program, (code, *layers), shipped=True)
        compared.append(Comparison(f"{label}, as built", built, BOTOCORE, target))
        if target:
            trimmed = FreshStart("the layer's botocore", CLIENT, layers, shipped=True)
            compared.append(
                Comparison("the same, x the layer's own trimmed botocore", built, trimmed)
            )
    return compared


def cold_start_rows(runs: int, others_runs: int) -> list[Row]:
    """Measures all functions' starts. The rollup's is judged, from sources and as built.

    Each round makes every start once; functions that only inform take part in the first rounds.
    """
    rollup, others = _all_comparisons(with_others=others_runs > 0)
    times: Runs = {start: [] for start in _starts([*rollup, *others])}
    for start in times:
        if not start.shipped:
            run(start)  # compiles what has not been compiled yet
    for number in range(runs):
        for start in _starts([*rollup, *others] if number < others_runs else rollup):
            times[start].append(run(start))
    bare = _middle(times[BARE])
    return [_row(comparison, times, bare) for comparison in (*rollup, *others)]


def _all_comparisons(with_others: bool) -> tuple[list[Comparison], list[Comparison]]:
    rollup: list[Comparison] = []
    others: list[Comparison] = []
    for function in functions():
        if function.name == ROLLUP:
            rollup += comparisons(function)
        elif with_others:
            others += comparisons(function)
    return rollup, others


def _starts(compared: Sequence[Comparison]) -> list[FreshStart]:
    """Returns each start once, a peer before the starts that are compared with it."""
    pairs = [start for comparison in compared for start in (comparison.peer, comparison.start)]
    return list(dict.fromkeys((BARE, *pairs)))


def _middle(times: Sequence[StartTimes]) -> StartTimes:
    return StartTimes(median(time.cpu for time in times), median(time.wall for time in times))


def _row(compared: Comparison, times: Runs, bare: StartTimes) -> Row:
    ours = [time.less(bare) for time in times[compared.start]]
    theirs = [time.less(bare) for time in times[compared.peer]][: len(ours)]
    spread = Spread.of([mine.cpu / peer.cpu for mine, peer in zip(ours, theirs, strict=True)])
    mine, peer = _middle(ours), _middle(theirs)
    clock = f"{mine.wall / peer.wall:.2f} x by the clock"
    detail = f"{mine.cpu * 1000:.0f} ms against {peer.cpu * 1000:.0f} ms; {clock}"
    return Row(GROUP, compared.name, spread, "x", detail, compared.target)
