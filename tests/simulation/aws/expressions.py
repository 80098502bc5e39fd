"""DynamoDB's expressions, as far as Monthend uses them. Anything else is an error, not ignored.

An expression is read into a function once, and the function is cached. `test_dynamodb_model.py`
compares these functions with moto's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

type Value = Mapping[str, Any]
"""A DynamoDB attribute value, such as `{"S": "acme"}`."""
type Item = Mapping[str, Value]

TOKEN = re.compile(r"\s*(?:([:#]?\w+)|(<>|<=|>=|[=<>(),+-]))")
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


class NotModelled(BaseException):
    """The simulation met a call that its AWS does not know. No handler may catch this."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The item, names and values that an expression is evaluated against."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Value]


type Operand = Callable[[Scope], Value | None]
type Test = Callable[[Scope], bool]


def plain(value: Value) -> Any:
    """Returns the value as Python compares it: numbers as numbers."""
    [(kind, content)] = value.items()
    return Decimal(content) if kind == "N" else content


def same(left: Value | None, right: Value | None) -> bool:
    """Whether both values are there, of the same type and equal."""
    if left is None or right is None:
        return False
    return left.keys() == right.keys() and bool(plain(left) == plain(right))


class ExpressionReader:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(_tokens(text))
        # `name = :value` terms, by which a query finds its partition.
        self.equalities: dict[str, str] = {}

    def peek(self) -> str:
        """Returns the next token in lower case; empty at the end."""
        return self._tokens[0].lower() if self._tokens else ""

    def take(self, *expected: str) -> str:
        """Takes the next token. Raises NotModelled if others are expected, or at the end."""
        if not self._tokens or (expected and self.peek() not in expected):
            raise NotModelled(f"{' or '.join(expected)} expected in {self.text!r}")
        return self._tokens.pop(0)

    def condition(self) -> Test:
        """Reads `a OR b`, where AND binds closer and NOT closest."""
        test = self._all_of()
        while self.peek() == "or":
            self.take()
            test = _either(test, self._all_of())
        return test

    def _all_of(self) -> Test:
        test = self._term()
        while self.peek() == "and":
            self.take()
            test = _both(test, self._term())
        return test

    def _term(self) -> Test:
        if self.peek() == "not":
            self.take()
            inner = self._term()
            return lambda scope: not inner(scope)
        if self.peek() == "(":
            self.take()
            test = self.condition()
            self.take(")")
            return test
        if self.peek() in ("attribute_exists", "attribute_not_exists", "begins_with"):
            return self._function()
        return self._comparison()

    def _function(self) -> Test:
        name = self.take().lower()
        self.take("(")
        path = self.operand()
        if name == "begins_with":
            self.take(",")
            prefix = self.operand()
            self.take(")")
            return lambda scope: _begins_with(path(scope), prefix(scope))
        self.take(")")
        if name == "attribute_exists":
            return lambda scope: path(scope) is not None
        return lambda scope: path(scope) is None

    def _comparison(self) -> Test:
        first = self._tokens[0] if self._tokens else ""
        left = self.operand()
        operator = self.take("=", "<>", "<", "<=", ">", ">=", "between", "in").lower()
        if operator == "between":
            low = self.operand()
            self.take("and")
            high = self.operand()
            return lambda scope: (
                _ordered(">=", left(scope), low(scope))
                and _ordered("<=", left(scope), high(scope))
            )
        if operator == "in":
            members = self.operands()
            return lambda scope: any(same(left(scope), member(scope)) for member in members)
        second = self._tokens[0] if self._tokens else ""
        right = self.operand()
        if operator == "=":
            self.equalities[first] = second
            return lambda scope: same(left(scope), right(scope))
        if operator == "<>":
            return lambda scope: not same(left(scope), right(scope))
        return lambda scope: _ordered(operator, left(scope), right(scope))

    def operands(self) -> list[Operand]:
        """Reads `(a, b, c)`."""
        self.take("(")
        operands = [self.operand()]
        while self.take(",", ")") == ",":
            operands.append(self.operand())
        return operands

    def operand(self) -> Operand:
        """Reads a value, an attribute, or `if_not_exists(attribute, value)`."""
        if self.peek() == "if_not_exists":
            self.take()
            path, otherwise = self.operands()
            return lambda scope: path(scope) or otherwise(scope)
        token = self.take()
        if token.startswith(":"):
            return lambda scope: scope.values[token]
        if not re.fullmatch(r"#?\w+", token):
            raise NotModelled(f"{token!r} in {self.text!r}")
        return lambda scope: scope.item.get(attribute(token, scope.names))

    def end(self) -> None:
        """Raises NotModelled if anything follows."""
        if self._tokens:
            raise NotModelled(f"{self._tokens[0]!r} in {self.text!r}")


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise NotModelled(f"{text[position:]!r} in {text!r}")
        position = match.end()
        yield match[1] or match[2]


def attribute(token: str, names: Mapping[str, str]) -> str:
    """Returns the attribute's own name: `#name` stands for another."""
    return names[token] if token.startswith("#") else token


def _either(left: Test, right: Test) -> Test:
    return lambda scope: left(scope) or right(scope)


def _both(left: Test, right: Test) -> Test:
    return lambda scope: left(scope) and right(scope)


def _ordered(operator: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or left.keys() != right.keys():
        return False
    return ORDERS[operator](plain(left), plain(right))


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    return value is not None and prefix is not None and value["S"].startswith(prefix["S"])


@cache
def read_condition(text: str) -> tuple[Test, Mapping[str, str]]:
    """Reads a condition, filter or key condition; returns it and its `name = :value` terms."""
    reader = ExpressionReader(text)
    test = reader.condition()
    reader.end()
    return test, reader.equalities


def holds(text: str | None, scope: Scope) -> bool:
    """Whether the condition is met. Without a condition it is."""
    return text is None or read_condition(text)[0](scope)


def read_names(text: str, names: Mapping[str, str]) -> list[str]:
    """Returns the attributes of a projection expression."""
    return [attribute(token, names) for token in _tokens(text) if token != ","]
