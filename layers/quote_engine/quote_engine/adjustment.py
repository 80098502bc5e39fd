"""Adjustment lines: amounts that belong to an earlier period."""

from quote_engine.limits import cents_fault, named, text_fault
from quote_engine.quote import Line
from quote_engine.text import cents_text


def adjustment_line(
    description: str, deployment_id: str | None, resource_kind: str | None, amount_cents: int
) -> Line:
    """Returns a line of quantity 1 at an amount in cents, which may be negative."""
    dollars = cents_text(amount_cents)
    return Line(
        "adjustment", description, deployment_id, resource_kind, "1", "", dollars, amount_cents
    )


def adjustment_faults(line: Line) -> list[str]:
    """Returns why a line is not one that `adjustment_line` makes; nothing if it is."""
    deployment_id, kind, cents = line.deployment_id, line.resource_kind, line.amount_cents
    faults = named(
        description=text_fault(line.description),
        deployment_id=None if deployment_id is None else text_fault(deployment_id),
        resource_kind=None if kind is None else text_fault(kind),
        amount_cents=cents_fault(cents),
    )
    if not faults and line != adjustment_line(line.description, deployment_id, kind, cents):
        faults = ["must be an adjustment of quantity 1 at its amount, without a unit"]
    return [f"adjustments: {fault}" for fault in faults]


def adjustments_in_order(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Sorts by deployment, resource kind, text and cents: the given order changes no invoice."""

    def rank(line: Line) -> tuple[str, str, str, int]:
        return (
            line.deployment_id or "",
            line.resource_kind or "",
            line.description,
            line.amount_cents,
        )

    return tuple(sorted(lines, key=rank))
