"""Reads the fields of one JSON object, and notes every fault with its path."""

import marshal
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from quote_engine.faults import InvalidRequest
from quote_engine.limits import decimal_fault, money_fault, text_fault

_is_decimal = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?").fullmatch
_is_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_MISSING = object()
_JSON_NAMES = {
    "dict": "an object",
    "list": "a list",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a float",
    "NoneType": "null",
}
_ZERO = Decimal(0)
_WITHOUT_REFERENCES = 0
"""A version of `marshal`. In later ones the bytes depend on who else refers to a text."""

type Check = Callable[[object], str | None]


class Reader:
    """One object, each field of which is read once. What nobody has read is an unknown field.

    Without a list of faults, the first one raises InvalidRequest, and whether a text or a figure
    is possible is left to the constructor. With a list, every fault is noted there with its path:
    the constructor's checks are asked of each field, a faulty field reads as a stand-in, and
    nothing is made from it.
    """

    __slots__ = ("_around", "_faults", "_left", "_name", "_place", "_sound")

    def __init__(
        self,
        data: object,
        faults: list[str] | None = None,
        around: "Reader | None" = None,
        name: str = "",
        place: int | None = None,
    ) -> None:
        # A path is put together only for a fault.
        self._around, self._name, self._place = around, name, place
        self._faults = faults
        self._left: dict[str, object] = {}
        self._sound = isinstance(data, dict)
        if isinstance(data, dict):
            self._left = data.copy()
        else:
            self._add(f"{self._path or 'request'}: must be an object, not {_shown(data)}")
            # Nobody needs to hear that its fields are missing, too.
            self._faults = []

    def marshalled(self) -> bytes | None:
        """The unread object as bytes; None if it has no such form, and so is not from JSON.

        Unlike `==`, they tell 1 from 1.0 and from true.
        """
        try:
            return marshal.dumps(self._left, _WITHOUT_REFERENCES)
        except ValueError:
            return None

    def has_any(self, names: frozenset[str]) -> bool:
        """Whether one of these fields is there and has not been read yet."""
        return not names.isdisjoint(self._left)

    @property
    def sound(self) -> bool:
        """No fault yet in this object's own fields."""
        return self._sound

    def text(self, name: str, check: Check = text_fault) -> str:
        value = self._left.pop(name, _MISSING)
        if self._faults is None and isinstance(value, str):
            return value
        return self._text(name, value, check)

    def optional_text(self, name: str) -> str | None:
        value = self._left.pop(name, None)
        return None if value is None else self._text(name, value, text_fault)

    def choice[C: str](self, name: str, choices: tuple[C, ...], default: C | None = None) -> C:
        return self._choice(name, self._left.pop(name, default or _MISSING), choices)

    def optional_choice[C: str](self, name: str, choices: tuple[C, ...]) -> C | None:
        """None if the field is absent or null."""
        value = self._left.pop(name, None)
        return None if value is None else self._choice(name, value, choices)

    def flag(self, name: str, default: bool) -> bool:
        value = self._left.pop(name, default)
        if isinstance(value, bool):
            return value
        return self._stand_in(name, value, "must be true or false", default)

    def whole(self, name: str, check: Check, default: int | None = None) -> int:
        value = self._left.pop(name, _MISSING if default is None else default)
        if type(value) is not int:
            return self._stand_in(name, value, "must be an integer", default or 0)
        self._check(name, value, check)
        return value

    def day(self, name: str) -> date:
        return self._day(name, self._left.pop(name, _MISSING))

    def optional_day(self, name: str) -> date | None:
        value = self._left.pop(name, None)
        return None if value is None else self._day(name, value)

    def money(self, name: str, default: str | None = None) -> Decimal:
        return self._decimal(name, self._left.pop(name, default or _MISSING), money_fault)

    def optional_decimal(self, name: str, check: Check) -> Decimal | None:
        """None if the field is absent or null."""
        value = self._left.pop(name, None)
        return None if value is None else self._decimal(name, value, check)

    def quantity(self, name: str, default: str | None = None) -> Decimal:
        return self._decimal(name, self._left.pop(name, default or _MISSING), decimal_fault)

    def optional_quantity(self, name: str) -> Decimal | None:
        """None if the field is null; it must be there."""
        value = self._left.pop(name, _MISSING)
        return None if value is None else self._decimal(name, value, decimal_fault)

    def child[T](self, name: str, read: "Callable[[Reader], T | None]") -> T | None:
        value = self._left.pop(name, _MISSING)
        if value is _MISSING:
            return self._stand_in(name, value, "", None)
        return Reader(value, self._faults, self, name).made(read)

    def optional_child[T](self, name: str, read: "Callable[[Reader], T | None]") -> T | None:
        """None if the field is absent or null; a faulty one spoils its object too."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        child = Reader(value, self._faults, self, name).made(read)
        self._sound = self._sound and child is not None
        return child

    def children[T](
        self,
        name: str,
        read: "Callable[[Reader], T | None]",
        *,
        default: object = _MISSING,
        all_needed: bool = False,
    ) -> tuple[T, ...]:
        """The items that could be read; the others have left their faults.

        `all_needed`: the others would be missed by the constructor, so it is not asked.
        """
        items = self._left.pop(name, default)
        if not isinstance(items, list):
            return self._stand_in(name, items, "must be a list", ())
        if not items:
            return ()
        faults = self._faults
        models = [Reader(item, faults, self, name, n).made(read) for n, item in enumerate(items)]
        found = tuple([model for model in models if model is not None])
        if all_needed and len(found) < len(models):
            self._sound = False
        return found

    def quantities(self, name: str) -> dict[str, Decimal]:
        """An object of decimals under free keys; empty if the field is absent."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict):
            return self._stand_in(name, value, "must be an object", {})
        if self._faults is not None:
            for key in value:
                self._check(f"{name}.{key}", key, text_fault)
        return {
            key: self._decimal(f"{name}.{key}", item, decimal_fault) for key, item in value.items()
        }

    def complete(self) -> bool:
        """Whether the model can be made: every field was read and is sound."""
        for name in self._left:
            self._note(str(name), "unknown field")
        return self._sound

    def made[T](self, read: "Callable[[Reader], T | None]") -> T | None:
        """What `read` makes of this object; what a constructor refuses is a fault at its path."""
        try:
            return read(self)
        except InvalidRequest as error:
            if self._faults is None:
                raise
            self._faults += [self._at(fault) for fault in error.faults]
            return None

    def _text(self, name: str, value: object, check: Check) -> str:
        if not isinstance(value, str):
            return self._stand_in(name, value, "must be a string", "")
        self._check(name, value, check)
        return value

    def _choice[C: str](self, name: str, value: object, choices: tuple[C, ...]) -> C:
        for choice in choices:
            if value == choice:
                return choice
        return self._stand_in(name, value, f"must be one of {', '.join(choices)}", choices[0])

    def _day(self, name: str, value: object) -> date:
        if isinstance(value, str):
            try:
                # It reads other forms, too, such as 20260401.
                if (day := date.fromisoformat(value)).isoformat() == value:
                    return day
            except ValueError:
                if _is_date(value):
                    self._note(name, f"{value} is not a day of the calendar")
                    return date.min
        return self._stand_in(name, value, "must be a date such as 2026-04-01", date.min)

    def _decimal(self, name: str, value: object, check: Check) -> Decimal:
        if isinstance(value, str):
            if not _is_decimal(value):
                self._note(name, f"must be a plain decimal such as 12.50, not {value[:40]!r}")
                return _ZERO
        elif type(value) is not int:
            return self._stand_in(name, value, "must be a decimal string", _ZERO)
        number = Decimal(value)
        self._check(name, number, check)
        return number

    def _check(self, name: str, value: object, check: Check) -> None:
        if self._faults is not None and (fault := check(value)):
            self._note(name, fault)

    def _stand_in[T](self, name: str, value: object, expected: str, stand_in: T) -> T:
        missing = value is _MISSING
        self._note(name, "missing" if missing else f"{expected}, not {_shown(value)}")
        return stand_in

    def _note(self, name: str, fault: str) -> None:
        self._sound = False
        self._add(one_line(f"{self._at(name)}: {fault}"))

    def _add(self, fault: str) -> None:
        if self._faults is None:
            raise InvalidRequest((fault,))
        self._faults.append(fault)

    @property
    def _path(self) -> str:
        if self._around is None:
            return ""
        path = self._around._at(self._name)
        return path if self._place is None else f"{path}[{self._place}]"

    def _at(self, name: str) -> str:
        path = self._path
        return f"{path}.{name}" if path else name


def remembering[T](read: Callable[[Reader], T | None]) -> Callable[[Reader], T | None]:
    """The same reading, which reads equal objects once and answers with the one model.

    What has a fault is read each time: it leaves its faults at each of its paths.
    """
    known: dict[bytes, T] = {}

    def read_once(reader: Reader) -> T | None:
        key = reader.marshalled()
        if key is None:
            return read(reader)
        if key not in known:
            model = read(reader)
            if model is None:
                return None
            known[key] = model
        return known[key]

    return read_once


def one_line(text: str) -> str:
    """A fault stays on its line, whatever the input's keys hold."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    name = type(value).__name__
    return _JSON_NAMES.get(name, name)
