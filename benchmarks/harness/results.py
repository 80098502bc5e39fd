"""The rows that measures return, each with its spread and, if one is promised, its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any


class Verdict(StrEnum):
    """How a row compares with its target; `info` rows have none and can never fail a run."""

    STRETCH = "stretch"
    MET = "met"
    MISSED = "MISSED"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Target:
    """The most that a median may be, the value hoped for, and the sentence that promises it."""

    limit: float
    stretch: float | None
    source: str

    def verdict(self, value: float) -> Verdict:
        """Returns the verdict on a value; a value equal to a limit meets it."""
        if self.stretch is not None and value <= self.stretch:
            return Verdict.STRETCH
        return Verdict.MET if value <= self.limit else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the most of the measured values."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Returns the spread of repeated measurements, at least one."""
        return cls(min(values), median(values), max(values))

    @classmethod
    def counted(cls, value: float) -> "Spread":
        """Returns the spread of a count, which is the same every time."""
        return cls(value, value, value)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; a target judges its median."""

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

    def as_json(self) -> dict[str, Any]:
        """Returns the row as plain values for JSON."""
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
