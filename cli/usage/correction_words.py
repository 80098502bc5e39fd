"""The options of `monthend usage correct`, as they are typed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cli.terminal.errors import BadInput
from cli.terminal.output import complain
from invoicing.usage.correction import Correction, InvalidCorrection, read_correction

# The options that the fields of each form come from.
BOTH = {"deployment_id": "--deployment", "expect": "--expect", "quantity": "--quantity"}
FORMS = {
    "day": BOTH | {"resource_kind": "--kind", "day": "--day"},
    "event": BOTH | {"id": "--event", "source": "--source"},
}
OPTIONS = {"id": "--id", "reason": "--reason"} | {
    f"{form}.{field}": option for form, fields in FORMS.items() for field, option in fields.items()
}
ORDER = ("--deployment", "--kind", "--day", "--event", "--source", "--expect", "--quantity")
# Characters of an id that the command makes.
NEW_ID = 12
CHOICE = "FILE.csv, or --deployment, --kind and --day, or --deployment, --source and --event"


@dataclass(frozen=True, slots=True)
class CorrectionWords:
    """What to correct, and why; `given` has those other options that are given.

    An id that the command has made itself is `new`.
    """

    correction_id: str
    reason: str
    given: Mapping[str, str]
    new: bool = False

    @classmethod
    def named(
        cls, correction_id: str | None, reason: str, options: Sequence[str | None]
    ) -> "CorrectionWords":
        """Returns the words with an id, a new one if none is given; options are as in ORDER."""
        named = zip(ORDER, options, strict=True)
        given = {option: text for option, text in named if text is not None}
        return cls(correction_id or uuid4().hex[:NEW_ID], reason, given, correction_id is None)

    def tell_new_id(self) -> None:
        """Says a new id before anything is changed: what is broken off needs it to go on."""
        if self.new:
            name = self.correction_id
            complain(f"Correction {name}: if it is broken off, run it again with --id {name}")

    def refuse_all_but(self, options: Collection[str]) -> None:
        """Raises BadInput for an option that does not go with what is to be corrected."""
        if others := sorted(self.given.keys() - set(options)):
            raise BadInput(f"{', '.join(others)}: cannot go with the others; give {CHOICE}")

    def refuse_longer_id(self, longest: int) -> None:
        """Raises BadInput for a faulty id or reason, and for an id of more characters."""
        body = {"id": self.correction_id, "reason": self.reason, "events": [{}]}
        _read(body)
        if len(self.correction_id) > longest:
            raise BadInput(f"--id: must have at most {longest} characters to name a whole import")

    @property
    def form(self) -> str:
        """What is to be corrected: a `day`, or an `event`."""
        return "event" if "--event" in self.given else "day"

    def change(self) -> dict[str, str]:
        """Returns the fields of the change; raises BadInput for an option too many or too few.

        `expect` alone may be missing: a person can be asked.
        """
        fields = FORMS[self.form]
        self.refuse_all_but(fields.values())
        if missing := sorted(set(fields.values()) - self.given.keys() - {"--expect"}):
            raise BadInput(f"{', '.join(missing)}: needed; give {CHOICE}")
        return {
            field: self.given[option] for field, option in fields.items() if option in self.given
        }

    def correction(self, change: Mapping[str, str]) -> Correction:
        """Returns the correction that makes this change; raises BadInput for a faulty option."""
        return _read({"id": self.correction_id, "reason": self.reason, self.form: change})


def _read(body: Mapping[str, Any]) -> Correction:
    try:
        return read_correction(body)
    except InvalidCorrection as error:
        raise BadInput(in_options(error.reasons)) from error


def in_options(reasons: Mapping[str, str]) -> str:
    """Returns what is wrong in a person's words: by the options that the fields came from."""
    faults = (f"{OPTIONS.get(field, field)}: {text}" for field, text in reasons.items())
    return "; ".join(faults)
