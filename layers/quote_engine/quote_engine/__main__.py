"""`python -m quote_engine < request.json > quote.json`: a quote from the command line."""

import argparse
import json
import os
import sys

from quote_engine.faults import InvalidRequest
from quote_engine.parse import parse_request
from quote_engine.price import price
from quote_engine.quote import UnpricedUsage
from quote_engine.quote_json import quote_json
from quote_engine.repeated_fields import RepeatedFields, once_each
from quote_engine.text import quantity_text

BAD_INPUT = 2


def main() -> int:
    """Returns 0 with a quote on standard output, or 2 with a line per fault on standard error."""
    argparse.ArgumentParser(
        prog="python -m quote_engine",
        description="Reads a quote request (JSON) from standard input, writes the quote to "
        "standard output. Exit 2 and one line per fault on standard error for bad input.",
        epilog="The request's fields: docs/money-rules.md; an example: events/quote_pilot.json.",
    ).parse_args()
    try:
        request = parse_request(_load(sys.stdin.buffer.read()))
    except InvalidRequest as error:
        print(*error.faults, sep="\n", file=sys.stderr)
        return BAD_INPUT
    quote = price(request)
    for usage in quote.unpriced:
        print(_warning(usage), file=sys.stderr)
    try:
        print(json.dumps(quote_json(request, quote), indent=2), flush=True)
    except BrokenPipeError:
        # The reader has closed the pipe; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _load(text: bytes) -> object:
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=once_each)
    except RepeatedFields as error:
        faults = (f"request: field {name!r} is given twice" for name in error.names)
        raise InvalidRequest(tuple(faults)) from error
    except RecursionError as error:
        raise InvalidRequest(("request: nested too deeply",)) from error
    except ValueError as error:
        raise InvalidRequest((f"request: not JSON: {error}",)) from error


def _warning(usage: UnpricedUsage) -> str:
    quantity = quantity_text(usage.quantity)
    kind = usage.resource_kind
    return f"warning: {usage.deployment_id}: {quantity} of {kind} has no rate; it is not billed"


if __name__ == "__main__":
    sys.exit(main())
