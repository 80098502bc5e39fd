"""What a measure answers: rows, each with its spread and, where one is promised, its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any


class Verdict(StrEnum):
    """A row against its target; `info` has none and can never fail a run."""

    STRETCH = "stretch"
    MET = "met"
    MISSED = "MISSED"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Target:
    """The most that a median may be, what is hoped for, and the sentence that says so."""

    limit: float
    stretch: float | None
    source: str

    def verdict(self, value: float) -> Verdict:
        """Where a value stands; a limit is met by what equals it."""
        if self.stretch is not None and value <= self.stretch:
            return Verdict.STRETCH
        return Verdict.MET if value <= self.limit else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle and the most of what was measured."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of repeated measurements, one at least."""
        return cls(min(values), median(values), max(values))

    @classmethod
    def counted(cls, value: float) -> "Spread":
        """A count, which is the same every time."""
        return cls(value, value, value)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; the median is what a target judges."""

    group: str
    name: str
    spread: Spread
    unit: str
    detail: str = ""
    target: Target | None = None

    @property
    def verdict(self) -> Verdict:
        """The target's verdict, or `info`."""
        return self.target.verdict(self.spread.middle) if self.target else Verdict.INFO

    def document(self) -> dict[str, Any]:
        """The row as plain values for JSON."""
        target = self.target
        return {
            "group": self.group,
            "name": self.name,
            "min": self.spread.least,
            "median": self.spread.middle,
            "max": self.spread.most,
            "unit": self.unit,
            "detail": self.detail,
            "limit": target.limit if target else None,
            "stretch": target.stretch if target else None,
            "target": target.source if target else None,
            "verdict": self.verdict.value,
        }


class InvalidBenchmark(Exception):
    """The two sides did not do the same work, or a measured piece failed: no figure is shown."""
