"""The differences between two revisions of an invoice, line by line."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from quote_engine import Line, line_json

# Kinds whose lines may share a deployment and resource kind, so that a name tells them apart.
NAMED = frozenset(("addon", "adjustment"))


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that is new (no `before`), gone (no `after`) or different."""

    before: Line | None
    after: Line | None

    @property
    def cents(self) -> int:
        """The effect of the change on the total, in cents."""
        return (self.after.amount_cents if self.after else 0) - (
            self.before.amount_cents if self.before else 0
        )


type _Key = tuple[str, str, str, str]


def line_changes(before: Sequence[Line], after: Sequence[Line]) -> tuple[LineChange, ...]:
    """Returns exactly the lines that are not the same in both, by subject in the invoice's order.

    Lines that are equal in all respects cancel out. Of the others, those of one subject (kind,
    deployment, resource kind; an add-on's or an adjustment's name) are one change.
    """
    same = Counter(before) & Counter(after)
    old, new = _by_subject(before, same), _by_subject(after, same)
    changes: list[LineChange] = []
    for key in [*old, *(key for key in new if key not in old)]:
        removed, added = old.get(key, []), new.get(key, [])
        pairs = min(len(removed), len(added))
        changes += [LineChange(*pair) for pair in zip(removed, added, strict=False)]
        changes += [LineChange(line, None) for line in removed[pairs:]]
        changes += [LineChange(None, line) for line in added[pairs:]]
    return tuple(changes)


def _by_subject(lines: Iterable[Line], same: Counter[Line]) -> dict[_Key, list[Line]]:
    remaining = Counter(same)
    grouped: dict[_Key, list[Line]] = defaultdict(list)
    for line in lines:
        if remaining[line] > 0:
            remaining[line] -= 1
            continue
        name = ""
        if line.kind in NAMED:
            # "Addon: storage_50gb (...)", "Adjustment for 2026-04: droplet_hours (...)".
            label, _, rest = line.description.partition(": ")
            name = label if line.kind == "adjustment" else rest.split(" ")[0]
        grouped[line.kind, line.deployment_id or "", line.resource_kind or "", name].append(line)
    return dict(grouped)


def changes_json(changes: Iterable[LineChange]) -> list[dict[str, Any]]:
    """Returns the changes as the API and the log show them."""
    return [
        {
            "before": line_json(change.before) if change.before else None,
            "after": line_json(change.after) if change.after else None,
            "cents": change.cents,
        }
        for change in changes
    ]
