"""Issue, pay and void through the deployed API, by several people at once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError

from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.month_end.rollup_message import RollupMessage
from tests.e2e.conftest import Answer, Deployed
from tests.e2e.test_late_usage import add_tenant, run
from tests.e2e.test_races import message
from tests.openapi import assert_promised

PEOPLE = 4
LEDGER = "ledger"


@pytest.fixture(scope="module")
def admins(deployed: Deployed) -> list[str]:
    """The tokens of people in finance, and a tenant whose invoices they look after."""
    add_tenant(deployed, LEDGER, "9301")
    names = [f"finance-{number}" for number in range(PEOPLE)]
    return [deployed.user_in(name, "platform_admin") for name in names]


def change(deployed: Deployed, token: str, invoice_id: str, action: str, body: Any) -> Answer:
    """Posts one person's request; fails unless the OpenAPI document promises the answer."""
    answer = deployed.call(f"/invoices/{invoice_id}/{action}", token, "POST", body)
    kind = answer.headers["Content-Type"]
    assert_promised(f"/invoices/{{id}}/{action}", answer.status, kind, answer.json, method="post")
    return answer


def history(deployed: Deployed, token: str, invoice_id: str) -> list[dict[str, Any]]:
    """Returns the entries of an invoice's history."""
    answer = deployed.call(f"/invoices/{invoice_id}/history", token)
    assert_promised("/invoices/{id}/history", 200, "application/json", answer.json)
    entries: list[dict[str, Any]] = answer.json["entries"]
    return entries


def at_once(work: list[Any]) -> list[Any]:
    """Starts all of these calls at the same moment; returns their results."""
    start = Barrier(len(work))

    def worker(call: Any) -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(worker, work))


def test_of_four_who_issue_at_once_one_wins_and_all_are_in_the_history(
    deployed: Deployed, admins: list[str]
) -> None:
    run(deployed.rollup, LEDGER, "2024-08")
    issue = partial(change, deployed, action="issue", body={"revision": 1})
    answers = at_once([partial(issue, token, f"{LEDGER}.2024-08") for token in admins])
    assert Counter(answer.status for answer in answers) == {200: 1, 409: PEOPLE - 1}
    entries = [entry for entry in history(deployed, admins[0], f"{LEDGER}.2024-08")][1:]
    assert Counter(entry["outcome"] for entry in entries) == {"done": 1, "refused": PEOPLE - 1}
    assert {entry["by"] for entry in entries} == {f"finance-{n}" for n in range(PEOPLE)}
    [winner] = [n for n, answer in enumerate(answers) if answer.status == 200]
    again = issue(admins[winner], f"{LEDGER}.2024-08")
    assert (again.status, again.json) == (200, answers[winner].json)


def test_issue_and_a_forced_run_at_once_leave_one_that_was_reviewed(
    deployed: Deployed, admins: list[str]
) -> None:
    rollup, usage = deployed.rollup, deployed.rollup.pricing.usage
    for month in range(1, 7):
        period = f"2024-{month:02}"
        run(rollup, LEDGER, period)
        more = {"droplet_hours": Decimal(3000)}
        usage.add(LEDGER, LEDGER, date(2024, month, 9), more)
        answer, _ = at_once(
            [
                partial(
                    change, deployed, admins[0], f"{LEDGER}.{period}", "issue", {"revision": 1}
                ),
                partial(_forced, deployed, message(LEDGER, period, force=True), month),
            ]
        )
        header = deployed.call(f"/invoices/{LEDGER}.{period}", admins[0]).json
        if answer.status == 200:
            assert (header["status"], header["revision"]) == ("issued", 1)
        else:
            assert (answer.status, header["status"], header["revision"]) == (409, "draft", 2)
            assert answer.json["current"]["revision"] == 2
        entries = history(deployed, admins[0], f"{LEDGER}.{period}")
        [tried] = [entry for entry in entries if entry["action"] == "issue"]
        assert tried["outcome"] == ("done" if answer.status == 200 else "refused")


def _forced(deployed: Deployed, rollup_message: RollupMessage, month: int) -> None:
    # This process is quicker than a request; with the pause the request is sometimes first.
    time.sleep(0.03 * (month - 1))
    try:
        deployed.rollup.roll_up(rollup_message)
    except (InvoiceChanged, TransactWriteError):
        # As on the queue the message comes again; the issued invoice refuses it.
        deployed.rollup.roll_up(rollup_message)


def test_a_bill_is_issued_paid_and_never_voided_and_its_tenant_may_only_read(
    deployed: Deployed, admins: list[str]
) -> None:
    run(deployed.rollup, LEDGER, "2024-09")
    invoice_id = f"{LEDGER}.2024-09"
    tenant = deployed.user_in(LEDGER, f"tenant:{LEDGER}")
    for action in ("issue", "pay", "void"):
        body = {"revision": 1, "reason": "mine"}
        assert (
            deployed.call(f"/invoices/{invoice_id}/{action}", tenant, "POST", body).status == 403
        )
    assert deployed.call(f"/invoices/{invoice_id}/history", tenant).status == 403

    issued = change(deployed, admins[0], invoice_id, "issue", {"revision": 1})
    assert issued.status == 200
    assert deployed.call(f"/invoices/{invoice_id}", tenant).json["status"] == "issued"
    reviewed = {"fingerprint": issued.json["fingerprint"]}
    assert change(deployed, admins[1], invoice_id, "pay", reviewed).json["status"] == "paid"
    refused = change(deployed, admins[2], invoice_id, "void", reviewed | {"reason": "too late"})
    assert (refused.status, refused.json["current"]["status"]) == (409, "paid")
    entries = [
        (e["action"], e["by"], e["outcome"]) for e in history(deployed, admins[3], invoice_id)
    ]
    assert entries[1:] == [
        ("issue", "finance-0", "done"),
        ("pay", "finance-1", "done"),
        ("void", "finance-2", "refused"),
    ]
