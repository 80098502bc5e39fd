"""How dead letters, and what became of them, are shown to a person and to a program."""

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


def months_of(dead_letters: Sequence[DeadLetter]) -> set[TenantMonth]:
    """The tenants' months that the readable dead letters are about."""
    return {
        (dead_letter.message.tenant_id, dead_letter.message.period)
        for dead_letter in dead_letters
        if dead_letter.message
    }


def dead_letters_table(dead_letters: Sequence[DeadLetter], noted: Noted, now: datetime) -> Table:
    """Every dead letter with its age and its reason; of very many, only the first ones."""
    title = counted(len(dead_letters), "dead letter")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Id", no_wrap=True)
    table.add_column("Tenant", overflow="fold")
    table.add_column("Period", no_wrap=True)
    table.add_column("Age", no_wrap=True)
    table.add_column("Tries", justify="right", no_wrap=True)
    table.add_column("Reason", overflow="fold")
    for dead_letter in dead_letters[:MOST_ROWS]:
        age_and_tries = (age(dead_letter.first_sent, now), str(dead_letter.received))
        period = dead_letter.message.period if dead_letter.message else "-"
        shown_id = cell(dead_letter.message_id[:ID_CHARACTERS])
        tenant_id, reason = dead_letter.tenant_id or "-", _reason_cell(dead_letter, noted)
        table.add_row(shown_id, tenant_id, period, *age_and_tries, reason)
    if len(dead_letters) > MOST_ROWS:
        more = len(dead_letters) - MOST_ROWS
        table.add_row("...", "", "", "", "", f"{more:,} more; --json has all")
    return table


def _reason_cell(dead_letter: DeadLetter, noted: Noted) -> str:
    reason = _reason(dead_letter, noted) or NOT_NOTED
    if dead_letter.message:
        return cell(reason)
    return cells(reason, dead_letter.about or excerpt(dead_letter.body))


def _reason(dead_letter: DeadLetter, noted: Noted) -> str | None:
    if dead_letter.message is None:
        return dead_letter.reason or None
    return noted.get((dead_letter.message.tenant_id, dead_letter.message.period))


def age(since: datetime, now: datetime) -> str:
    """`3 d 4 h`, `4 h 5 min` or `5 min`."""
    minutes = int((now - since).total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def redrive_json(redrive: Redrive, dry_run: bool) -> dict[str, Any]:
    """The report as JSON; `unseen` is how many more dead letters the queue counted."""
    return {
        "dry_run": dry_run,
        "moved": redrive.moved,
        "discarded": redrive.count(RedriveResult.DISCARDED),
        "unseen": redrive.unseen,
        "failure": redrive.failure or None,
        "letters": [
            {
                "message_id": dead_letter.message_id,
                "tenant_id": dead_letter.tenant_id,
                "period": dead_letter.message.period if dead_letter.message else None,
                "run_id": dead_letter.message.run_id if dead_letter.message else None,
                "first_sent_at": dead_letter.first_sent.astimezone(UTC).isoformat(),
                "received": dead_letter.received,
                "reason": _reason(dead_letter, redrive.noted),
                "body": None if dead_letter.message else dead_letter.body,
                "result": redrive.results.get(dead_letter.message_id, RedriveResult.LEFT).value,
            }
            for dead_letter in redrive.found
        ],
    }


def redrive_summary(redrive: Redrive, dry_run: bool, discards: bool = False) -> str:
    """`2 given back, 1 discarded, 1 left in the dead-letter queue.`, and what comes next."""
    total, wanted = len(redrive.found), redrive.count(RedriveResult.FOUND)
    if not total:
        return "No dead letters." + _unseen(redrive)
    if dry_run:
        return f"{_rehearsed(redrive, wanted, total, discards)}{_unseen(redrive)}"
    moved, discarded = redrive.moved, redrive.count(RedriveResult.DISCARDED)
    counts = [f"{moved} given back"] + ([f"{discarded} discarded"] if discarded else [])
    left = total - moved - discarded
    summary = f"{', '.join(counts)}, {left} left in the dead-letter queue.{_unseen(redrive)}"
    return f"{summary}\n{AND_THEN}" if moved else summary


def _rehearsed(redrive: Redrive, wanted: int, total: int, discards: bool) -> str:
    if discards:
        return f"Dry run: {wanted} of {total} would be discarded."
    if not redrive.destination_url:
        return f"{counted(total, 'event')} without a queue to go back to: start a run instead."
    return f"Dry run, nothing moved: {wanted} of {total} would be."


def _unseen(redrive: Redrive) -> str:
    if not redrive.unseen:
        return ""
    return (
        f" About {redrive.unseen} more could not be seen: somebody else is looking at them, "
        "or they come later. Run the same command again in ten minutes."
    )
