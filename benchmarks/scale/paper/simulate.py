"""`simulate`: measures, works a month-end out, shows it, and writes it to a file."""

import json
from dataclasses import asdict

from rich.console import Console

from benchmarks.harness.environment import enter
from benchmarks.scale.measured.measured import FULL, Thoroughness, measure
from benchmarks.scale.paper.cost import around_costs, costs, total
from benchmarks.scale.paper.deployment import deployment
from benchmarks.scale.paper.model import Scenario, run
from benchmarks.scale.paper.parameters import Assumptions, Limits, Prices
from benchmarks.scale.paper.show import (
    by_concurrency,
    by_tenants,
    cost_table,
    measured_table,
    need_table,
    parameter_table,
    say_not_measured,
    stage_table,
    verdict,
)
from benchmarks.scale.paper.stages import needs, stages
from local.environment import STATE

RESULTS = STATE / "scale.json"


def scenario_here(
    tenants: int, concurrency: int | None, warm: bool, how: Thoroughness = FULL
) -> Scenario:
    """Measures now and returns a scenario of the template as it stands."""
    enter()
    deployed = deployment()
    return Scenario(
        tenants=tenants,
        concurrency=concurrency or deployed.concurrency,
        warm=warm,
        deployment=deployed,
        measured=measure(deployed.batch, how),
        limits=Limits(),
        assumed=Assumptions(),
    )


def simulate(console: Console, scenario: Scenario, keep: bool = True) -> None:
    """Prints everything; to `keep` it writes `.local/scale.json`."""
    prices, worked_out = Prices(), run(scenario)
    alone = stages(scenario)
    billed = costs(scenario, prices, worked_out.seconds)
    billed_around = around_costs(scenario, prices)
    console.print(stage_table(scenario, alone, worked_out))
    console.print(verdict(scenario, worked_out), "")
    console.print(cost_table("Cost of the month-end", billed))
    console.print(cost_table("Cost of what surrounds it", billed_around))
    console.print(need_table(needs(scenario), scenario.deployment.concurrency))
    for chart in (by_tenants(scenario), by_concurrency(scenario)):
        console.print(chart, "")
    console.print(measured_table(scenario))
    console.print(parameter_table((scenario.limits, prices, scenario.assumed)))
    say_not_measured(console)
    if not keep:
        return
    results = {
        "scenario": asdict(scenario),
        "prices": asdict(prices),
        "seconds": worked_out.seconds,
        "limited_by": worked_out.limited_by,
        "bottleneck": worked_out.bottleneck,
        "stages": [asdict(stage) for stage in alone],
        "cost": [asdict(line) for line in billed],
        "dollars": total(billed),
        "cost_around": [asdict(line) for line in billed_around],
        "dollars_around": total(billed_around),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(f"\nWritten to {RESULTS.parent.name}/{RESULTS.name}.")
