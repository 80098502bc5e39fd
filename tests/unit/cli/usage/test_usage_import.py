"""How events are brought to the store: in batches, again when it is busy, and each line told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from cli.usage import listed_lines, patience
from cli.usage.import_report import ImportReport, import_json, import_summary
from cli.usage.listed_lines import ListedLine
from invoicing.usage.usage_event import UsageOutcome, UsageResult
from invoicing.usage.usage_events_table import Judged, UsageNotRecorded
from tests.unit.cli.usage.ledger import RECEIVED, Ledger, import_file

EVENTS = "id,source,deployment_id,resource_kind,quantity,occurred_at\n"
DAYS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"


class Recorder(Ledger):
    """Accepts all events, except those of quantity `odd`; keeps the batches."""

    def __init__(self, busy: int = 0) -> None:
        super().__init__({})
        self.batches: list[list[Mapping[str, str]]] = []
        self._busy = busy

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]:
        assert received == RECEIVED
        if self._busy:
            self._busy -= 1
            raise UsageNotRecorded("busy")
        self.batches.append(list(raw_events))
        return [
            UsageResult(event["id"], event["source"], UsageOutcome.REJECTED, "quantity: odd")
            if event["quantity"] == "odd"
            else UsageResult(event["id"], event["source"], UsageOutcome.ACCEPTED)
            for event in raw_events
        ]


def test_batches_hold_a_thousand_events_days_before_deployments() -> None:
    rows = "".join(f"d{n:02},hours,2026-04-01,2026-04-30,1\n" for n in range(50))
    recorder = Recorder()
    report = import_file(recorder, DAYS + rows)
    assert [len(batch) for batch in recorder.batches] == [1000, 500]
    assert [event["deployment_id"] for event in recorder.batches[0][:3]] == ["d00", "d01", "d02"]
    assert recorder.batches[0][50]["occurred_at"] == "2026-04-02T12:00:00+11:00"
    assert report.counts == {UsageOutcome.ACCEPTED: 1500}


def test_lines_that_were_not_counted_are_told_in_order() -> None:
    rows = (
        "e1,meter,a,hours,odd,2026-04-01T00:00:00Z\nb\ne2,meter,c,hours,odd,2026-04-01T00:00:00Z\n"
    )
    report = import_file(Recorder(), EVENTS + rows)
    rejected = UsageOutcome.REJECTED
    assert report.listed.in_order == [
        (ListedLine(2, rejected, "quantity: odd"), 1),
        (ListedLine(3, rejected, "1 fields instead of 6"), 1),
        (ListedLine(4, rejected, "quantity: odd"), 1),
    ]
    assert report.counts == {rejected: 3}


def test_a_faulty_row_for_days_is_rejected_before_anything_is_counted() -> None:
    rows = "a,hours,2026-04-01,2026-04-03,odd\nb\n,hours,2026-04-01,2026-04-02,1\n"
    recorder = Recorder()
    report = import_file(recorder, DAYS + rows)
    assert recorder.batches == []
    assert [(problem.line, days) for problem, days in report.listed.in_order] == [
        (2, 3),
        (3, 1),
        (4, 2),
    ]


def test_a_busy_store_is_asked_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)
    text = DAYS + "a,hours,2026-04-01,2026-04-01,1\n"
    assert import_file(Recorder(busy=3), text).counts == {UsageOutcome.ACCEPTED: 1}
    with pytest.raises(UsageNotRecorded):
        import_file(Recorder(busy=4), text)


def test_no_more_lines_are_held_than_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed_lines, "MOST_LINES", 2)
    report = ImportReport()
    for line in (2, 3, 4, 2):
        report.reject(line, "quantity: odd", 10)
    # A sum of 500 rows, of which 100 are named.
    report.add(Judged(UsageOutcome.CONFLICT, "id: known"), range(5, 105), 500)
    assert report.listed.in_order == [
        (ListedLine(2, UsageOutcome.REJECTED, "quantity: odd"), 20),
        (ListedLine(3, UsageOutcome.REJECTED, "quantity: odd"), 10),
    ]
    assert import_summary(report) == (
        "0 accepted, 0 duplicate, 500 conflict, 40 rejected; 510 of them not listed"
    )
    assert import_json(report)["events_not_listed"] == 510
