"""The local AWS from the command line."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from local.demo import (
    bring_up,
    demo,
    demo_directory,
    every_invoice,
    run_month_end,
    tell_the_rest,
)
from local.environment import LOOPBACK, STATE, LocalError
from local.invoke import invoke
from local.outputs import FUNCTIONS
from local.sample_month import PERIOD, customer_names
from local.show import Steps, console, invoices_table
from local.stack import LocalStack

HINTS = """
The local AWS is up at [bold]{endpoint_url}[/]; {file} names all of its parts.

Fire April's month-end as the schedule would, as often as you like:
  [bold]make month-end[/]

Read the pilot's invoices as the pilot (other sign-ins: {others}):
  [bold]token=$(.venv/bin/python -m local token pilot)
  curl -s -H "Authorization: $token" '{api_url}/invoices?period={period}'[/]

Run one function in a Lambda container (needs docker): make invoke-rollup_tenant
Stop everything: make down
"""


def up(arguments: argparse.Namespace) -> None:
    """Starts afresh: whatever ran before is stopped, and its data is gone."""
    steps = Steps(console())
    stack = LocalStack(arguments.directory, bind=arguments.bind)
    if stack.stop():
        steps.output.print("Stopped the local AWS that was running; this one begins empty.")
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
    """Stops the stack of `up`, and a demo that was killed before it could stop its own."""
    folders = (arguments.directory, demo_directory(arguments.directory))
    stopped = [LocalStack(folder).stop() for folder in folders]
    print("The local AWS is stopped." if any(stopped) else "No local AWS was running.")


def status(arguments: argparse.Namespace) -> None:
    """Says whether it runs; exit 1 if not, for scripts."""
    print(f"The local AWS is up at {LocalStack(arguments.directory).outputs['endpoint_url']}.")


def month_end(arguments: argparse.Namespace) -> None:
    """Fires April's month-end and shows the administrator's list afterwards."""
    steps, stack = Steps(console()), LocalStack(arguments.directory)
    seen = run_month_end(stack, steps, str(uuid4()), "Month-end: one message per tenant")
    steps.output.print(invoices_table(every_invoice(stack, "admin"), customer_names()))
    tell_the_rest(steps, seen.outcomes)


def token(arguments: argparse.Namespace) -> None:
    """Prints a fresh ID token."""
    stack = LocalStack(arguments.directory)
    if arguments.user not in stack.outputs["users"]:
        known = ", ".join(stack.outputs["users"])
        raise LocalError(f"nobody signs in as {arguments.user!r}; there are {known}.")
    print(stack.token(arguments.user))


def arguments_of(words: list[str] | None = None) -> argparse.Namespace:
    """The parsed command line; `run` is what it asks for."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument(
        "--directory",
        type=Path,
        default=STATE,
        help="its folder, for several side by side (.local)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], None], about: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        return added

    about = "start a local AWS, deploy, seed the sample month, leave it running"
    command("up", up, about).add_argument(
        "--bind", default=LOOPBACK, help=f"address of this machine to listen on ({LOOPBACK})"
    )
    command(
        "demo",
        lambda given: demo(given.directory),
        "a whole month-end, shown and checked, then stop",
    )
    command("down", down, "stop what `up` started")
    command("month-end", month_end, "fire the schedule's target on the running stack, and watch")
    command("status", status, "say whether it is running, and where")
    about = "print an ID token for the API's Authorization header"
    command("token", token, about).add_argument("user", help="admin, or a tenant with a login")
    about = "run one function in a Lambda container against the running stack (sam local invoke)"
    command(
        "invoke", lambda given: invoke(LocalStack(given.directory), given.function), about
    ).add_argument(
        "function", choices=sorted(FUNCTIONS), help="the function, by the name of its folder"
    )
    return parser.parse_args(words)
