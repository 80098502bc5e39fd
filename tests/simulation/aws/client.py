"""The AWS of a simulation: every call of botocore ends here, and may fail here.

A call of the simulation itself (seeding, a reader between two writes) never fails. A strand first
gives up its turn, and then its call meets the fault that the seed draws, if any.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.simulation.aws.dynamodb import DynamoDB, Refusal, refuse_cancelled
from tests.simulation.aws.expressions import NotModelled
from tests.simulation.aws.faults import Fault, Faults
from tests.simulation.aws.queues import Queue
from tests.simulation.stage.report import Trace
from tests.simulation.stage.stage import Killed, Process, Stage, Strand

ENTRIES = 10
CALL = timedelta(milliseconds=5)
THROTTLES = (
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
)
HOLD, HOLD_COMMIT = 0.02, 0.4
WHERE = "https://aws.simulated"

type Request = Mapping[str, Any]
type Apply = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Clock:
    """The simulated time (UTC), and the number of AWS calls made so far."""

    now: datetime
    step: int = 0


@dataclass(slots=True)
class Late:
    """A write whose sender has given up on it, but which is still on its way."""

    process: Process
    text: str
    apply: Apply


def _commits(operation: str, request: Request) -> tuple[str, str] | None:
    """Returns tenant and month of the invoice that a call writes; None for pages and usage."""
    puts = [request] if operation == "PutItem" else []
    if operation == "TransactWriteItems":
        puts = [action["Put"] for action in request["TransactItems"] if "Put" in action]
    for put in puts:
        if "period_shard" in put["Item"]:
            return put["Item"]["tenant_id"]["S"], put["Item"]["period_start"]["S"][:7]
    return None


def _corrects(operation: str, request: Request) -> str | None:
    """Returns the id of the correction that a call makes; None for all other calls."""
    for action in request["TransactItems"] if operation == "TransactWriteItems" else ():
        item = action.get("Put", {}).get("Item", {})
        if item.get("deployment_period", {}).get("S", "").startswith("#corrections#"):
            return str(item["day"]["S"].split("#")[2])
    return None


def _named(request: Request) -> str:
    """Returns the tables and keys of a call, for the trace."""
    if "TransactItems" in request:
        actions = [next(iter(item.values())) for item in request["TransactItems"]]
        return " + ".join(_named(action) for action in actions)
    if "RequestItems" in request:
        counts = {name: len(wanted["Keys"]) for name, wanted in request["RequestItems"].items()}
        return ", ".join(f"{count} of {name}" for name, count in counts.items())
    key = request.get("Item") or request.get("Key") or {}
    names = ("tenant_id", "period_start", "deployment_period", "day", "pk", "sk")
    parts = [key[name]["S"] for name in names if name in key]
    values = request.get("ExpressionAttributeValues", {}) if not parts else {}
    parts += [value["S"] for value in values.values() if "S" in value]
    return f"{request.get('TableName', '')} {' '.join(parts)}".strip()


class Aws:
    """DynamoDB, SQS and Lambda's Invoke, for one seed."""

    def __init__(self, rng: Random, dynamodb: DynamoDB, clock: Clock, trace: Trace) -> None:
        self.rng, self.dynamodb, self.clock, self.trace = rng, dynamodb, clock, trace
        self.faults = Faults(rng)
        self.stage = Stage()
        self.queues: dict[str, Queue] = {}
        self.invoked: list[dict[str, Any]] = []
        self.late: list[Late] = []
        self.down_until: datetime | None = None
        # The process of the last call, for the checks of what was written.
        self.writer: Process | None = None

    def call(self, client: Any, operation: str, request: Request) -> dict[str, Any]:
        """Answers `client._make_api_call(operation, request)`, or raises its exception."""
        service = client.meta.service_model.service_name

        def apply() -> dict[str, Any]:
            try:
                return self._apply(service, operation, request)
            except Refusal as error:
                code = error.response["Error"]["Code"]
                raise client.exceptions.from_code(code)(error.response, operation) from error

        strand = self.stage.current
        if strand is None:
            return apply()
        self._hold(strand, operation, request)
        strand.pause()
        self.clock.step += 1
        self.clock.now += CALL
        self.writer = strand.process
        if self.down and service == "dynamodb":
            self.faults.hit(Fault.OUTAGE, operation)
            self._say(strand, operation, request, Fault.OUTAGE)
            raise EndpointConnectionError(endpoint_url=WHERE)
        commits = strand.commits is not None
        fault = None if strand.process.steady else self.faults.draw(operation, commits=commits)
        self._say(strand, operation, request, fault)
        if fault is None:
            return apply()
        return self._spoilt(fault, strand, operation, request, apply)

    @property
    def down(self) -> bool:
        """Whether DynamoDB is down for everybody."""
        return self.down_until is not None and self.clock.now < self.down_until

    def _say(self, strand: Strand, operation: str, request: Request, fault: Fault | None) -> None:
        line = f"{strand.process.name}: {operation} {_named(request)}"
        self.trace.say(self.clock.step, f"{line}  <- {fault.upper()}" if fault else line)

    def _hold(self, strand: Strand, operation: str, request: Request) -> None:
        """Makes a strand slow, most of all when it is about to write an invoice or corrects usage.

        Meanwhile what it has read grows old: races happen between the reads and the write.
        """
        strand.commits = strand.corrects = None
        if not self.faults.on or strand.process.steady:
            return
        strand.commits = _commits(operation, request)
        strand.corrects = _corrects(operation, request)
        commits = strand.commits or strand.corrects
        if self.rng.random() < (HOLD_COMMIT if commits else HOLD):
            strand.held = self.rng.randint(5, 80)

    def _spoilt(
        self, fault: Fault, strand: Strand, operation: str, request: Request, apply: Apply
    ) -> dict[str, Any]:
        process = strand.process
        match fault:
            case Fault.FAILED_BEFORE:
                raise self._failure(operation)
            case Fault.THROTTLED:
                raise ClientError(_error(self.rng.choice(THROTTLES)), operation)
            case Fault.CONFLICT:
                raise self._conflict(operation, request)
            case Fault.KILLED_BEFORE:
                process.killed = True
                raise Killed(process.name)
            case Fault.SLOW:
                self.clock.now += timedelta(seconds=self.rng.randint(1, 400))
                return apply()
            case Fault.PARTIAL:
                return self._partial(operation, request, apply)
            case Fault.APPLIED_LATE:
                text = f"{process.name}: {operation} {_named(request)}"
                self.late.append(Late(process, text, apply))
                raise ReadTimeoutError(endpoint_url=WHERE)
        return self._applied(fault, strand, apply)

    def _applied(self, fault: Fault, strand: Strand, apply: Apply) -> dict[str, Any]:
        """Applies the write; then kills its process, sends it again, or loses the reply."""
        _ignoring_refusal(apply)
        if fault is Fault.KILLED_AFTER:
            strand.process.killed = True
            raise Killed(strand.process.name)
        if fault is Fault.SENT_TWICE:
            strand.pause()
            self.writer = strand.process
            return apply()
        raise ReadTimeoutError(endpoint_url=WHERE)

    def _failure(self, operation: str) -> Any:
        if self.rng.random() < 0.5:
            return ConnectTimeoutError(endpoint_url=WHERE)
        return ClientError(_error("InternalServerError"), operation)

    def _conflict(self, operation: str, request: Request) -> Any:
        if operation != "TransactWriteItems":
            return ClientError(_error("TransactionConflictException"), operation)
        reasons = [{"Code": "None"} for _ in request["TransactItems"]]
        self.rng.choice(reasons)["Code"] = "TransactionConflict"
        try:
            refuse_cancelled(reasons)
        except Refusal as error:
            return ClientError(error.response, operation)
        raise AssertionError("a conflict cancels")

    def _partial(self, operation: str, request: Request, apply: Apply) -> dict[str, Any]:
        if operation == "SendMessageBatch":
            entries = list(request["Entries"])
            failed = self.rng.sample(entries, self.rng.randint(1, len(entries)))
            accepted = [entry for entry in entries if entry not in failed]
            answer = self._send(request["QueueUrl"], accepted)
            answer["Failed"] = [
                {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"}
                for entry in failed
            ]
            return answer
        # Each item that is left out has its key among those to ask for again.
        answer, unprocessed = apply(), {}
        for name, wanted in request["RequestItems"].items():
            table = self.dynamodb.tables[name]
            keys = [key for key in wanted["Keys"] if self.rng.random() < 0.5]
            if keys:
                unprocessed[name] = {**wanted, "Keys": keys}
            left_out = [table.key_of(key) for key in keys]
            items = answer["Responses"][name]
            answer["Responses"][name] = [
                item for item in items if table.key_of(item) not in left_out
            ]
        return answer | {"UnprocessedKeys": unprocessed}

    def arrive(self, late: Late) -> None:
        """Applies a write that its sender has given up on."""
        self.late.remove(late)
        self.clock.step += 1
        self.trace.say(self.clock.step, f"{late.text}  <- ARRIVES NOW")
        self.writer = late.process
        _ignoring_refusal(late.apply)

    def _apply(self, service: str, operation: str, request: Request) -> dict[str, Any]:
        if service == "dynamodb":
            return self.dynamodb.call(operation, request)
        if (service, operation) == ("sqs", "SendMessageBatch"):
            return self._send(request["QueueUrl"], request["Entries"])
        if (service, operation) == ("lambda", "Invoke"):
            assert request["InvocationType"] == "Event"
            self.invoked.append(json.loads(request["Payload"]))
            return {"StatusCode": 202}
        raise NotModelled(f"{service}: {operation}")

    def _send(self, queue_url: str, entries: Any) -> dict[str, Any]:
        ids = [entry["Id"] for entry in entries]
        if len(ids) > ENTRIES or len(set(ids)) != len(ids):
            raise Refusal("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "too many")
        for entry in entries:
            self.queues[queue_url].send(entry["MessageBody"], self.clock.now)
        return {"Successful": [{"Id": name, "MessageId": name} for name in ids]}


def _error(code: str) -> Any:
    return {"Error": {"Code": code, "Message": "simulated"}}


def _ignoring_refusal(apply: Apply) -> None:
    """Applies a write whose reply nobody gets, not even a refusal."""
    try:
        apply()
    except ClientError as error:
        if not isinstance(error.__cause__, Refusal):
            raise
