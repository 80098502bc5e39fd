"""A caller who changes something says which version they have seen."""

from typing import Any

import pytest

from invoicing.api.http import Problem
from invoicing.api.preconditions import precondition


def status(version: int | None, **headers: str) -> int:
    """Returns the status that a change of this version is refused with; 0 if it is allowed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        precondition({"headers": named}).allow(version)
    except Problem as problem:
        return problem.status.value
    return 0


@pytest.mark.parametrize(
    ("headers", "new", "version_3"),
    [
        ({}, 0, 428),
        ({"If_Match": '"3"'}, 412, 0),
        ({"if_match": '"3"'}, 412, 0),
        ({"If_Match": '"2"'}, 412, 412),
        ({"If_Match": '"2", "3"'}, 412, 0),
        ({"If_Match": '"2","33"'}, 412, 412),
        ({"If_Match": "*"}, 412, 0),
        # Strong comparison (RFC 9110, 13.1.1): a weak ETag never matches.
        ({"If_Match": 'W/"3"'}, 412, 412),
        ({"If_Match": "3"}, 400, 400),
        ({"If_Match": '"3'}, 400, 400),
        ({"If_Match": '"3" "4"'}, 400, 400),
        ({"If_Match": ""}, 400, 400),
        ({"If_Match": '"3", *'}, 400, 400),
        ({"If_Match": '"\x00"'}, 400, 400),
        ({"If_None_Match": "*"}, 0, 412),
        ({"If_None_Match": '"3"'}, 400, 400),
        ({"If_None_Match": "*", "If_Match": "*"}, 400, 400),
    ],
)
def test_what_is_there_is_what_was_expected(
    headers: dict[str, Any], new: int, version_3: int
) -> None:
    assert status(None, **headers) == new
    assert status(3, **headers) == version_3


def test_several_headers_of_a_name_are_one_list() -> None:
    event = {"headers": {"If-Match": '"2"'}, "multiValueHeaders": {"If-Match": ['"3"', '"2"']}}
    precondition(event).allow(3)
    precondition(event).allow(2)
