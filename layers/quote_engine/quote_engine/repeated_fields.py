"""Refuses JSON objects that repeat a field: Python would silently keep the last value."""

from collections import Counter


class RepeatedFields(ValueError):
    """An object repeats fields; `names` lists these, in alphabetical order."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("; ".join(f"field {name!r} is given twice" for name in names))
        self.names = names


def once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Returns the object of these fields, as `object_pairs_hook` of `json.loads`.

    Raises RepeatedFields.
    """
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise RepeatedFields(tuple(sorted(name for name, count in counts.items() if count > 1)))
    return fields
