"""JSON objects that name each field once: of two values Python keeps the last, in silence."""

from collections import Counter


class RepeatedFields(ValueError):
    """An object names fields more than once; `names` are these, in order."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("; ".join(f"field {name!r} is given twice" for name in names))
        self.names = names


def once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these fields, for `json.loads`; raises RepeatedFields."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise RepeatedFields(tuple(sorted(name for name, n in counts.items() if n > 1)))
    return fields
