"""A request's body: what it may be, and in which words anything else is refused."""

import base64
from typing import Any

import pytest

from invoicing.accounts.subscription_form import DeploymentForm
from invoicing.accounts.tenant_form import AddressForm
from invoicing.api.http import Problem, json_body
from invoicing.foundation.json_input import InvalidBody, InvalidJson, read_body, read_json
from invoicing.invoices.lifecycle import Action, read_change_request
from invoicing.month_end.bulk_issue import read_bulk_issue_request
from invoicing.month_end.run_request import read_run_request
from invoicing.pricing.quotes import QuoteBody, read_quote_body

WHERE = {"locality": "Sydney", "country": "AU"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "not JSON: Expecting property name"),
        (b"\xff", "not text in UTF-8"),
        ("[" * 200_000, "nested too deeply"),
        ("1" * 5000, "a number has too many digits"),
        ('{"a": 1, "a": 1}', "field 'a' is given twice"),
        ('{"a": [{"b": {}, "c": 1, "b": 2, "c": 3, "b": 4}]}', "field 'b' is given twice; field"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(text: str | bytes, fault: str) -> None:
    with pytest.raises(InvalidJson) as invalid:
        read_json(text)
    assert str(invalid.value).startswith(fault)


def test_fields_of_several_objects_may_have_one_name() -> None:
    assert read_json('{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}') == {
        "a": {"a": 1},
        "b": [{"a": 2}, {"a": 3}],
    }


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"period": "2026-04", "period": "2026-05"}', "field 'period' is given twice"),
        (base64.b64encode(b'{"a": 1, "a": 2}').decode(), "field 'a' is given twice"),
        ("A", "not base64"),
    ],
)
def test_a_request_with_such_a_body_is_a_400(body: str, detail: str) -> None:
    encoded = not body.startswith("{")
    with pytest.raises(Problem) as problem:
        json_body({"body": body, "isBase64Encoded": encoded})
    assert (problem.value.status, problem.value.errors) == (400, {"body": detail})


@pytest.mark.parametrize("body", [None, [], "text", 5, True])
def test_every_reader_refuses_a_body_that_is_no_object(body: Any) -> None:
    readers = [
        *(read_bulk_issue_request, read_quote_body, read_run_request),
        *(lambda change, action=action: read_change_request(action, change) for action in Action),
    ]
    for read in readers:
        with pytest.raises(InvalidBody) as invalid:
            read(body)
        assert invalid.value.reasons == {"body": "must be an object"}


@pytest.mark.parametrize(
    ("model", "body", "field", "text"),
    [
        (QuoteBody, {"addons": {}}, "addons", "must be a list"),
        (QuoteBody, {"addons": ["a"]}, "addons.0", "must be an object"),
        (QuoteBody, {"addons": [{"code": "a"}] * 201}, "addons", "must have at most 200 in it"),
        (QuoteBody, {"usage": []}, "usage", "must be an object"),
        (DeploymentForm, {"segments": "all"}, "segments", "must be a list"),
        (AddressForm, {"lines": []} | WHERE, "lines", "must have at least 1 in it"),
    ],
)
def test_no_fault_is_described_in_words_of_python(
    model: Any, body: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(InvalidBody) as invalid:
        read_body(model, body, InvalidBody)
    assert invalid.value.reasons[field] == text
