"""The numbers on invoices: letters are for issued documents, and no number is issued twice."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from io import StringIO
from string import ascii_uppercase
from types import ModuleType
from typing import Any

import pytest

from invoicing.foundation.settings import settings
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import APRIL, Stack
from tests.integration.invoices.test_lifecycle import People
from tests.integration.month_end.closing import Office
from tests.integration.month_end.test_rollup import batch, outcomes
from tests.integration.month_end.test_storage_faults import Call, faults
from tests.older_invoices import RawItem, older_draft, older_void, replaced

ADMIN = "platform_admin"
AFTER_THE_VOID = "2026-05-04T00:00:00Z"


class Books:
    """The pilot's April, made again and again."""

    def __init__(self, stack: Stack, rollup: ModuleType) -> None:
        self.stack = stack
        self.rollup = rollup
        self.people = People(stack)

    def force(self, *, more_hours: int = 0) -> str:
        """Forces the month, perhaps with more usage; returns the number that then stands."""
        if more_hours:
            hours = {"droplet_hours": Decimal(more_hours)}
            self.stack.usage.add("pilot", "pilot", date(2026, 4, 30), hours)
        message = batch("pilot", force=True, run_at=AFTER_THE_VOID)
        assert self.rollup.handler(message, LambdaContext()) == {"batchItemFailures": []}
        return self.stack.invoices.get("pilot", APRIL).header.number

    def change(self, action: str) -> Any:
        """Issues, pays or voids what stands, by the API; returns the answer's body."""
        revision = self.stack.invoices.get("pilot", APRIL).header.revision
        body = {"revision": revision, "reason": "tried"}
        return self.people.do(action, body)["body"]


@pytest.fixture
def books(stack: Stack, rollup: ModuleType) -> Books:
    """The pilot's April before it is invoiced."""
    stack.add_tenant("pilot", account_number="1001")
    return Books(stack, rollup)


def test_a_first_document_has_no_letter_however_often_it_was_repriced(books: Books) -> None:
    assert books.force() == "2604-1001"
    for _ in range(3):
        assert books.force(more_hours=1) == "2604-1001"
    issued = books.change("issue")
    assert (issued["number"], issued["revision"], issued["status"]) == ("2604-1001", 4, "issued")


def test_revisions_go_on_where_two_digits_end(books: Books) -> None:
    """Revisions ended with the letters; now a draft may be repriced a hundred times."""
    books.stack.dynamodb.put_item(TableName="invoices", Item=older_draft(99, "2604-1001"))
    assert books.force(more_hours=29) == "2604-1001"
    assert (books.change("issue")["revision"], books.change("void")["revision"]) == (100, 100)
    assert books.force() == "2604-1001B"
    reader = load_handler("get_invoice")
    call = event("get_invoice") | {"queryStringParameters": {"revision": "100"}}
    call["requestContext"]["authorizer"]["claims"] = {"sub": "a", "cognito:groups": ADMIN}
    answer = json.loads(reader.handler(call, LambdaContext())["body"])
    assert (answer["number"], answer["status"]) == ("2604-1001", "void")


def test_what_was_never_issued_uses_up_no_letter_voided_or_replaced(books: Books) -> None:
    numbers = [books.force()]
    books.change("void")
    numbers.append(books.force())
    assert (books.change("issue")["number"], books.change("void")["status"]) == (
        "2604-1001",
        "void",
    )
    numbers += [books.force(), books.force(more_hours=1)]
    books.change("void")
    numbers += [books.force(), books.force(more_hours=1)]
    assert numbers == ["2604-1001"] * 2 + ["2604-1001B"] * 4
    assert (books.change("issue")["number"], books.change("void")["status"]) == (
        "2604-1001B",
        "void",
    )
    assert books.force() == "2604-1001C"


def test_months_and_tenants_have_letters_of_their_own(books: Books) -> None:
    books.force()
    books.change("issue")
    books.change("void")
    books.stack.add_tenant("acme", account_number="1002")
    message = {"force": True, "run_at": "2026-06-01T03:00:00Z", "period": "2026-05"}
    books.rollup.handler(batch("pilot", "acme", **message), LambdaContext())
    items = books.stack.raw_items("invoices")
    numbers = {item["number"]["S"] for item in items if "number" in item}
    assert numbers == {"2604-1001", "2605-1001", "2605-1002"}


def test_what_is_issued_at_once_uses_up_its_letter(
    books: Books, environment: pytest.MonkeyPatch
) -> None:
    """The draft that stood before the setting changed is no document and uses up none."""
    numbers = [books.force()]
    environment.setenv("ISSUE_IMMEDIATELY", "true")
    settings.cache_clear()
    books.rollup._rollup.cache_clear()
    numbers.append(books.force(more_hours=1))
    assert books.change("void")["number"] == "2604-1001"
    numbers.append(books.force())
    assert books.change("void")["issued_at"] == "2026-05-04T00:00:00+00:00"
    numbers.append(books.force())
    assert numbers == ["2604-1001", "2604-1001", "2604-1001B", "2604-1001C"]


def test_after_z_an_invoice_is_credited_and_not_made_again(books: Books, log: StringIO) -> None:
    for letter in ("", *ascii_uppercase[1:]):
        assert books.force() == f"2604-1001{letter}"
        assert books.change("issue")["status"] == "issued"
        if letter != "Z":
            books.change("void")
    refused = books.change("void")
    last = "no number follows 2604-1001Z, so its month cannot be billed again: credit it instead"
    assert (refused["title"], refused["detail"]) == ("Conflict", last)
    assert [entry["detail"] for entry in books.people.history() if entry["detail"]] == [last]
    books.force(more_hours=1)
    line = outcomes(log.getvalue())[-1]
    assert (line["outcome"], line["reason"]) == ("refused", f"issued, and {last}")
    assert _preview(books) == ("refused", f"issued, and {last}")
    assert books.change("pay")["number"] == "2604-1001Z"


def _preview(books: Books) -> tuple[str, str]:
    office = Office(books.stack, books.rollup)
    answer = office.ask("preview_month_end", query={"tenant_id": "pilot"})
    [shown] = answer["body"]["previews"]
    return shown["outcome"], shown["reason"]


R1_DRAFT = replaced(older_draft(1, "2604-1001"))
R1_VOID = replaced(older_void(1, "2604-1001", issued=True))
R2_DRAFT = replaced(older_draft(2, "2604-1001B"))
R2_VOID = replaced(older_void(2, "2604-1001B", issued=True))
# By name, r10 comes before r2.
TEN_VOID = [
    replaced(older_void(n, f"2604-1001{ascii_uppercase[n - 1]}", issued=True))
    for n in range(2, 11)
]


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        # The letters that drafts used up are gone where a document has a later one.
        ([R1_DRAFT, older_void(2, "2604-1001B", issued=True)], "2604-1001C"),
        ([R1_VOID, older_void(2, "2604-1001B", issued=True)], "2604-1001C"),
        ([R1_DRAFT, R2_VOID, older_void(3, "2604-1001C", issued=False)], "2604-1001C"),
        ([R1_VOID, R2_DRAFT, older_draft(3, "2604-1001C")], "2604-1001B"),
        ([R1_VOID, older_void(2, "2604-1001B", issued=False)], "2604-1001B"),
        ([R1_DRAFT, R2_DRAFT, older_draft(3, "2604-1001C")], "2604-1001"),
        ([R1_DRAFT, older_void(2, "2604-1001B", issued=False)], "2604-1001"),
        ([older_draft(1, "2604-1001")], "2604-1001"),
        ([older_void(1, "2604-1001", issued=True)], "2604-1001B"),
        ([R1_VOID, *TEN_VOID, older_draft(11, "2604-1001K")], "2604-1001K"),
    ],
)
def test_what_commit_6b321da_stored_goes_on_after_its_highest_issued_letter(
    books: Books, stored: list[RawItem], number: str
) -> None:
    for item in stored:
        books.stack.dynamodb.put_item(TableName="invoices", Item=item)
    assert [books.force(more_hours=29), books.force(more_hours=1)] == [number, number]
    before = max(int(item["revision"]["N"]) for item in stored)
    assert books.change("issue")["revision"] == before + 2
    issued = [item for item in books.stack.raw_items("invoices") if "issued_at" in item]
    assert {count for count in Counter(item["number"]["S"] for item in issued).values()} == {1}


def test_an_older_draft_with_a_letter_loses_it_though_its_lines_stay(books: Books) -> None:
    for item in (R1_DRAFT, older_draft(2, "2604-1001B")):
        books.stack.dynamodb.put_item(TableName="invoices", Item=item)
    assert books.force(more_hours=28) == "2604-1001"
    assert books.people.item()["lines"] == R1_DRAFT["lines"]
    again = books.people.item()
    assert books.force() == "2604-1001"
    assert books.people.item() == again


def test_a_z_that_commit_6b321da_stored_as_void_is_billed_by_hand(
    books: Books, log: StringIO
) -> None:
    void = older_void(26, "2604-1001Z", issued=True)
    books.stack.dynamodb.put_item(TableName="invoices", Item=void)
    assert books.force(more_hours=28) == "2604-1001Z"
    line = outcomes(log.getvalue())[-1]
    reason = (
        "void, and no number follows 2604-1001Z, so its month cannot be billed again: "
        "too late to credit it instead, bill the month by hand"
    )
    assert (line["outcome"], line["reason"]) == ("refused", reason)
    assert _preview(books) == ("refused", reason)


def test_a_draft_is_replaced_by_the_same_calls_as_ever_and_an_older_one_by_one_more(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def calls() -> Counter[str]:
        made: Counter[str] = Counter()

        def count(operation: str, arguments: dict[str, Any], call: Call) -> Any:
            made[f"{operation} {arguments.get('TableName', '')}"] += 1
            return call()

        hours = {"droplet_hours": Decimal(1)}
        books.stack.usage.add("pilot", "pilot", date(2026, 4, 30), hours)
        with faults(monkeypatch, count):
            books.force()
        return made

    books.force()
    # The account, its prices, the usage; the invoice, before and (for the test) after.
    first = calls()
    assert first["GetItem invoices"] == 2
    assert (first["Query invoices"], first["TransactWriteItems "]) == (1, 1)
    assert calls() == first
    item = books.people.item()
    assert item.pop("letters_used") == {"N": "0"}
    books.stack.dynamodb.put_item(TableName="invoices", Item=item)
    assert calls() == first + Counter({"Query invoices": 1})


def test_the_letters_used_are_kept_on_the_item_and_shown_to_nobody(books: Books) -> None:
    kept = []
    for _ in range(3):
        books.force()
        kept.append(books.people.item().get("letters_used"))
        shown = books.change("issue")
        assert "letters_used" not in json.dumps(shown)
        books.change("void")
    # Nothing comes before the first revision, so that a first invoice costs no byte more.
    assert kept == [None, {"N": "1"}, {"N": "2"}]
