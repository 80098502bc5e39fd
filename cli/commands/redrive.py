"""`monthend redrive`: gives dead letters back, after showing each with its reason."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.dead_letters.dead_letter_queue import HOLD_SECONDS
from cli.dead_letters.failures import reasons
from cli.dead_letters.redrive import Advance, Redrive, RedriveResult
from cli.dead_letters.select_messages import Selection
from cli.dead_letters.show_redrive import (
    dead_letters_table,
    months_of,
    redrive_json,
    redrive_summary,
)
from cli.stack.global_options import Chosen
from cli.stack.queues import QueueName
from cli.terminal.errors import ExitCode, NotAllowed, NotReachable, Stopped, aws_fault
from cli.terminal.interrupts import stopping_gently
from cli.terminal.output import complain, progress, show

NOTHING_LOST = "nothing is lost, and the same command goes on"


def redrive(
    context: typer.Context,
    tenant: Annotated[
        list[str] | None, typer.Option(metavar="T", help="only this tenant's; repeatable")
    ] = None,
    discard: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="delete this letter; repeatable")
    ] = None,
    queue: Annotated[QueueName, typer.Option(help="whose dead letters")] = QueueName.ROLLUP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show them, move nothing")] = False,
) -> None:
    """Give failed tenants' messages back to the rollup queue; the reasons are shown first.

    Safe to interrupt and to repeat: a letter is deleted only once it is on the queue, and a tenant
    that is invoiced already is skipped.
    """
    chosen: Chosen = context.obj
    selection = Selection.of(tenant, discard, queue, dry_run)
    stack = chosen.connect()
    work = Redrive.over(stack, queue, whole=selection.whole and not dry_run)
    broken_off = _reporting_if_broken_off(work, chosen.as_json, dry_run)
    with broken_off, stopping_gently() as stop_if_asked, work.queue:
        _await_running_task(work, stop_if_asked)
        with progress("letters seen", work.queue.left) as bar:
            wanted = work.look(selection.wishes, _step(bar, stop_if_asked))
        selection.refuse_unclear(wanted)
        work.noted = reasons(stack, months_of(work.found))
        if not chosen.as_json:
            show(False, None, lambda: dead_letters_table(wanted, work.noted, datetime.now(UTC)))
        if wanted and not dry_run:
            act = work.discard if discard else work.move
            with progress("letters done", lambda: len(wanted)) as bar:
                act(wanted, _step(bar, stop_if_asked))
    body = redrive_json(work, dry_run)
    show(chosen.as_json, body, Table, redrive_summary(work, dry_run, bool(discard)))
    _refuse_missing(selection.missing(wanted), work)


def _refuse_missing(missing: list[str], work: Redrive) -> None:
    """Reports what was named and is not there; raises NotAllowed if something was not done."""
    for name in missing:
        complain(f"no dead letter {name}")
    if work.failure:
        raise NotAllowed(work.failure)
    if missing:
        raise typer.Exit(ExitCode.REFUSED)


def _step(advance: Advance, stop_if_asked: Callable[[], None]) -> Advance:
    """Returns what to do between two calls: advance the bar, and stop if the person asked to."""

    def step(done: int) -> None:
        advance(done)
        stop_if_asked()

    return step


def _await_running_task(work: Redrive, stop_if_asked: Callable[[], None]) -> None:
    """Follows a move that somebody started before: SQS allows one move of a queue at a time."""
    if work.tasks is None or not work.tasks.running:
        return
    with progress("a move that was started before", work.queue.left) as bar:
        result = work.tasks.follow(None, _step(bar, stop_if_asked))
    how = result.failure or "completed"
    complain(f"A move that was started before has ended, {result.moved} moved: {how}")


@contextmanager
def _reporting_if_broken_off(work: Redrive, as_json: bool, dry_run: bool) -> Iterator[None]:
    """Reports how far the work got if it ends early, and how many dead letters stay hidden."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        asked = isinstance(error, KeyboardInterrupt)
        fault = "stopped" if asked else aws_fault(error)
        if fault is None:
            raise
        work.failure = fault
        if as_json:
            show(True, redrive_json(work, dry_run), Table)
        if asked:
            raise Stopped(f"stopped: {_how_far(work)}") from error
        raise NotReachable(f"{fault}; {_how_far(work)}") from error
    finally:
        if work.queue.held:
            minutes = HOLD_SECONDS // 60
            complain(f"{len(work.queue.held)} letters show again within {minutes} minutes.")


def _how_far(work: Redrive) -> str:
    if work.count(RedriveResult.UNSURE):
        return f"SQS goes on moving the letters; {NOTHING_LOST}"
    return f"{work.moved} letters were moved; {NOTHING_LOST}"
