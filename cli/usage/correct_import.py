"""Takes a whole import back for the person at the command line, by its file."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from cli.stack.caller_identity import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.arguments import event_source
from cli.terminal.interrupts import stopping_gently
from cli.terminal.output import complain, progress, show
from cli.terminal.tables import print_table
from cli.usage.checked_file import CheckedFile, checked
from cli.usage.correct_usage import refusals_told
from cli.usage.correction_words import CorrectionWords
from cli.usage.day_events import SOURCE
from cli.usage.earlier_imports import EarlierImports
from cli.usage.input_file import InputFile, opened
from cli.usage.listed_lines import lines_table
from cli.usage.run_import import broken_off_by
from cli.usage.take_back import CorrectableDays, TakeBack
from cli.usage.take_back_report import (
    TakeBackReport,
    months_table,
    take_back_json,
    take_back_lines,
)
from invoicing.invoices.corrected_months import corrections_over
from invoicing.usage.correction import Correction
from invoicing.usage.corrections import Corrected

# An id of a correction has 64 characters, and each thousand events of a day make one.
LONGEST_ID = 45


def correct_import(chosen: Chosen, file: Path, words: CorrectionWords, dry_run: bool) -> bool:
    """Takes the usage of a file back and shows what was; returns whether nothing of it stands.

    Raises BadInput for a file that cannot be used, and whatever else happened before the first
    event was taken back.
    """
    words.refuse_all_but(("--source",))
    words.refuse_longer_id(LONGEST_ID)
    event_source("--source", words.given.get("--source"))
    with opened(file) as input_file:
        stack = chosen.connect()
        report = _taken_back(stack, input_file, words, dry_run)
    _show(chosen.as_json, stack, report)
    return report.complete


def _taken_back(
    stack: Stack, file: InputFile, words: CorrectionWords, dry_run: bool
) -> TakeBackReport:
    now, report = datetime.now(UTC), TakeBackReport(words.correction_id, dry_run)
    source = words.given.get("--source")
    events = CorrectableDays(stack.zone, now, source or SOURCE)
    with ExitStack() as held:
        with progress("bytes read", lambda: file.size) as advance:
            whole = held.enter_context(checked(file, events, report, advance))
        whole.refuse_source(source)
        correct = _correct(stack, now, words, dry_run)
        left = whole.events - report.counts.total()
        advance = held.enter_context(progress("events", lambda: left))
        pause = held.enter_context(stopping_gently())
        try:
            _take(stack, whole, TakeBack(correct, words.reason, events, report, advance, pause))
        except (Exception, KeyboardInterrupt) as error:
            report.broken_off = broken_off_by(error)
            if report.broken_off is None or dry_run or not report.begun:
                raise
    return report


def _correct(
    stack: Stack, now: datetime, words: CorrectionWords, dry_run: bool
) -> Callable[[Correction], Corrected]:
    """Returns what makes corrections, under the name of who is at the command line."""
    corrections, by = corrections_over(stack.settings), caller(stack)
    make = corrections.foresee if dry_run else corrections.correct
    if not dry_run:
        words.tell_new_id()

    def correct(correction: Correction) -> Corrected:
        with refusals_told():
            return make(correction, by, now)

    return correct


def _take(stack: Stack, whole: CheckedFile, take_back: TakeBack) -> None:
    if whole.days is None:
        take_back.take_events(whole.rows())
        return
    whole.days.sort(stack.accounts.owners)
    earlier = EarlierImports.of_file(stack, whole, whole.days, take_back.events)
    take_back.take_days(whole.days, earlier)


def _show(as_json: bool, stack: Stack, report: TakeBackReport) -> None:
    # What broke it off may still be so: nothing more is read.
    months = [] if report.broken_off else report.changes.months(stack)
    body = take_back_json(report, months)
    if as_json:
        show(True, body, Table)
    else:
        for table in (lines_table(body["rows"]), months_table(body)):
            if table.row_count:
                print_table(table)
        for line in take_back_lines(body):
            print(line)
    if report.broken_off:
        again = f"run the same command again with --id {report.correction_id}"
        complain(f"monthend: broken off: {report.broken_off}; {again}")
