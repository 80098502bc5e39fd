"""The changes that an invoice allows, and in which state: issue, pay and void.

An invoice is changed only as it was reviewed: the caller names the revision or the fingerprint
that was reviewed, and it is a conflict if anything else stands there by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from invoicing.foundation.audit import Actor, Reason
from invoicing.foundation.json_input import InvalidBody, read_body
from invoicing.foundation.parsing import StrictModel
from invoicing.invoices.invoice import Header, InvoiceStatus, Issue
from invoicing.invoices.review import Finding, finding_json


class Action(StrEnum):
    """A change that a person makes to an invoice."""

    ISSUE = "issue"
    PAY = "pay"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Transition:
    """The states in which an action is possible, and the state that it leads to."""

    before: frozenset[InvoiceStatus]
    after: InvoiceStatus


TRANSITIONS: Mapping[Action, Transition] = {
    Action.ISSUE: Transition(frozenset((InvoiceStatus.DRAFT,)), InvoiceStatus.ISSUED),
    Action.PAY: Transition(frozenset((InvoiceStatus.ISSUED,)), InvoiceStatus.PAID),
    Action.VOID: Transition(
        frozenset((InvoiceStatus.DRAFT, InvoiceStatus.ISSUED)), InvoiceStatus.VOID
    ),
}


class InvalidChangeRequest(InvalidBody):
    """The request cannot be read."""


class ChangeRefused(Exception):
    """The invoice is in the wrong state for this, or is no longer what was reviewed."""

    def __init__(self, reason: str, current: Header) -> None:
        super().__init__(reason)
        self.current = current


class Held(ChangeRefused):
    """The review holds the draft back, and the request gives no reason to issue it anyway."""

    def __init__(self, current: Header, holding: Sequence[Finding]) -> None:
        named = "; ".join(f"{finding.rule}: {finding.detail}" for finding in holding)
        super().__init__(f"held by the review ({named}): give a reason to issue it", current)
        self.holding = tuple(holding)


def held_json(refusal: ChangeRefused) -> dict[str, Any]:
    """Returns the findings of a refusal by the review as JSON; empty for any other refusal."""
    if not isinstance(refusal, Held):
        return {}
    return {"held_by": [finding_json(finding) for finding in refusal.holding]}


Fingerprint = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ChangeRequest(StrictModel):
    """What was reviewed, and a reason: needed to void and to issue what is held back."""

    revision: Annotated[int, Field(strict=True, ge=1, le=9999)] | None = None
    fingerprint: Fingerprint | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _names_what_was_reviewed(self) -> Self:
        if self.revision is None and self.fingerprint is None:
            raise ValueError("revision or fingerprint: name what was reviewed")
        return self


def read_change_request(action: Action, body: Any) -> ChangeRequest:
    """Reads a change request from a body; raises InvalidChangeRequest with every faulty field."""
    request = read_body(ChangeRequest, body, InvalidChangeRequest)
    if action is Action.VOID and request.reason is None:
        raise InvalidChangeRequest({"reason": "is needed to void an invoice"})
    return request


def refuse_unless_reviewed(header: Header, request: ChangeRequest) -> None:
    """Raises ChangeRefused unless the invoice that stands is the one that was reviewed."""
    if request.revision not in (None, header.revision):
        raise ChangeRefused(f"revision {header.revision} stands, not {request.revision}", header)
    if request.fingerprint not in (None, header.fingerprint):
        raise ChangeRefused("the fingerprint is another: the invoice has changed", header)


def refuse_wrong_state(header: Header, action: Action) -> None:
    """Raises ChangeRefused unless the action is possible in the invoice's state.

    An issued invoice with the last letter is not voided: nothing could take its place.
    """
    if header.status not in TRANSITIONS[action].before:
        raise ChangeRefused(f"a {header.status} invoice: cannot {action}", header)
    if action is Action.VOID and header.no_number_follows:
        raise ChangeRefused(f"{header.no_number_follows}: credit it instead", header)


@dataclass(frozen=True, slots=True)
class InvoiceChange:
    """A change: what somebody does and when (UTC), with the dates that an issue sets."""

    action: Action
    request: ChangeRequest
    actor: Actor
    at: datetime
    issue: Issue | None = None

    def applied(self, header: Header) -> Header:
        """Returns the header after the change."""
        after = replace(header, status=TRANSITIONS[self.action].after)
        if self.issue is None:
            return after
        return replace(after, issued_at=self.issue.issued_at, due_on=self.issue.due_on)
