"""Somebody who looks at what counts of a month by the API, after it was corrected."""

import json
from collections import Counter
from datetime import date
from http import HTTPStatus
from typing import Any

from tests.simulation.people.producers import api_event
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.world import World


def look_at_usage(world: World, deployment_id: str, day: date) -> None:
    """I9: GET /usage shows what counts of the day's month, and each correction once."""
    label = f"{day:%Y-%m}"
    shown = _read(world, deployment_id, label)
    days = {
        (each["day"], kind): int(used)
        for each in shown["days"]
        for kind, used in each["usage"].items()
    }
    counted = {
        (when.isoformat(), kind): used
        for (where, when, kind), used in world.books.counted.items()
        if where == deployment_id and f"{when:%Y-%m}" == label
    }
    if Counter(days) != Counter(counted):
        raise InvariantViolated("I9", f"{deployment_id} {label} is shown as {days}, not {counted}")
    traces = [
        (trace.day.isoformat(), trace.name)
        for made in world.corrections.traces.values()
        for trace in made
        if trace.deployment_id == deployment_id and f"{trace.day:%Y-%m}" == label
    ]
    told = [(entry["day"], entry["id"]) for entry in shown["corrections"]]
    if sorted(told) != sorted(traces):
        raise InvariantViolated("I9", f"{deployment_id} {label} shows {told}, not {traces}")


def _read(world: World, deployment_id: str, label: str) -> Any:
    query = {"deployment_id": deployment_id, "period": label}
    now_ms = int(world.now.timestamp() * 1000)
    event = api_event("platform_admin", now_ms, queryStringParameters=query)
    answer = world.functions.usage.handler(event, None)
    if answer["statusCode"] != HTTPStatus.OK:
        errors = world.functions.usage.log.lines
        raise InvariantViolated("I9", f"no usage of {deployment_id}: {errors[-1:]}")
    return json.loads(answer["body"])
