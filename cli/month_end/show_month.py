"""How the report of a month's end looks to a person: counts first, then what needs attention."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.output import show
from cli.terminal.tables import money, print_table, when
from cli.terminal.text import cell, cells, counted, harmless

MOST_ROWS = 100
MOST_NAMES = 20
NONE = {"count": 0, "entries": ()}

type JsonObject = Mapping[str, Any]


def show_month(
    as_json: bool, report: JsonObject, *, whole: bool, more: Iterable[str] = ()
) -> None:
    """Prints the report as JSON or as tables; `whole` adds the review and the runs.

    `more` are further lines for a person, below the tables.
    """
    if as_json:
        show(True, report, Table)
        return
    tables = [
        totals_table(report),
        failed_table(report),
        unbilled_table(report["unbilled_usage"] or NONE),
        late_table(report["late_usage"] or NONE),
    ]
    if whole:
        tables += [review_table(report["review"]), runs_table(report)]
    if not tables[0].row_count:
        print(_title(report))
    for table in tables:
        if table.row_count:
            print_table(table)
    for line in (*_lines(report, whole), *more):
        print(line)


def totals_table(report: JsonObject) -> Table:
    """The numbers and the sums of invoices, by state and currency."""
    table = _table(_title(report), "Status")
    for heading in ("Invoices", "Subtotal", "GST", "Total"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in report["by_status"]:
        table.add_row(row["status"], *_sums(row))
    if len(report["by_status"]) > 1:
        table.add_section()
        for row in report["totals"]:
            table.add_row("not void", *_sums(row))
    return table


def _title(report: JsonObject) -> str:
    first = date.fromisoformat(f"{report['period']}-01")
    stored = ", as stored" if report["stored"] else ""
    return f"{first:%B %Y} as of {when(report['as_of'])} UTC{stored}"


def _sums(row: JsonObject) -> tuple[str, ...]:
    amounts = (money(row[f"{name}_cents"]) for name in ("subtotal", "tax", "total"))
    return (str(row["invoices"]), *amounts, row["currency"])


def failed_table(report: JsonObject) -> Table:
    """Every due tenant that failed, and why."""
    table = _table(f"{report['failed']['count']} failed", "Tenant", "Message sent (UTC)", "Tries")
    table.add_column("Reason", overflow="fold")
    rows = [
        (row["tenant_id"], when(row["sent_at"]), str(row["receive_count"]), cell(row["reason"]))
        for row in report["failed"]["tenants"]
    ]
    _fill(table, rows, report["failed"]["count"])
    return table


def unbilled_table(unbilled: JsonObject) -> Table:
    """Usage that nobody pays for: whose, how much, in which month, and which invoice says so."""
    table = _usage_table(f"Usage that nobody pays for: {unbilled['count']:,}")
    table.add_column("Used in", no_wrap=True)
    table.add_column("Invoice", no_wrap=True)
    rows = [
        (*_usage(row), row["period"], row["invoice_id"] or "none") for row in unbilled["entries"]
    ]
    _fill(table, rows, unbilled["count"])
    return table


def late_table(late: JsonObject) -> Table:
    """Usage that came after its month was invoiced, and what will become of it."""
    as_of = f", as of {when(late['as_of'])} UTC" if late["count"] else ""
    table = _usage_table(f"Usage that came late{as_of}: {late['count']:,}")
    table.add_column("What becomes of it", overflow="fold")
    rows = [(*_usage(row), becomes(row)) for row in late["entries"]]
    _fill(table, rows, late["count"])
    return table


def becomes(late: JsonObject) -> str:
    """What becomes of late usage in words: `will be on 2026-11`."""
    taken_back = late["quantity"].startswith("-")
    verb, does = ("be taken off", "takes it off") if taken_back else ("be", "bills it")
    return {
        "next_invoice": f"will {verb} on {late['billed_on']}",
        "forced_run": f"a forced run of {late['billed_on']} {does}",
        "no_charge": "comes to nothing: the price covers it",
        "unpriced": "taken back; it was billed nothing"
        if taken_back
        else "billed nothing: no rate, or no subscription on its days",
        "too_old": "billed nothing: its month is too long ago",
    }[late["fate"]]


def _usage_table(title: str) -> Table:
    table = _table(title, "Tenant", "Deployment", "Kind")
    table.add_column("Quantity", justify="right", no_wrap=True)
    return table


def _usage(row: JsonObject) -> tuple[str, ...]:
    quantity = f"{Decimal(row['quantity']):,f}"
    return row["tenant_id"], cell(row["deployment_id"]), cell(row["resource_kind"]), quantity


def review_table(review: JsonObject) -> Table:
    """The entries to review before drafts are issued; held drafts first."""
    table = _table(f"{review['count']} to review, {review['held']} held", "Invoice")
    for heading in ("Total", "Last month"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Held", no_wrap=True)
    table.add_column("Why", overflow="fold")
    rows = [
        (
            row["invoice_id"] or row["tenant_id"],
            _money(row["total_cents"]),
            _money(row["last_total_cents"]),
            "held" if row["held"] else "",
            cells(*(f"{finding['rule']}: {finding['detail']}" for finding in row["findings"])),
        )
        for row in review["entries"]
    ]
    _fill(table, rows, review["count"])
    return table


def runs_table(report: JsonObject) -> Table:
    """Who started which run, and for whom; newest first."""
    table = _table("Runs", "At (UTC)", "By", "For", "Forced", "Run")
    rows = [
        (
            when(row["run_at"]),
            cell(row["by"]),
            "everybody" if row["tenants"] is None else counted(row["tenants"], "tenant"),
            "forced" if row["force"] else "",
            cell(row["run_id"]),
        )
        for row in report["runs"]["runs"]
    ]
    _fill(table, rows, report["runs"]["count"])
    return table


def _lines(report: JsonObject, whole: bool) -> Iterator[str]:
    nothing, missing = report["nothing_to_invoice"], report["missing"]
    invoiced = sum(report["invoiced"].values())
    yield (
        f"{counted(report['tenants'], 'tenant')}: "
        f"{report['due']:,} due, {invoiced:,} invoiced, "
        f"{report['failed']['count']:,} failed, {missing['count']:,} missing; "
        f"{nothing['count']:,} have nothing to invoice."
    )
    if missing["count"]:
        yield f"Missing, with no failure noted: {_names(missing)}"
    if whole and nothing["count"]:
        yield f"Nothing to invoice: {_names(nothing)}"
    void = report["void_not_reissued"]
    if void["count"]:
        yield f"Void, and not billed anew: {_names(void)}"
    yield from _late_lines(report["late_usage"])
    review = report["review"]
    if review["count"] and not whole:
        yield f"{review['count']:,} to review, {review['held']:,} of them held: `monthend report`."
    if whole:
        yield f"Digest of what is reviewed: {report['digest']}"


def _late_lines(late: JsonObject | None) -> Iterator[str]:
    if late is None:
        yield "Late usage: not looked for yet."
        return
    as_of = f"as of {when(late['as_of'])} UTC"
    if not late["complete"]:
        yield f"Late usage {as_of}: not all tenants were looked at."
    elif not late["count"]:
        yield f"Late usage {as_of}: none."
    for failed in late["failed"]["tenants"][:MOST_NAMES]:
        yield f"Late usage of {failed['tenant_id']} is not known: {harmless(failed['reason'])}"


def _names(tenants: JsonObject) -> str:
    shown = tenants["tenant_ids"][:MOST_NAMES]
    more = tenants["count"] - len(shown)
    return ", ".join(shown) + (f" and {more:,} more; --json has all" if more else "")


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("By", "Run"))
    return table


def _fill(table: Table, rows: Sequence[Iterable[str]], count: int) -> None:
    for row in rows[:MOST_ROWS]:
        table.add_row(*row)
    if count > MOST_ROWS:
        between = [""] * (len(table.columns) - 2)
        table.add_row("...", *between, f"{count - MOST_ROWS:,} more; --json has all")


def _money(cents: int | None) -> str:
    return "-" if cents is None else money(cents)
