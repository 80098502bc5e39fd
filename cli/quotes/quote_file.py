"""`monthend quote FILE`: a price from the engine alone, without any call to AWS."""

import json
import sys
from pathlib import Path

from cli.terminal.errors import BadInput
from cli.terminal.text_file import read_text
from quote_engine import QuoteRequest, parse_request

STANDARD_INPUT = Path("-")


def read_request(file: Path) -> QuoteRequest:
    """Reads the request from a file, or from standard input for `-`.

    Raises BadInput for what is not JSON and quote_engine.InvalidRequest for what cannot be priced.
    """
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else read_text(file)
        data = json.loads(text, object_pairs_hook=_once_each)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    except RecursionError as error:
        raise BadInput(f"{file}: nested too deeply") from error
    except ValueError as error:
        raise BadInput(f"{file}: not JSON: {error}") from error
    return parse_request(data)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is given twice in one object")
    return fields
