"""How dead letters, and what became of them, look to a person and to a program."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.dead_letters.dead_letter_queue import DeadLetter, excerpt
from cli.dead_letters.failures import TenantMonth
from cli.dead_letters.redrive import Redrive, RedriveResult
from cli.terminal.text import cell, cells, counted

MOST_ROWS = 100
NOT_NOTED = "not noted; the function's log has it"
ID_CHARACTERS = 8
AND_THEN = "What fails again is a dead letter again within half an hour."

type Noted = Mapping[TenantMonth, str]


def months_of(letters: Sequence[DeadLetter]) -> set[TenantMonth]:
    """The tenants' months that the readable letters are about."""
    return {
        (letter.message.tenant_id, letter.message.period) for letter in letters if letter.message
    }


def letters_table(letters: Sequence[DeadLetter], noted: Noted, now: datetime) -> Table:
    """Every letter with its age and its reason; of very many, the first ones."""
    title = counted(len(letters), "dead letter")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Id", no_wrap=True)
    table.add_column("Tenant", overflow="fold")
    table.add_column("Period", no_wrap=True)
    table.add_column("Age", no_wrap=True)
    table.add_column("Tries", justify="right", no_wrap=True)
    table.add_column("Reason", overflow="fold")
    for letter in letters[:MOST_ROWS]:
        how_often = (age(letter.first_sent, now), str(letter.received))
        period = letter.message.period if letter.message else "-"
        name, tenant_id = cell(letter.message_id[:ID_CHARACTERS]), letter.tenant_id or "-"
        table.add_row(name, tenant_id, period, *how_often, _told(letter, noted))
    if len(letters) > MOST_ROWS:
        table.add_row("...", "", "", "", "", f"{len(letters) - MOST_ROWS:,} more; --json has all")
    return table


def _told(letter: DeadLetter, noted: Noted) -> str:
    why = _reason(letter, noted) or NOT_NOTED
    return cell(why) if letter.message else cells(why, letter.about or excerpt(letter.body))


def _reason(letter: DeadLetter, noted: Noted) -> str | None:
    if letter.message is None:
        return letter.reason or None
    return noted.get((letter.message.tenant_id, letter.message.period))


def age(since: datetime, now: datetime) -> str:
    """`3 d 4 h`, `4 h 5 min` or `5 min`."""
    minutes = int((now - since).total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def redrive_json(redrive: Redrive, dry_run: bool) -> dict[str, Any]:
    """The report as JSON shows it; `unseen` is what the queue counted beside these letters."""
    return {
        "dry_run": dry_run,
        "moved": redrive.moved,
        "discarded": redrive.count(RedriveResult.DISCARDED),
        "unseen": redrive.unseen,
        "failure": redrive.failure or None,
        "letters": [
            {
                "message_id": letter.message_id,
                "tenant_id": letter.tenant_id,
                "period": letter.message.period if letter.message else None,
                "run_id": letter.message.run_id if letter.message else None,
                "first_sent_at": letter.first_sent.astimezone(UTC).isoformat(),
                "received": letter.received,
                "reason": _reason(letter, redrive.noted),
                "body": None if letter.message else letter.body,
                "result": redrive.results.get(letter.message_id, RedriveResult.LEFT).value,
            }
            for letter in redrive.found
        ],
    }


def redrive_summary(redrive: Redrive, dry_run: bool, discards: bool = False) -> str:
    """`2 given back, 1 discarded, 1 left in the dead-letter queue.`, and what to do then."""
    found, wanted = len(redrive.found), redrive.count(RedriveResult.FOUND)
    if not found:
        return "No dead letters." + _unseen(redrive)
    if dry_run:
        return f"{_rehearsed(redrive, wanted, found, discards)}{_unseen(redrive)}"
    moved, discarded = redrive.moved, redrive.count(RedriveResult.DISCARDED)
    told = [f"{moved} given back"] + ([f"{discarded} discarded"] if discarded else [])
    left = found - moved - discarded
    summary = f"{', '.join(told)}, {left} left in the dead-letter queue.{_unseen(redrive)}"
    return f"{summary}\n{AND_THEN}" if moved else summary


def _rehearsed(redrive: Redrive, wanted: int, found: int, discards: bool) -> str:
    if discards:
        return f"Dry run: {wanted} of {found} would be discarded."
    if not redrive.destination_url:
        return f"{counted(found, 'event')} without a queue to go back to: start a run instead."
    return f"Dry run, nothing moved: {wanted} of {found} would be."


def _unseen(redrive: Redrive) -> str:
    if not redrive.unseen:
        return ""
    return (
        f" About {redrive.unseen} more could not be seen: somebody else is looking at them, "
        "or they come later. Run the same command again in ten minutes."
    )
