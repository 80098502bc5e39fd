"""The functions that ship, loaded as Lambda loads them, with the simulation's AWS around them.

Clock, sleep, ids, jitter and thread pools are patched so that a seed repeats itself; and so are
limits that a small month never reaches: pages of 100 KB, transactions of 98 events, and so on.
"""

import gc
import inspect
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from random import Random
from types import ModuleType
from typing import Any, Protocol, Self
from unittest.mock import patch

import botocore.client

from invoicing.foundation import dynamodb, settings
from invoicing.invoices import invoice_item, keys
from invoicing.month_end import late_usage_sweep, send_messages
from invoicing.month_end import start as month_end_start
from invoicing.usage import metering, taking_back, usage_events_table
from local.handlers import load_handler
from tests.conftest import ENVIRONMENT
from tests.simulation.stage.stage import Stage, Threads, on_one_processor

WORKERS = 3
ROLLUP_QUEUE, USAGE_QUEUE = "https://aws.simulated/rollup", "https://aws.simulated/usage"
VARIABLES = {
    **ENVIRONMENT,
    "ROLLUP_QUEUE_URL": ROLLUP_QUEUE,
    "AWS_LAMBDA_FUNCTION_NAME": "start-month-end",
    # Metrics of interleaved workers would mix: in Lambda each worker has its own process.
    "POWERTOOLS_METRICS_DISABLED": "true",
}
# How many bytes, tenants, entries and events a page or a call holds in this small world, how many
# parts an index has, and how many months a sweep looks back.
SCALE = (
    (invoice_item, "PAGE_BYTES", 1_000),
    (keys, "SHARDS", 3),
    (month_end_start, "TENANTS_PER_PAGE", 2),
    (late_usage_sweep, "MONTHS_AROUND", 4),
    (send_messages, "ENTRIES", 2),
    (usage_events_table, "EVENTS_A_TRANSACTION", 3),
    (taking_back, "EVENTS_A_CHUNK", 2),
)


class SimulatedWorld(Protocol):
    """The simulation that is running, as the patched functions need it."""

    rng: Random

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of the deployment."""

    @property
    def now(self) -> datetime:
        """The simulated time."""

    @property
    def stage(self) -> Stage:
        """All strands, and whose turn it is."""

    def aws(self, client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers an AWS call."""

    def sleep(self, seconds: float) -> None:
        """Lets simulated time pass."""


@dataclass(slots=True)
class Log:
    """The lines that a function logged, each with the error it was about, if any."""

    lines: list[tuple[str, Mapping[str, Any], BaseException | None]] = field(default_factory=list)

    def say(self, message: str, *_: Any, extra: Mapping[str, Any] | None = None) -> None:
        """Adds a line without an error."""
        self.lines.append((message, extra or {}, None))

    def exception(self, message: str, *_: Any, extra: Mapping[str, Any] | None = None) -> None:
        """Adds a line about the error that is being handled."""
        self.lines.append((message, extra or {}, sys.exception()))


class Function:
    """One function in one process that stays warm until it is killed."""

    def __init__(self, name: str, *, bare: bool = False) -> None:
        self.name = name
        self.log = Log()
        self.module = load_handler(name)
        for level in ("info", "warning", "error"):
            setattr(self.module.logger, level, self._say)
        self.module.logger.exception = self._exception
        if hasattr(self.module, "metrics"):
            for counted in ("add_metric", "add_dimensions", "flush_metrics"):
                setattr(self.module.metrics, counted, lambda **_: None)
        # `bare`: without powertools' decorator, which keeps one set of metrics per interpreter.
        handler = self.module.handler
        self.handler = inspect.unwrap(handler) if bare else handler

    def _say(self, message: str, *words: Any, extra: Mapping[str, Any] | None = None) -> None:
        self.log.say(message, *words, extra=extra)

    def _exception(
        self, message: str, *words: Any, extra: Mapping[str, Any] | None = None
    ) -> None:
        self.log.exception(message, *words, extra=extra)

    def start_cold(self) -> None:
        """Clears what a warm process keeps: its log and the caches of its module."""
        self.log = Log()
        for value in vars(self.module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@dataclass(frozen=True, slots=True)
class Functions:
    """Every function of the story; the rollup is there once per worker."""

    start: Function
    rollups: tuple[Function, ...]
    repeat: Function
    ingest: Function
    record: Function
    correct: Function
    get: Function
    list: Function
    change: Function
    sweep: Function
    sweep_late: Function
    report: Function
    usage: Function
    subscribe: Function

    @classmethod
    def load(cls) -> Self:
        """Imports all handlers."""
        return cls(
            start=Function("start_month_end"),
            rollups=tuple(Function("rollup_tenant", bare=True) for _ in range(WORKERS)),
            repeat=Function("rollup_tenant", bare=True),
            ingest=Function("ingest_usage", bare=True),
            record=Function("record_usage"),
            correct=Function("correct_usage"),
            get=Function("get_invoice"),
            list=Function("list_invoices"),
            change=Function("change_invoice"),
            sweep=Function("sweep_month_end"),
            sweep_late=Function("sweep_late_usage"),
            report=Function("get_month_end"),
            usage=Function("get_usage"),
            subscribe=Function("put_subscription"),
        )

    def every(self) -> tuple[Function, ...]:
        """Returns all of them."""
        loaded = (getattr(self, part.name) for part in fields(self) if part.name != "rollups")
        return (*self.rollups, *loaded)


@dataclass(slots=True)
class _Running:
    """The world that is running; None between two seeds."""

    world: SimulatedWorld | None = None
    jitter: Random = field(default_factory=Random)


_RUNNING = _Running()


def _world() -> SimulatedWorld:
    assert _RUNNING.world is not None, "an AWS call outside of every simulation"
    return _RUNNING.world


class _Clock(datetime):
    """The `datetime` of the functions that read a clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Returns the simulated time."""
        return cls.fromtimestamp(_world().now.timestamp(), tz or UTC)


def _uuid4() -> uuid.UUID:
    return uuid.UUID(int=_world().rng.getrandbits(128), version=4)


def _sleep(seconds: float) -> None:
    _world().sleep(seconds)


def _monotonic() -> float:
    return _world().now.timestamp()


REPLACED: tuple[tuple[Any, Any], ...] = (
    (time.sleep, _sleep),
    (time.monotonic, _monotonic),
    (uuid.uuid4, _uuid4),
    (random, _RUNNING.jitter),
    (ThreadPoolExecutor, Threads),
)


def _api_call(client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return _world().aws(client, operation, request)


def _replacements(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yields the module's names that would make two runs of a seed differ, and their stand-ins."""
    for name, value in vars(module).items():
        for real, stand_in in REPLACED:
            if value is real:
                yield name, stand_in


@contextmanager
def simulated_functions() -> Iterator[Functions]:
    """Puts the functions over the simulation's AWS, until the end of the block."""
    with ExitStack() as stack:
        stack.enter_context(on_one_processor())
        stack.enter_context(patch.dict(os.environ, VARIABLES))
        stack.enter_context(patch.object(botocore.client.BaseClient, "_make_api_call", _api_call))
        _forget_clients()
        functions = Functions.load()
        for function in (functions.start, functions.sweep, functions.sweep_late):
            stack.enter_context(patch.object(function.module, "datetime", _Clock))
        for name, module in sorted(sys.modules.items()):
            if name.startswith("invoicing."):
                for attribute, value in _replacements(module):
                    stack.enter_context(patch.object(module, attribute, value))
        for module, attribute, value in SCALE:
            stack.enter_context(patch.object(module, attribute, value))
        # All that is loaded by now stays; searching it for garbage would take a tenth of the time.
        gc.freeze()
        try:
            yield functions
        finally:
            gc.unfreeze()
            _forget(functions)
            _forget_clients()


def _forget_clients() -> None:
    """Drops the cached clients: those of other tests talk to another AWS."""
    dynamodb.connection.cache_clear()
    send_messages.aws_client.cache_clear()


def _forget(functions: Functions) -> None:
    settings.settings.cache_clear()
    metering.metering.cache_clear()
    for function in functions.every():
        function.start_cold()


@contextmanager
def running(world: SimulatedWorld, functions: Functions, seed: int) -> Iterator[None]:
    """Makes this world the one that the functions see. Every process starts cold."""
    with patch.dict(os.environ, world.variables):
        _forget(functions)
        _RUNNING.world = world
        _RUNNING.jitter.seed(seed)
        Threads.stage = world.stage
        try:
            yield
        finally:
            world.stage.clear()
            _RUNNING.world = Threads.stage = None
            _forget(functions)
