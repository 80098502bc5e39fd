"""`monthend quote`: what a month would cost, from a file or from a stack's catalogue."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.quotes.quote_file import read_request
from cli.quotes.quote_request import QuoteWords, quoted
from cli.stack.global_options import Chosen
from cli.terminal.errors import BadInput, ExitCode
from cli.terminal.output import complain, show
from cli.terminal.tables import lines_table
from quote_engine import InvalidRequest, price, quote_json

ONE_OF = "give either a file, or --plan with what goes with it"


def quote(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="REQUEST.json|-")] = None,
    plan: Annotated[str | None, typer.Option(metavar="CODE", help="a plan, the newest")] = None,
    addon: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE[=N][@DAY..DAY]", help="an add-on, and perhaps its days; repeatable"
        ),
    ] = None,
    usage: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=QUANTITY", help="expected in the period; repeatable"),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="for its tax treatment")] = None,
    tax: Annotated[str | None, typer.Option(metavar="gst|gst_free", help="without tenant")] = None,
    period: Annotated[str | None, typer.Option(help="a month (the current one)")] = None,
    starts_on: Annotated[str | None, typer.Option(help="first day billed")] = None,
    ends_on: Annotated[str | None, typer.Option(help="last day billed")] = None,
) -> None:
    """Price a month as its invoice would be, by the same function.

    With a file, the file holds the prices and no AWS is needed. With --plan, the prices are the
    stack's newest. The quote is not stored: it has no id, and GET /quotes does not know it.
    """
    words = QuoteWords(plan, addon or (), usage or (), tenant, tax, period, starts_on, ends_on)
    chosen: Chosen = context.obj
    if (file is None) == (plan is None) or (file is not None and words.any_given):
        raise BadInput(ONE_OF)
    if file is None:
        _quote_from_stack(chosen, words)
    else:
        _quote_from_file(chosen, file)


def _quote_from_stack(chosen: Chosen, words: QuoteWords) -> None:
    body = words.body()
    answer = quoted(chosen.connect(), body, datetime.now(UTC))
    month = date.fromisoformat(f"{answer['period']}-01")
    title = f"Quote for {month:%B %Y}, not stored"
    show(chosen.as_json, answer, lambda: lines_table(answer, title))


def _quote_from_file(chosen: Chosen, file: Path) -> None:
    try:
        request = read_request(file)
    except InvalidRequest as error:
        for fault in error.faults:
            complain(f"{file}: {fault}")
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    priced = price(request)
    for usage in priced.unpriced:
        complain(
            f"{usage.deployment_id}: no rate for {usage.quantity:f} {usage.resource_kind}; "
            "not billed"
        )
    body = quote_json(request, priced)
    title = f"Quote for {request.period.start:%B %Y}"
    show(chosen.as_json, body, lambda: lines_table(body, title))
