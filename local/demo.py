"""`make demo`: runs a month-end from nothing to invoices, and checks it as it goes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.terminal.tables import console, invoice_table, invoices_table
from local.environment import LocalError
from local.month_end import MonthProgress, TenantOutcome, fire, follow
from local.sample_month import PERIOD, customer_names, sample_month
from local.show import Steps
from local.stack import LocalStack

PILOT = "pilot"
# Worked by hand: 50.00 for the plan, 7.50 for storage, 672 hours over the 1,488 at one cent
# each, and 10 % of 64.22 as tax, rounded half up.
PILOT_LINES = [("plan_base", 5000), ("addon", 750), ("overage", 672), ("tax", 642)]
PILOT_TOTAL = 7064
INVOICED = {"rolled", "skipped", "replaced", "refused"}
LIST_TITLE = "{} invoices of April 2026"
NOTHING_TO_INVOICE = {"wattle-and-co", "mulga-motors"}


class DemoFailed(LocalError):
    """Something is not as the demo promises."""


def expect(holds: bool, otherwise: str) -> None:
    """Raises DemoFailed with the sentence `otherwise` unless `holds` is true."""
    if not holds:
        raise DemoFailed(f"Not as expected: {otherwise}")


def run_month_end(stack: LocalStack, steps: Steps, run_id: str, title: str) -> MonthProgress:
    """Fires the schedule's target and draws the run until every tenant has an outcome."""
    with steps.bare_step(title):
        sent = fire(stack, run_id)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns, console=steps.output, transient=True, disable=not steps.output.is_terminal
        ) as bar:
            task = bar.add_task("tenants", total=sent)

            def show(month: MonthProgress) -> None:
                about = f"{month.invoices} invoices, {month.waiting} waiting, {month.dead} dead"
                bar.update(task, completed=len(month.outcomes), description=about)

            return follow(stack, run_id, sent, show)


def every_invoice(stack: LocalStack, user: str) -> list[dict[str, Any]]:
    """Returns the headers of all invoices that a user may list, page by page over HTTP."""
    headers: list[dict[str, Any]] = []
    query = {"period": PERIOD, "limit": "20"}
    while True:
        status, page = stack.get("/invoices", user=user, **query)
        expect(status == HTTPStatus.OK, f"GET /invoices as {user} answered {status}: {page}.")
        headers += page["invoices"]
        if page["next_cursor"] is None:
            return headers
        expect(page["next_cursor"] != query.get("cursor"), f"GET /invoices goes round as {user}.")
        query["cursor"] = page["next_cursor"]


def tell_the_rest(steps: Steps, outcomes: Mapping[str, TenantOutcome]) -> None:
    """Prints which tenants got no invoice and why, and which usage has no rate."""
    for outcome in sorted(outcomes.values(), key=lambda outcome: outcome.tenant_id):
        if outcome.outcome not in INVOICED:
            steps.say(f"No invoice for {outcome.tenant_id}: {outcome.reason}.")
        for usage in outcome.unpriced:
            steps.say(
                f"Not priced for {outcome.tenant_id}: {usage['quantity']} {usage['resource_kind']}"
                f" of {usage['deployment_id']} (the plan has no rate for it)."
            )


def check_first_run(progress: MonthProgress, headers: Sequence[Mapping[str, Any]]) -> None:
    """Checks that each tenant due was invoiced or had nothing to invoice: nobody is lost."""
    due = {account.tenant.tenant_id for account in sample_month().accounts}
    rolled = {
        tenant.tenant_id for tenant in progress.outcomes.values() if tenant.outcome == "rolled"
    }
    nothing = {
        tenant.tenant_id
        for tenant in progress.outcomes.values()
        if tenant.outcome == "nothing_to_invoice"
    }
    expect(nothing == NOTHING_TO_INVOICE, f"nothing to invoice for {sorted(nothing)}.")
    expect(
        rolled | nothing == due, f"no invoice and no reason for {sorted(due - rolled - nothing)}."
    )
    expect(
        {header["tenant_id"] for header in headers} == rolled,
        "the list of invoices is not that of the tenants rolled up.",
    )
    expect(progress.dead == 0, f"{progress.dead} messages are in the dead-letter queue.")


def show_pilot(stack: LocalStack, steps: Steps, names: Mapping[str, str]) -> None:
    """Shows the pilot's invoice, read over HTTP with its own token; checks it to the cent."""
    status, invoice = stack.get(f"/invoices/{PILOT}.{PERIOD}", user=PILOT)
    expect(
        status == HTTPStatus.OK, f"GET /invoices/{PILOT}.{PERIOD} answered {status}: {invoice}."
    )
    steps.output.print(invoice_table(invoice, names[PILOT]))
    lines = [(line["kind"], line["amount_cents"]) for line in invoice["lines"]]
    expect(lines == PILOT_LINES, f"the pilot's lines are {lines}, not {PILOT_LINES}.")
    total = invoice["total_cents"]
    expect(total == PILOT_TOTAL, f"the pilot's total is {total} cents, not {PILOT_TOTAL}.")


def check_again(progress: MonthProgress, before: Sequence[Any], after: Sequence[Any]) -> int:
    """Checks that a second run skipped every invoice and changed none; returns their number."""
    skipped = [tenant for tenant in progress.outcomes.values() if tenant.outcome == "skipped"]
    expect(
        len(skipped) == len(before),
        f"the second run skipped {len(skipped)} tenants, not {len(before)}.",
    )
    expect(before == after, "the second run changed an invoice.")
    return len(skipped)


def check_scope(stack: LocalStack) -> str:
    """Checks that a tenant's token lists and reads its own invoices only; returns a summary.

    Another tenant's invoice is a 404 to it; a request without a token is a 401.
    """
    own_headers = every_invoice(stack, "acme")
    expect(
        [header["tenant_id"] for header in own_headers] == ["acme"],
        f"acme's token listed {own_headers} instead.",
    )
    status, _ = stack.get(f"/invoices/{PILOT}.{PERIOD}", user="acme")
    expect(
        status == HTTPStatus.NOT_FOUND,
        f"acme's token asked for the pilot's invoice and got {status}, not 404.",
    )
    status, _ = stack.get("/invoices")
    expect(status == HTTPStatus.UNAUTHORIZED, f"a request without a token got {status}, not 401.")
    return (
        f"acme's token lists one invoice, its own ({own_headers[0]['number']});"
        " the pilot's is 404 to it; without a token the answer is 401."
    )


def bring_up(stack: LocalStack, steps: Steps) -> None:
    """Starts, builds, deploys and seeds a stack, each as a step."""
    with steps.step(f"Start the local AWS (on {stack.bind} only, IAM policies enforced)"):
        stack.start()
    with steps.step("Build what has changed (sam build)"):
        stack.build()
    with steps.step("Deploy the template (sam deploy)"):
        stack.deploy()
    with steps.step(f"Seed the sample month: {len(sample_month().accounts)} tenants, April 2026"):
        stack.seed()


def tell(stack: LocalStack, steps: Steps) -> None:
    """Runs the demo itself, on a stack that is up."""
    names = customer_names()
    steps.heading("1 May 2026, 03:00 UTC: the schedule fires")
    first_run = run_month_end(stack, steps, "demo-first", "Month-end: one message per tenant")
    with steps.step("List the invoices over HTTP as the administrator"):
        headers = every_invoice(stack, "admin")
    steps.output.print(invoices_table(headers, LIST_TITLE.format(len(headers)), names))
    tell_the_rest(steps, first_run.outcomes)
    check_first_run(first_run, headers)

    steps.heading("What the pilot sees")
    show_pilot(stack, steps, names)

    steps.heading("The same again: nothing may be billed twice")
    second_run = run_month_end(stack, steps, "demo-again", "Month-end, a second time")
    skipped = check_again(second_run, headers, every_invoice(stack, "admin"))
    steps.say(f"{skipped} invoices were there already and were skipped, none changed.")

    steps.heading("Who may see what")
    with steps.step("Ask with another tenant's token, and with none"):
        summary = check_scope(stack)
    steps.say(summary)


def demo_directory(directory: Path) -> Path:
    """Returns the demo's own folder, so that the demo leaves a stack of `make up` alone."""
    return directory / "demo"


def demo(directory: Path) -> None:
    """Runs the demo; raises LocalError if anything fails or is not as promised."""
    steps = Steps(console())
    stack = LocalStack(demo_directory(directory))
    if stack.stop():
        steps.say("Stopped a demo that had been left running.")
    try:
        bring_up(stack, steps)
        tell(stack, steps)
    finally:
        stack.stop()
    steps.heading("Everything is stopped; every figure was as expected.")
    steps.output.print(steps.table())
    steps.say("Next: `make up` leaves such a stack running; `make help` lists the rest.")
