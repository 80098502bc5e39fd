"""`If-Match` and `If-None-Match` (RFC 9110): nobody overwrites what they have not seen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from invoicing.api.http import Event, Problem, Response, bad_request, json_response
from invoicing.foundation.versioned_records import Stored, WriteOutcome, Written

ANY = "*"
ETAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*')
ETAG = '"{}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the caller expects to replace: an ETag in `match` (`*`: any one); None if unsaid."""

    match: frozenset[str] | None = None
    must_be_new: bool = False

    def allow(self, version: int | None) -> None:
        """Raises a 412 if the stored version is not the expected one, a 428 if none was named.

        `version` is None if nothing is stored; then it may be created without a precondition.
        """
        if version is None:
            if self.match is not None:
                raise _failed("There is nothing here yet; send it without If-Match.")
            return
        etag = ETAG.format(version)
        if self.must_be_new:
            raise _failed(f"It is there already, in version {etag}.")
        if self.match is None:
            text = f"It is there, in version {etag}: say in If-Match which version you change."
            raise Problem(HTTPStatus.PRECONDITION_REQUIRED, text)
        if self.match.isdisjoint((ANY, etag)):
            raise _failed(f"It is in version {etag} by now. Read it again.")


def _failed(detail: str) -> Problem:
    return Problem(HTTPStatus.PRECONDITION_FAILED, detail)


def precondition(event: Event) -> Precondition:
    """Reads the precondition in the headers; raises a 400 for what is no list of ETags."""
    match, none_match = _header(event, "if-match"), _header(event, "if-none-match")
    if none_match not in (None, ANY):
        raise bad_request({"If-None-Match": "must be *"})
    if match is None:
        return Precondition(None, none_match == ANY)
    if none_match == ANY:
        raise bad_request({"If-None-Match": "goes without If-Match"})
    if match == ANY:
        return Precondition(frozenset((ANY,)))
    tags = match.split(",")
    if not all(ETAGS.fullmatch(tag) for tag in tags):
        raise bad_request({"If-Match": 'must be * or ETags such as "3"'})
    return Precondition(frozenset(tag.strip() for tag in tags))


def _header(event: Event, name: str) -> str | None:
    """Returns a header's values, joined as HTTP joins them; None without any."""
    headers = event.get("multiValueHeaders") or {
        key: [value] for key, value in (event.get("headers") or {}).items()
    }
    values = [
        value
        for key, header_values in headers.items()
        if key.lower() == name
        for value in header_values
    ]
    return ", ".join(values).strip() if values else None


def with_etag(status: HTTPStatus, version: int, body: Mapping[str, Any]) -> Response:
    """Returns an answer with the ETag that a later PUT names in If-Match."""
    response = json_response(status, body)
    response["headers"]["ETag"] = ETAG.format(version)
    return response


def written_response[R](written: Written[R], body: Mapping[str, Any]) -> Response:
    """Returns a 201 for a record that was created, a 200 for one that was changed or unchanged."""
    created = written.outcome is WriteOutcome.CREATED
    status = HTTPStatus.CREATED if created else HTTPStatus.OK
    return with_etag(status, written.stored.version, body)


def stored_response[R](stored: Stored[R], body: Mapping[str, Any]) -> Response:
    """Returns a 200 with the version that was read."""
    return with_etag(HTTPStatus.OK, stored.version, body)
