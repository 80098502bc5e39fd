"""A route answers an exception as it declared, as all routes do, or with a 500."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import Answer, Event, Problem, Response, api, not_there, ok
from invoicing.foundation.json_input import InvalidBody
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import RecordBusy
from tests.conftest import ENVIRONMENT

EVENT = {"httpMethod": "GET", "requestContext": {"authorizer": {"claims": {}}}}


class Taken(Exception):
    """Something belongs to somebody else."""


class Missing(Exception):
    """Something is not there."""


class MissingThere(Missing):
    """A special case of something missing."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the environment variables of a function."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def answer_to(error: Exception | None, **route: Any) -> tuple[int, Any]:
    """Returns the status and body of a route that raises this error; None raises nothing."""

    @api(Logger(service="test"), may=lambda _: True, **route)
    def handler(_event: Event, _caller: Caller) -> Response:
        if error is not None:
            raise error
        return ok({"is": "well"})

    response = handler(EVENT, None)
    return response["statusCode"], json.loads(response["body"])


ANSWERS: dict[type[Exception], Answer] = {
    Missing: not_there("plan"),
    Taken: lambda error: Problem(HTTPStatus.CONFLICT, f"taken: {error}"),
}


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Missing("x"), 404, "There is no such plan."),
        (MissingThere("x"), 404, "There is no such plan."),
        (Taken("by acme"), 409, "taken: by acme"),
        (Problem(HTTPStatus.GONE, "It went."), 410, "It went."),
        (InvalidBody({"name": "must be text"}), 400, "name: must be text"),
        (
            RecordBusy("six tries"),
            503,
            "Others are changing this. Sending the request again is safe.",
        ),
        (KeyError("secret"), 500, "The request failed."),
    ],
)
def test_an_exception_becomes_its_declared_answer(
    error: Exception, status: int, detail: str
) -> None:
    code, body = answer_to(error, answers=ANSWERS)
    assert (code, body["status"], body["detail"]) == (status, status, detail)


def test_an_undeclared_exception_reveals_nothing() -> None:
    code, body = answer_to(Taken("by acme, customer of ours"))
    assert code == 500
    assert "acme" not in json.dumps(body)


def test_a_route_may_answer_in_its_own_way_what_all_routes_answer_alike() -> None:
    mine = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Not this body.")
    assert answer_to(InvalidBody({"a": "b"}), answers={InvalidBody: mine})[0] == 422


def test_an_answer_that_fails_is_a_500_like_anything_unexpected() -> None:
    code, body = answer_to(Taken("x"), answers={Taken: lambda error: 1 / 0})
    assert (code, body["detail"]) == (500, "The request failed.")


def test_without_an_exception_the_answer_is_the_handlers_own() -> None:
    assert answer_to(None) == (200, {"is": "well"})


def test_a_caller_without_the_right_is_refused_whatever_the_route_would_raise() -> None:
    @api(Logger(service="test"), may=lambda caller: caller.is_admin, answers=ANSWERS)
    def handler(_event: Event, _caller: Caller) -> Response:
        raise Missing("x")

    assert handler(EVENT, None)["statusCode"] == 403
