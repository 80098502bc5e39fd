"""DynamoDB's update expressions: SET, REMOVE and ADD."""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact
from functools import cache

from tests.simulation.aws.expressions import (
    ExpressionReader,
    Item,
    NotModelled,
    Operand,
    Scope,
    Value,
    attribute,
)

type Action = Callable[[Scope, dict[str, Value]], None]
# DynamoDB's numbers have 38 digits.
EXACT = Context(prec=38, traps=[Inexact])
CLAUSES = ("set", "remove", "add")


def number(value: Decimal) -> Value:
    """Returns a number as DynamoDB does: no exponent, no trailing zeros."""
    text = format(value, "f")
    return {"N": text.rstrip("0").rstrip(".") if "." in text else text}


def updated(item: Item, text: str, names: Mapping[str, str], values: Mapping[str, Value]) -> Item:
    """Returns the item after the update. Every operand is read from the item before it."""
    scope, after = Scope(item, names, values), dict(item)
    for action in _read(text):
        action(scope, after)
    return after


@cache
def _read(text: str) -> tuple[Action, ...]:
    reader = ExpressionReader(text)
    actions: list[Action] = []
    while reader.peek():
        clause = reader.take(*CLAUSES).lower()
        actions.append(_action(reader, clause))
        while reader.peek() == ",":
            reader.take()
            actions.append(_action(reader, clause))
    return tuple(actions)


def _action(reader: ExpressionReader, clause: str) -> Action:
    name = reader.take()
    if clause == "remove":
        return _remove(name)
    if clause == "add":
        return _add(name, reader.operand())
    reader.take("=")
    operand = reader.operand()
    if reader.peek() in ("+", "-"):
        sign = 1 if reader.take() == "+" else -1
        operand = _sum(operand, reader.operand(), sign)
    return _set(name, operand)


def _remove(name: str) -> Action:
    def remove(scope: Scope, after: dict[str, Value]) -> None:
        after.pop(attribute(name, scope.names), None)

    return remove


def _add(name: str, operand: Operand) -> Action:
    def add(scope: Scope, after: dict[str, Value]) -> None:
        key = attribute(name, scope.names)
        before = scope.item.get(key, {"N": "0"})
        after[key] = _total(before, operand(scope), 1)

    return add


def _sum(left: Operand, right: Operand, sign: int) -> Operand:
    return lambda scope: _total(left(scope), right(scope), sign)


def _total(left: Value | None, right: Value | None, sign: int) -> Value:
    if left is None or right is None or "N" not in left or "N" not in right:
        raise NotModelled("a sum of what is no number")
    return number(EXACT.add(Decimal(left["N"]), sign * Decimal(right["N"])))


def _set(name: str, operand: Operand) -> Action:
    def assign(scope: Scope, after: dict[str, Value]) -> None:
        value = operand(scope)
        if value is None:
            raise NotModelled(f"SET {name} to an attribute that is not there")
        after[attribute(name, scope.names)] = value

    return assign
