"""The local AWS from the command line."""

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from cli.terminal.tables import console, invoices_table
from local.demo import (
    LIST_TITLE,
    bring_up,
    demo,
    demo_directory,
    every_invoice,
    run_month_end,
    tell_the_rest,
)
from local.environment import LOOPBACK, ROOT_CALLER, STATE, LocalError
from local.invoke import invoke
from local.outputs import FUNCTIONS
from local.sample_month import PERIOD, customer_names
from local.show import Steps
from local.stack import LocalStack

HINTS = """
The local AWS is up at [bold]{endpoint_url}[/]; {file} names all of its parts.

Fire April's month-end as the schedule would, as often as you like:
  [bold]make month-end[/]

Look after it as an operator does (docs/cli.md; docs/operations.md has what to rehearse):
  [bold].venv/bin/monthend report --period {period}
  .venv/bin/monthend issue pilot.{period}
  .venv/bin/monthend redrive --dry-run[/]

Read the pilot's invoices as the pilot (other sign-ins: {others}):
  [bold]token=$(.venv/bin/python -m local token pilot)
  curl -s -H "Authorization: $token" '{api_url}/invoices?period={period}'
  curl -s -H "Authorization: $token" '{api_url}/invoices/pilot.{period}'[/]

Talk to it with the AWS CLI (2.13 or later) or boto3, as docs/operations.md does:
  [bold]eval "$(.venv/bin/python -m local env)"[/]

Run one function in a Lambda container (needs docker): make invoke-rollup_tenant
Stop everything: make down
"""


def up(arguments: argparse.Namespace) -> None:
    """Starts a local AWS afresh: one that is running is stopped, and its data is lost."""
    steps = Steps(console())
    stack = LocalStack(arguments.directory, bind=arguments.bind)
    if stack.stop():
        steps.say("Stopped the local AWS that was running; the new one has the sample month only.")
    try:
        bring_up(stack, steps)
    except BaseException:
        stack.stop()
        raise
    outputs = stack.outputs
    hints = HINTS.format(
        endpoint_url=outputs["endpoint_url"],
        file=os.path.relpath(stack.outputs_file),
        others=", ".join(name for name in outputs["users"] if name != "pilot"),
        api_url=outputs["api_url"],
        period=PERIOD,
    )
    steps.output.print(hints, soft_wrap=True)


def down(arguments: argparse.Namespace) -> None:
    """Stops the stack of `up`, and that of a demo that was killed before it could stop it."""
    folders = (arguments.directory, demo_directory(arguments.directory))
    stopped = [LocalStack(folder).stop() for folder in folders]
    print("The local AWS is stopped." if any(stopped) else "No local AWS was running.")


def status(arguments: argparse.Namespace) -> None:
    """Prints where the local AWS is up; raises LocalError if it is not (exit 1, for scripts)."""
    print(f"The local AWS is up at {LocalStack(arguments.directory).outputs['endpoint_url']}.")


def month_end(arguments: argparse.Namespace) -> None:
    """Fires April's month-end and shows the administrator's list afterwards."""
    steps, stack = Steps(console()), LocalStack(arguments.directory)
    progress = run_month_end(stack, steps, str(uuid4()), "Month-end: one message per tenant")
    headers = every_invoice(stack, "admin")
    title = LIST_TITLE.format(len(headers))
    steps.output.print(invoices_table(headers, title, customer_names()))
    tell_the_rest(steps, progress.outcomes)
    counts = Counter(tenant.outcome for tenant in progress.outcomes.values())
    steps.say("Outcomes: " + ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) + ".")


def env(arguments: argparse.Namespace) -> None:
    """Prints what a shell needs to talk to the running stack with AWS tools and with curl."""
    outputs = LocalStack(arguments.directory).outputs
    queues = {f"{name.upper()}_QUEUE_URL": url for name, url in outputs["queues"].items()}
    variables = {
        "AWS_ENDPOINT_URL": outputs["endpoint_url"],
        # Both: the AWS CLI prefers the first, and boto3 knows only the second.
        "AWS_REGION": outputs["region"],
        "AWS_DEFAULT_REGION": outputs["region"],
        **ROOT_CALLER,
        "API_URL": outputs["api_url"],
        **queues,
    }
    # It may be set in the shell of somebody who works on AWS; commands must find the local stack.
    print("unset MONTHEND_STACK")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def token(arguments: argparse.Namespace) -> None:
    """Prints a fresh ID token; raises LocalError for a user who has no sign-in."""
    stack = LocalStack(arguments.directory)
    if arguments.user not in stack.outputs["users"]:
        users = ", ".join(stack.outputs["users"])
        raise LocalError(f"nobody signs in as {arguments.user!r}; there are {users}.")
    print(stack.token(arguments.user))


class _Commands:
    """The subcommands, each with the function that runs it."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        self, name: str, run: Callable[[argparse.Namespace], None], about: str
    ) -> argparse.ArgumentParser:
        """Adds a subcommand; returns its parser, to which arguments can be added."""
        subparser = self._commands.add_parser(name, help=about, description=about)
        subparser.set_defaults(run=run)
        return subparser


def _run_demo(arguments: argparse.Namespace) -> None:
    demo(arguments.directory)


def _run_invoke(arguments: argparse.Namespace) -> None:
    invoke(LocalStack(arguments.directory), arguments.function, arguments.event)


def arguments_of(words: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; `run` of the result is the function of its subcommand."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    about = "its folder, for several side by side (.local)"
    parser.add_argument("--directory", type=Path, default=STATE, help=about)
    commands = _Commands(parser)
    about = "start a local AWS afresh, deploy, seed the sample month, leave it running"
    subparser = commands.add("up", up, about)
    about = f"address of this machine to listen on ({LOOPBACK})"
    subparser.add_argument("--bind", default=LOOPBACK, help=about)
    commands.add("demo", _run_demo, "a whole month-end, shown and checked, then stop")
    commands.add("down", down, "stop what `up` started")
    about = "fire the schedule's target on the running stack, and watch"
    commands.add("month-end", month_end, about)
    commands.add("env", env, 'print exports for the AWS CLI and boto3: eval "$(... env)"')
    commands.add("status", status, "say whether it is running, and where")
    about = "print an ID token for the API's Authorization header"
    subparser = commands.add("token", token, about)
    subparser.add_argument("user", help="admin, or a tenant with a login")
    about = "run one function in a Lambda container against the running stack (sam local invoke)"
    subparser = commands.add("invoke", _run_invoke, about)
    about = "the function, by the name of its folder"
    subparser.add_argument("function", choices=sorted(FUNCTIONS), help=about)
    subparser.add_argument("--event", type=Path, help="the event (events/FUNCTION.json)")
    return parser.parse_args(words)
