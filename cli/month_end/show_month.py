"""How the report of a month's end looks to a person: counts first, then what needs somebody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.output import show
from cli.terminal.show import money, print_table
from cli.terminal.text import cell, cells, counted

MOST_ROWS = 100
MOST_NAMES = 20
MINUTES = 16

type Document = Mapping[str, Any]


def show_month(
    as_json: bool, document: Document, *, whole: bool, more: Iterable[str] = ()
) -> None:
    """The report as JSON, or its tables: of a status what went wrong, of a whole report all.

    `more` are lines below it for a person.
    """
    if as_json:
        show(True, document, Table)
        return
    tables = [totals_table(document), failed_table(document)]
    if whole:
        tables += [review_table(document["review"]), runs_table(document)]
    if not tables[0].row_count:
        print(_title(document))
    for table in tables:
        if table.row_count:
            print_table(table)
    for line in (*_lines(document, whole), *more):
        print(line)


def totals_table(document: Document) -> Table:
    """What is invoiced, by state; every sum by currency."""
    table = _table(_title(document), "Status")
    for heading in ("Invoices", "Subtotal", "GST", "Total"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in document["by_status"]:
        table.add_row(row["status"], *_sums(row))
    if len(document["by_status"]) > 1:
        table.add_section()
        for row in document["totals"]:
            table.add_row("not void", *_sums(row))
    return table


def _title(document: Document) -> str:
    first = date.fromisoformat(f"{document['period']}-01")
    stored = ", as stored" if document["stored"] else ""
    return f"{first:%B %Y} as of {when(document['as_of'])} UTC{stored}"


def _sums(row: Document) -> tuple[str, ...]:
    amounts = (money(row[f"{name}_cents"]) for name in ("subtotal", "tax", "total"))
    return (str(row["invoices"]), *amounts, row["currency"])


def failed_table(document: Document) -> Table:
    """Every tenant that is due and failed, and why."""
    table = _table(
        f"{document['failed']['count']} failed", "Tenant", "Message sent (UTC)", "Tries"
    )
    table.add_column("Reason", overflow="fold")
    rows = [
        (row["tenant_id"], when(row["sent_at"]), str(row["receive_count"]), cell(row["reason"]))
        for row in document["failed"]["tenants"]
    ]
    _fill(table, rows, document["failed"]["count"])
    return table


def review_table(review: Document) -> Table:
    """What should be looked at before drafts are issued; held ones first."""
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
            cells(*(f"{each['rule']}: {each['detail']}" for each in row["findings"])),
        )
        for row in review["entries"]
    ]
    _fill(table, rows, review["count"])
    return table


def runs_table(document: Document) -> Table:
    """Who started which run, and for whom; the newest first."""
    table = _table("Runs", "At (UTC)", "By", "For", "Forced", "Run")
    rows = [
        (
            when(row["run_at"]),
            cell(row["by"]),
            "everybody" if row["tenants"] is None else counted(row["tenants"], "tenant"),
            "forced" if row["force"] else "",
            cell(row["run_id"]),
        )
        for row in document["runs"]["runs"]
    ]
    _fill(table, rows, document["runs"]["count"])
    return table


def _lines(document: Document, whole: bool) -> Iterator[str]:
    nothing, missing = document["nothing_to_invoice"], document["missing"]
    invoiced = sum(document["invoiced"].values())
    yield (
        f"{counted(document['tenants'], 'tenant')}: "
        f"{document['due']:,} due, {invoiced:,} invoiced, "
        f"{document['failed']['count']:,} failed, {missing['count']:,} missing; "
        f"{nothing['count']:,} have nothing to invoice."
    )
    if missing["count"]:
        yield f"Missing, with no failure noted: {_names(missing)}"
    if whole and nothing["count"]:
        yield f"Nothing to invoice: {_names(nothing)}"
    void = document["void_not_reissued"]
    if void["count"]:
        yield f"Void, and not billed anew: {_names(void)}"
    review = document["review"]
    if review["count"] and not whole:
        yield f"{review['count']:,} to review, {review['held']:,} of them held: `monthend report`."
    if whole:
        yield f"Digest of what is reviewed: {document['digest']}"


def _names(named: Document) -> str:
    shown = named["tenant_ids"][:MOST_NAMES]
    more = named["count"] - len(shown)
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
    """`2026-05-01 03:00`, of a UTC time."""
    return text.replace("T", " ")[:MINUTES]
