"""Replies that never came over a network, in the shape that botocore gets from urllib3."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse

OK = 200


class _Body:
    """A reply's bytes, as urllib3 would hand them over."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def reply_to(request: Any, headers: Mapping[str, str], content: bytes) -> AWSResponse:
    """Returns a successful reply to a request, with this content."""
    return AWSResponse(request.url, OK, headers, _Body(content))
