"""Corrects what is counted of a day or of an event, for the person at the command line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

from rich.table import Table

from cli.stack.caller_identity import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.arguments import calendar_day, deployment_id
from cli.terminal.ask import confirmed, someone_is_there
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import show
from cli.usage.corrected_months import MonthChanges
from cli.usage.correction_words import CorrectionWords, in_options
from cli.usage.show_correction import correction_summary, correction_table
from invoicing.invoices.corrected_months import corrections_over
from invoicing.usage.corrected_json import corrected_json
from invoicing.usage.correction import (
    Correction,
    CorrectionRefused,
    InvalidCorrection,
    NothingToCorrect,
)
from invoicing.usage.corrections_table import CorrectionsTable
from invoicing.usage.recorded_event import Counted
from invoicing.usage.usage_event import decimal_text
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period

NOT_EXPECTED = "--expect: name what stands now; `monthend usage show` shows it"
OLDER = "counted by an earlier version, which kept no quantity: correct its day instead"


def correct_usage(chosen: Chosen, words: CorrectionWords) -> None:
    """Makes the correction and shows what it changed.

    Without --expect, shows what stands and asks; raises NotAllowed if the person does not agree,
    or if what stands is something else by then.
    """
    change = words.change()
    asks = "expect" not in change
    if asks and (chosen.as_json or not someone_is_there()):
        raise BadInput(NOT_EXPECTED)
    # A faulty request is refused before anything is read.
    correction = None if asks else words.correction(change)
    stack = chosen.connect()
    try:
        correction = correction or _agreed(stack, words, change)
        words.tell_new_id()
        with refusals_told():
            corrected = corrections_over(stack.settings).correct(
                correction, caller(stack), datetime.now(UTC)
            )
    except NotAllowed as error:
        if chosen.as_json:
            show(True, {"refused": str(error)}, Table)
        raise
    changes = MonthChanges()
    changes.add(corrected.days)
    body = corrected_json(corrected) | {"months": changes.months(stack)}
    show(chosen.as_json, body, lambda: correction_table(body), correction_summary(body))


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turns what a correction raises into errors of the command line."""
    try:
        yield
    except InvalidCorrection as error:
        raise BadInput(in_options(error.reasons)) from error
    except NothingToCorrect as error:
        raise BadInput(str(error)) from error
    except CorrectionRefused as error:
        raise NotAllowed(in_options(error.reasons)) from error


def _agreed(stack: Stack, words: CorrectionWords, change: Mapping[str, str]) -> Correction:
    """Shows what stands and asks; the correction expects what was shown."""
    name = deployment_id("--deployment", change["deployment_id"])
    owner = stack.accounts.owners([name]).get(name)
    if owner is None:
        raise BadInput(f"no deployment {name} is known")
    stands = _event(stack, owner, change) if words.form == "event" else _day(stack, change)
    quantity = decimal_text(stands.quantity)
    correction = words.correction({**change, "expect": quantity})
    said = f"{quantity} {stands.resource_kind} of {name} stand on {stands.day}"
    if not confirmed(f"{said}. Correct to {change['quantity']}?"):
        raise NotAllowed("nothing was done")
    return correction


def _day(stack: Stack, change: Mapping[str, str]) -> Counted:
    day, kind = calendar_day("--day", change["day"]), change["resource_kind"]
    month = Period.month(day[:7])
    days = UsageTable(stack.settings.usage_table).days(change["deployment_id"], month).days
    quantity = days.get(day, {}).get(kind, Decimal(0))
    return Counted(change["deployment_id"], kind, day, quantity)


def _event(stack: Stack, owner: str, change: Mapping[str, str]) -> Counted:
    name = f"event {change['id']} of source {change['source']}"
    table = CorrectionsTable(stack.settings.usage_table)
    recorded = table.event(owner, f"{change['source']}#{change['id']}")
    if recorded is None:
        raise BadInput(f"{name}: not counted for tenant {owner}, or forgotten by now")
    if recorded.counted is None:
        raise NotAllowed(f"{name}: {OLDER}")
    return recorded.counted
