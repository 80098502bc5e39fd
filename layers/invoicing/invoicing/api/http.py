"""Shared parts of the API functions: JSON answers, problem+json, CORS, query parameters."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller, TenantNotNamed, caller_of
from invoicing.foundation.json_input import InvalidBody, InvalidJson, read_json
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import RecordBusy

type Event = Mapping[str, Any]
type Response = dict[str, Any]
type ApiHandler = Callable[[Event, Caller], Response]

MOST_ERRORS, LONGEST_TEXT = 100, 500


class Problem(Exception):
    """An answer other than success, as RFC 9457 problem+json.

    `errors` names each faulty field, if there are any; `more` holds further members of the body.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.more = more or {}

    def as_json(self) -> dict[str, Any]:
        """Returns the body of the answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            **self.more,
        }
        if self.errors is not None:
            body["errors"] = [
                {"field": name, "detail": text} for name, text in self.errors.items()
            ]
        return body


def not_there(what: str) -> Problem:
    """Returns the same 404 for what does not exist and for what is not the caller's."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def forbidden() -> Problem:
    """Returns the 403 for a caller who may not use a route at all."""
    return Problem(HTTPStatus.FORBIDDEN, "None of this caller's groups gives access to this.")


def json_body(event: Event) -> Any:
    """Returns the parsed body; raises a 400 when it is not JSON or names a field twice."""
    try:
        return read_json(_raw_body(event))
    except InvalidJson as error:
        raise bad_request({"body": str(error)}) from error


def _raw_body(event: Event) -> str | bytes:
    text = event.get("body") or ""
    try:
        return base64.b64decode(text) if event.get("isBase64Encoded") else str(text)
    except binascii.Error as error:
        raise bad_request({"body": "not base64"}) from error


def received_at(event: Event) -> datetime:
    """Returns when API Gateway received the request (UTC): the API functions' only clock."""
    return datetime.fromtimestamp(event["requestContext"]["requestTimeEpoch"] / 1000, UTC)


def bad_request(errors: Mapping[str, str]) -> Problem:
    """Returns a 400 that names every faulty parameter."""
    return field_problem(HTTPStatus.BAD_REQUEST, errors)


def conflict(errors: Mapping[str, str]) -> Problem:
    """Returns a 409 that names every field that conflicts with what is stored."""
    return field_problem(HTTPStatus.CONFLICT, errors)


def field_problem(status: HTTPStatus, errors: Mapping[str, str]) -> Problem:
    """Returns a problem that names fields: the first ones, and the beginning of long texts.

    It repeats what was sent, and an answer of over 6 MB would fail.
    """
    shown = {
        name[:LONGEST_TEXT]: text[:LONGEST_TEXT]
        for name, text in islice(errors.items(), MOST_ERRORS)
    }
    detail = "; ".join(f"{name}: {text}" for name, text in shown.items())
    if len(errors) > len(shown):
        detail += f"; and {len(errors) - len(shown)} more"
    return Problem(status, detail, shown)


def json_response(
    status: HTTPStatus, body: Mapping[str, Any], content_type: str = "application/json"
) -> Response:
    """Returns a proxy response: never cached, and readable by pages of the allowed origin."""
    return {
        "statusCode": status.value,
        "headers": {
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Access-Control-Allow-Origin": settings().allowed_origin,
            "Access-Control-Expose-Headers": "ETag",
            "Vary": "Origin",
        },
        "body": json.dumps(body),
    }


def ok(body: Mapping[str, Any]) -> Response:
    """Returns a 200 with a JSON body."""
    return json_response(HTTPStatus.OK, body)


def preflight() -> Response:
    """Returns the answer to a browser's CORS preflight; it needs no caller, reveals nothing."""
    response = json_response(HTTPStatus.NO_CONTENT, {})
    response["body"] = ""
    response["headers"] |= {
        "Access-Control-Allow-Methods": "GET,POST,PUT,OPTIONS",
        "Access-Control-Allow-Headers": "Authorization,Content-Type,If-Match,If-None-Match",
        "Access-Control-Max-Age": "600",
    }
    return response


def path_parameter(event: Event, name: str, pattern: str) -> str | None:
    """Returns a path parameter that matches the pattern; None if nothing can have such a name."""
    value = (event.get("pathParameters") or {}).get(name) or ""
    return value if re.fullmatch(pattern, value) else None


def needed_from_path(event: Event, name: str, pattern: str) -> str:
    """Returns a path parameter of a route that may create what it names; no match raises a 400."""
    value = path_parameter(event, name, pattern)
    if value is None:
        raise bad_request({name: f"must match {pattern}"})
    return value


def scoped_tenant(caller: Caller, requested: str | None) -> str | None:
    """Returns the one tenant that is meant; None means every tenant (admins only).

    Raises a 400 for what is no tenant id, and for a caller of several tenants who names none. The
    route must check whether the caller may see the tenant, and answer in its own way.
    """
    if requested is not None and not re.fullmatch(TENANT_ID, requested):
        raise bad_request({"tenant_id": f"must match {TENANT_ID}"})
    try:
        return caller.tenant_scope(requested)
    except TenantNotNamed as error:
        raise bad_request({"tenant_id": f"name one of {error}"}) from error


def query_parameters(event: Event, known: frozenset[str]) -> dict[str, str]:
    """Returns the query parameters; raises a 400 for unknown and for repeated ones."""
    parameters = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    errors = {name: "unknown parameter" for name in parameters if name not in known}
    errors |= {
        name: "given more than once" for name, values in parameters.items() if len(values) != 1
    }
    if errors:
        raise bad_request(errors)
    return {name: values[0] for name, values in parameters.items()}


def _method(event: Event) -> str:
    http = (event.get("requestContext") or {}).get("http") or {}
    return str(event.get("httpMethod") or http.get("method") or "")


type Answer = Problem | Callable[[Any], Problem]
"""The answer to an exception: always the same, or made from the exception."""


def invalid_body(error: InvalidBody) -> Problem:
    """Returns a 400 that names every faulty field of the body."""
    return bad_request(error.reasons)


BUSY = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "Others are changing this. Sending the request again is safe."
)
FAILED = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The request failed.")
# The answers of every route that does not declare its own.
ANSWERS: Mapping[type[Exception], Answer] = {InvalidBody: invalid_body, RecordBusy: BUSY}


type Declared = Sequence[tuple[type[Exception], Answer]]


def _answer_to(error: Exception, answers: Declared, logger: Logger) -> Problem:
    """Returns the declared answer to an exception; without one, logs it and returns a 500."""
    try:
        problem = _declared_answer(error, answers)
    except Exception:
        # Nobody declared an answer, or the answer itself failed.
        logger.exception("request failed")
        return FAILED
    if problem is BUSY:
        logger.warning("record busy", extra={"reason": str(error)})
    return problem


def _declared_answer(error: Exception, answers: Declared) -> Problem:
    """Returns the answer to an exception; raises the exception itself if none is declared."""
    if isinstance(error, Problem):
        return error
    for kind, answer in answers:
        if isinstance(error, kind):
            return answer if isinstance(answer, Problem) else answer(error)
    raise error


def api(
    logger: Logger,
    may: Callable[[Caller], bool],
    answers: Mapping[type[Exception], Answer] | None = None,
) -> Callable[[ApiHandler], Callable[[Event, Any], Response]]:
    """Wraps a handler of (event, caller): expected exceptions become their answers.

    `answers` declares the route's own, such as `{InvoiceNotFound: not_there("invoice")}`. A caller
    who `may` not use the route at all gets a 403. An exception without an answer is logged with
    its traceback and becomes a 500 here, because API Gateway's own 502 would reach a browser
    without CORS headers; the API's 5XX alarm still counts it.
    """
    # A route's own answers take precedence.
    declared = (*(answers or {}).items(), *ANSWERS.items())

    def wrap(handle: ApiHandler) -> Callable[[Event, Any], Response]:
        @wraps(handle)
        def handler(event: Event, _context: Any) -> Response:
            if _method(event) == "OPTIONS":
                return preflight()
            try:
                caller = caller_of(event)
                if not may(caller):
                    raise forbidden()
                return handle(event, caller)
            except Exception as error:
                problem = _answer_to(error, declared, logger)
            return json_response(problem.status, problem.as_json(), "application/problem+json")

        return handler

    return wrap
