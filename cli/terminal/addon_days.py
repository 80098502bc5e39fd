"""The days of an add-on in a word: `@2026-04-16..2026-04-30`, of which one may be left out."""


def split_days(word: str) -> tuple[str, dict[str, str]] | None:
    """Returns what stands before the days, and the days that are named, by field.

    They are not looked at: a day is whatever stands there. None if it is not written like this.
    """
    terms, sign, days = word.partition("@")
    first, dots, last = days.partition("..")
    if sign and not (dots and (first or last)):
        return None
    named = {"starts_on": first, "ends_on": last}
    return terms, {field: day for field, day in named.items() if day}
