"""How the report of a month's end looks to a person: counts first, then what needs attention."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.output import show
from cli.terminal.tables import money, print_table
from cli.terminal.text import cell, cells, counted

MOST_ROWS = 100
MOST_NAMES = 20
MINUTES = 16

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
    tables = [totals_table(report), failed_table(report)]
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
    review = report["review"]
    if review["count"] and not whole:
        yield f"{review['count']:,} to review, {review['held']:,} of them held: `monthend report`."
    if whole:
        yield f"Digest of what is reviewed: {report['digest']}"


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


def when(text: str) -> str:
    """A UTC time in ISO format as `2026-05-01 03:00`."""
    return text.replace("T", " ")[:MINUTES]
