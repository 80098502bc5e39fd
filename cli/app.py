"""The command line: its commands, the global options, and the exit codes."""

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cli.commands.estimate import estimate
from cli.commands.invoices import invoice, invoices
from cli.commands.lifecycle import history, issue, pay, void
from cli.commands.load import load
from cli.commands.month_end import preview, report, run, status
from cli.commands.quote import quote
from cli.commands.redrive import redrive
from cli.commands.usage import usage
from cli.stack.global_options import AnywhereGroup, Chosen, Command
from cli.terminal.errors import CommandError, ExitCode, aws_fault
from cli.terminal.output import complain, give_up_writing, show_what_can_be_shown
from invoicing.accounts.account import InvalidAccount

PROGRAM = "monthend"

app = typer.Typer(
    name=PROGRAM,
    cls=AnywhereGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Command)(load)
app.add_typer(usage, name="usage")
billing = (invoices, invoice, run, status, report, preview, issue, pay, void, history, redrive)
for command in (*billing, estimate, quote):
    app.command(cls=Command)(command)


@app.callback()
def options(
    context: typer.Context,
    stack: Annotated[
        str | None,
        typer.Option(
            envvar="MONTHEND_STACK",
            show_envvar=False,
            help="CloudFormation stack, with your own AWS credentials; else MONTHEND_STACK names "
            "it, or it is the local one",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Month-end invoicing from the command line. --stack and --json may stand anywhere.

    Exit codes: 0 fine, 1 something was refused and is listed, 2 usage or bad input, 3 AWS or the
    stack is not reachable or the result cannot be written, 130 stopped with Ctrl-C.
    """
    context.obj = Chosen(stack, as_json)


def main(words: list[str] | None = None) -> int:
    """Runs a command and returns its exit code. Errors are one line on standard error."""
    show_what_can_be_shown()
    try:
        code = _run(words)
        sys.stdout.flush()
    except OSError as error:
        return give_up_writing(f"{PROGRAM}: {error}", error)
    return int(code)


def _run(words: list[str] | None) -> int:
    try:
        code: int = app(args=words, prog_name=PROGRAM, standalone_mode=False) or ExitCode.FINE
    except TyperException as error:
        complain(f"{PROGRAM}: {error.format_message()}")
        return ExitCode.BAD_INPUT
    except CommandError as error:
        complain(f"{PROGRAM}: {error}")
        return error.exit_code
    except InvalidAccount as error:
        complain(f"{PROGRAM}: {error}")
        return ExitCode.REFUSED
    except Exception as error:
        fault = aws_fault(error)
        if fault is None:
            raise
        complain(f"{PROGRAM}: {fault}")
        return ExitCode.NOT_REACHABLE
    if code == ExitCode.INTERRUPTED:
        complain(
            f"{PROGRAM}: stopped; run the same command again, nothing is stored or counted twice"
        )
    return code
