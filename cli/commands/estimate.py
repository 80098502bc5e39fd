"""`monthend estimate`: the bill of a running month so far, and where it is heading."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.quotes.show_estimate import estimate_note, estimate_table
from cli.stack.global_options import Chosen
from cli.terminal.arguments import month, tenant_id
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import show
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.foundation.billing_calendar import period_of
from invoicing.month_end.due_tenants import TENANT_FAULTS
from invoicing.pricing.estimates import Estimates, PeriodNotBegun


def estimate(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(metavar="TENANT")],
    period: Annotated[str | None, typer.Option(help="a month (the current one)")] = None,
) -> None:
    """Estimate a tenant's month: to date, and projected to its end.

    The projection is as if each remaining day used the average of the days so far.
    """
    chosen: Chosen = context.obj
    whose = tenant_id("TENANT", tenant)
    wanted = None if period is None else month(period)
    as_of = datetime.now(UTC)
    stack = chosen.connect()
    estimates = Estimates(stack.pricing, stack.zone)
    try:
        body = estimates.estimate(whose, wanted or period_of(as_of, stack.zone), as_of)
        name = stack.accounts.account(whose).tenant.name
    except PeriodNotBegun as error:
        raise BadInput(f"--period: has not begun: {error}") from error
    except UnknownTenant as error:
        raise BadInput(str(error)) from error
    except TENANT_FAULTS as error:
        raise NotAllowed(f"{whose} cannot be priced: {error}") from error
    show(chosen.as_json, body, lambda: estimate_table(body, name), estimate_note(body))
