"""The usage that an invoice billed, so that later usage can be told apart from it.

It is stored beside the lines, which do not show it: usage within an allowance has no line.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from invoicing.accounts.account import (
    Segment,
    TaxTreatment,
    read_segment,
    stored_segment_json,
)
from quote_engine import Period

type Quantities = Mapping[str, Decimal]
type SegmentUsage = Mapping[str, Quantities]
"""Usage by resource kind, for each segment (see `segment_key`) and, under a deployment's id alone,
for the days on which no segment was billed."""


def segment_key(segment: Segment) -> str:
    """Returns a segment's key: its deployment and its first day, such as `pilot 2026-01-10`.

    A segment is a deployment on one subscription.
    """
    return f"{segment.deployment_id} {segment.starts_on.isoformat()}"


def deployment_in(key: str) -> str:
    """Returns the deployment of such a key, or of one for usage outside all segments."""
    return key.partition(" ")[0]


def is_segment(key: str) -> bool:
    """Whether usage under this key belongs to a segment, and is not outside all segments."""
    return " " in key


def terms_of(segments: Iterable[Segment], period: Period) -> str:
    """Returns a digest of the terms of a period's segments.

    Ends after the period are no part of them, nor are add-ons of other days (see `billed_in`).
    """
    terms = sorted(
        [
            segment_key(segment),
            _terms(segment.billed_in(period)) | {"ends_on": _end_within(segment, period)},
        ]
        for segment in segments
    )
    return sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()[:16]


def _end_within(segment: Segment, period: Period) -> str | None:
    ends_on = segment.ends_on
    return ends_on.isoformat() if ends_on and ends_on < period.last_day else None


def same_usage(first: SegmentUsage, second: SegmentUsage) -> bool:
    """Whether both are the same usage; no usage and zero usage are the same."""
    return _used(first) == _used(second)


def _used(usage: SegmentUsage) -> dict[tuple[str, str], Decimal]:
    return {(key, kind): used for key in usage for kind, used in usage[key].items() if used}


@dataclass(frozen=True, slots=True)
class LateUsage:
    """An earlier period's usage as it was billed until now, and as it is billed from now on.

    `terms` are those of the period's invoice, at which the difference was priced (see `terms_of`),
    and `tax` is that invoice's treatment, in which the difference was taxed. The oldest records
    have no `tax`: theirs was taxed as the rest of the invoice that billed it.
    """

    before: SegmentUsage
    after: SegmentUsage
    terms: str = ""
    tax: TaxTreatment | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """What one invoice bills: its own period's segments with their usage, and late usage.

    `late` is keyed by the label of the earlier period, such as `2026-04`.
    """

    segments: tuple[Segment, ...] = ()
    usage: SegmentUsage = field(default_factory=dict)
    late: Mapping[str, LateUsage] = field(default_factory=dict)


NOTHING_BILLED = Billed()

type LastBilledBy = Mapping[str, str]
"""By period label, the write that last billed late usage of that period.

To bill more of it, a worker must have read exactly that write. Otherwise invoices of two periods,
made at the same time, would both bill the same late usage.
"""
NEVER_BILLED_LATE: LastBilledBy = {}


def billed_entries(billed: Billed) -> list[dict[str, Any]]:
    """Returns the record as a list of small JSON objects: a large one is spread over items."""
    segments = {segment_key(segment): segment for segment in billed.segments}
    entries: list[dict[str, Any]] = []
    for key, quantities in sorted(billed.usage.items()):
        entry: dict[str, Any] = {"segment": key, "usage": _texts(quantities)}
        if key in segments:
            entry |= _terms(segments[key])
        entries.append(entry)
    for label, late in sorted(billed.late.items()):
        for key in sorted(late.before.keys() | late.after.keys()):
            before, after = late.before.get(key, {}), late.after.get(key, {})
            details = {"before": _texts(before), "after": _texts(after), "terms": late.terms}
            taxed = {} if late.tax is None else {"tax": late.tax}
            entries.append({"period": label, "segment": key, **details, **taxed})
    return entries


def read_billed(tenant_id: str, entries: Iterable[Mapping[str, Any]]) -> Billed:
    """Reads the record back; the inverse of `billed_entries`."""
    segments: list[Segment] = []
    usage: dict[str, Quantities] = {}
    before: dict[str, dict[str, Quantities]] = {}
    after: dict[str, dict[str, Quantities]] = {}
    priced: dict[str, tuple[str, TaxTreatment | None]] = {}
    for entry in entries:
        key, label = entry["segment"], entry.get("period")
        if label is not None:
            before.setdefault(label, {})[key] = _quantities(entry["before"])
            after.setdefault(label, {})[key] = _quantities(entry["after"])
            # Old records have no terms, and older ones no treatment.
            priced[label] = entry.get("terms", ""), entry.get("tax")
            continue
        usage[key] = _quantities(entry["usage"])
        if "plan_code" in entry:
            deployment_id, starts_on = key.split(" ")
            stored = {"ends_on": None, "addons": [], **entry}
            segments.append(read_segment(tenant_id, deployment_id, starts_on, stored))
    late = {label: LateUsage(before[label], after[label], *priced[label]) for label in before}
    return Billed(tuple(segments), usage, late)


def _terms(segment: Segment) -> dict[str, Any]:
    """Leaves out empty fields: the record is a third of a small invoice's item."""
    return {name: value for name, value in stored_segment_json(segment).items() if value}


def _texts(quantities: Quantities) -> dict[str, str]:
    return {kind: format(quantities[kind], "f") for kind in sorted(quantities)}


def _quantities(texts: Mapping[str, str]) -> Quantities:
    return {kind: Decimal(text) for kind, text in texts.items()}
