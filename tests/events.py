"""The event files that `sam local invoke` uses, for the tests to use too."""

import json
from typing import Any

from local.template import ROOT


def event(name: str) -> dict[str, Any]:
    """events/<name>.json."""
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded
