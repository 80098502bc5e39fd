"""The event files of `sam local invoke`, which the tests use too."""

import json
from typing import Any

from local.template import ROOT


def event(name: str) -> dict[str, Any]:
    """Reads events/<name>.json."""
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded
