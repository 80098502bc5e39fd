"""Loads functions as Lambda would import them, and stands in for the context it would pass."""

import importlib.util
from dataclasses import dataclass
from types import ModuleType

from local.template import ROOT


def load_handler(function: str) -> ModuleType:
    """Returns functions/<function>/handler.py as a freshly loaded module."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class LambdaContext:
    """The part of Lambda's context that the functions use."""

    function_name: str = "test"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"
    remaining_ms: int = 60_000
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-southeast-2:123456789012:function:test"

    def get_remaining_time_in_millis(self) -> int:
        """Returns how many milliseconds are left of the invocation."""
        return self.remaining_ms
