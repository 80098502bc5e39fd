"""The report of a month's end as the API and the command line show it, and as it is stored."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.review import finding_json
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_ends_table import RunRecord
from invoicing.month_end.report import MonthReport, Reviewed, UnbilledUsage

# How many entries of each list are shown at most; its count covers all of them.
MOST_SHOWN = 1000
# How much of DynamoDB's 400 KB a stored report may take, and the cuts of its lists to try.
STORED_BYTES = 300 * 1024
STORED_CUTS = (1000, 300, 100, 30, 0)
AMOUNTS = ("subtotal_cents", "tax_cents", "total_cents")


def report_json(report: MonthReport, most: int = MOST_SHOWN) -> dict[str, Any]:
    """Returns the report as the API shows it, with at most `most` entries of each list."""
    states = Counter(listed.header.status for listed in report.invoices)
    headers = [listed.header for listed in report.invoices]
    void = [header.tenant_id for header in headers if header.status is InvoiceStatus.VOID]
    due = len(headers) + len(report.failed) + len(report.missing)
    return {
        "period": report.period.label,
        "as_of": report.as_of.isoformat(),
        "stored": False,
        "digest": report.digest,
        "tenants": due + len(report.nothing_to_invoice),
        "due": due,
        "invoiced": {status.value: states[status] for status in InvoiceStatus},
        "by_status": _by_status(headers),
        "totals": _totals(headers),
        "nothing_to_invoice": _names(report.nothing_to_invoice, most),
        "failed": cut("tenants", [_failure_json(failure) for failure in report.failed], most),
        "missing": _names(report.missing, most),
        "void_not_reissued": _names(void, most),
        "unbilled_usage": cut("entries", list(map(_unbilled_json, report.unbilled)), most),
        "late_usage": _late_usage(report.late_usage, most),
        # Newest first: of very many, the oldest are left out.
        "runs": cut("runs", [_run_json(run) for run in reversed(report.runs)], most),
        "review": review_json(report.review(), most),
    }


def stored_report_json(report: MonthReport) -> dict[str, Any]:
    """Returns the report as it is stored: its lists are cut until it fits into an item."""
    return cut_to_fit(partial(report_json, report))


def cut_to_fit(shown: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """Returns what is shown with as many entries of each list as fit into an item."""
    for most in STORED_CUTS:
        body = shown(most)
        if len(json.dumps(body, ensure_ascii=False).encode()) <= STORED_BYTES:
            break
    return body


def review_json(review: Sequence[Reviewed], most: int) -> dict[str, Any]:
    """Returns the number of review entries, how many are held back, and the first of them."""
    held = sum(1 for entry in review if entry.held)
    shown = [reviewed_json(entry) for entry in review[:most]]
    return {"count": len(review), "held": held, "entries": shown}


def reviewed_json(reviewed: Reviewed) -> dict[str, Any]:
    """Returns an entry of the review list; amounts are in cents."""
    invoice = reviewed.invoice
    return {
        "tenant_id": reviewed.tenant_id,
        "invoice_id": invoice.id if invoice else None,
        "revision": invoice.revision if invoice else None,
        "total_cents": invoice.total_cents if invoice else None,
        "last_total_cents": reviewed.before.total_cents if reviewed.before else None,
        "held": reviewed.held,
        "findings": [finding_json(finding) for finding in reviewed.findings],
    }


def _by_status(headers: Sequence[Header]) -> list[dict[str, Any]]:
    kinds = sorted({(header.currency, header.status) for header in headers})
    return [
        {"currency": currency, "status": status.value}
        | _sums(
            [
                header
                for header in headers
                if (header.currency, header.status) == (currency, status)
            ]
        )
        for currency, status in kinds
    ]


def _totals(headers: Sequence[Header]) -> list[dict[str, Any]]:
    """Totals of what is billed, so without void invoices: one row per currency, usually one."""
    billed = [header for header in headers if header.status is not InvoiceStatus.VOID]
    return [
        {"currency": currency}
        | _sums([header for header in billed if header.currency == currency])
        for currency in sorted({header.currency for header in billed})
    ]


def _sums(headers: Sequence[Header]) -> dict[str, int]:
    sums = {name: sum(getattr(header, name) for header in headers) for name in AMOUNTS}
    return {"invoices": len(headers)} | sums


def cut(name: str, entries: Sequence[Any], most: int) -> dict[str, Any]:
    """Returns the number of entries, and the first of them."""
    return {"count": len(entries), name: list(entries[:most])}


def _unbilled_json(usage: UnbilledUsage) -> dict[str, Any]:
    return asdict(usage) | {"quantity": format(usage.quantity, "f")}


def _late_usage(stored: Mapping[str, Any] | None, most: int) -> dict[str, Any] | None:
    """Returns what is stored of late usage, which is cut already, cut further."""
    if stored is None:
        return None
    failed = stored["failed"]
    return {
        **stored,
        "entries": stored["entries"][:most],
        "failed": {**failed, "tenants": failed["tenants"][:most]},
    }


def _names(tenant_ids: Sequence[str], most: int) -> dict[str, Any]:
    return cut("tenant_ids", tenant_ids, most)


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {
        "tenant_id": failure.tenant_id,
        "reason": failure.reason,
        "run_id": failure.run_id,
        "sent_at": failure.sent_at.isoformat(),
        "receive_count": failure.receive_count,
    }


def _run_json(run: RunRecord) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "run_at": run.run_at.isoformat(),
        "by": run.by,
        "force": run.force,
        "tenants": run.tenants,
        "tenant_ids": list(run.named) if run.named else None,
    }
