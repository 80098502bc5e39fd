"""Records of a month-end itself: who started which run of it, its newest report, its late usage.

They are in the accounts table, under `month-end#2026-04` / `run#<run id>`, `report` and
`late-usage`. The functions that write these may write nothing else there (`dynamodb:LeadingKeys`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from invoicing.foundation.dynamodb import bound, refused
from quote_engine import Period

PREFIX, RUN, REPORT, LATE_USAGE = "month-end#", "run#", "report", "late-usage"
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run of a month-end: its own time (UTC), who started it, and for which tenants.

    `tenants` is how many it was for, None for all of them; `named` are the first hundred of them.
    """

    run_id: str
    run_at: datetime
    by: str
    force: bool
    tenants: int | None = None
    named: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        """Whether it was for all tenants."""
        return self.tenants is None


class MonthEndItem(Model):
    """A run; or a report, or late usage (in `document`, as JSON)."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    run_id = UnicodeAttribute(null=True)
    run_at = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    force = BooleanAttribute(null=True)
    tenants = NumberAttribute(null=True)
    named = UnicodeAttribute(null=True)
    document = UnicodeAttribute(null=True)


class MonthEndsTable:
    """Runs, reports and late usage, by period."""

    def __init__(self, table_name: str) -> None:
        self._items = bound(MonthEndItem, table_name)

    def record(self, period: Period, run: RunRecord) -> None:
        """Stores a run; repeating it after a lost reply or in a retry changes nothing."""
        item = self._items(
            _partition(period),
            f"{RUN}{run.run_id}",
            run_id=run.run_id,
            run_at=run.run_at.isoformat(),
            by=run.by,
            force=run.force,
            tenants=run.tenants,
            named=json.dumps(run.named[:MOST_NAMED]) if run.named else None,
        )
        try:
            item.save(condition=MonthEndItem.pk.does_not_exist())
        except PutError as error:
            if not refused(error):
                raise

    def runs(self, period: Period) -> list[RunRecord]:
        """Reads the period's runs in order of their own time; consistent."""
        items = self._items.query(
            _partition(period), MonthEndItem.sk.startswith(RUN), consistent_read=True
        )
        return sorted(map(_run, items), key=lambda run: (run.run_at, run.run_id))

    def store_report(self, period: Period, report: Mapping[str, Any]) -> None:
        """Stores a report in place of the previous one."""
        self._store(period, REPORT, report)

    def stored_report(self, period: Period) -> dict[str, Any] | None:
        """Reads the newest stored report of the period, with the newest late usage; consistent.

        None without one. One that was stored before reports named unbilled usage has None there.
        """
        try:
            item = self._items.get(_partition(period), REPORT, consistent_read=True)
        except self._items.DoesNotExist:
            return None
        report: dict[str, Any] = {"unbilled_usage": None} | json.loads(item.document)
        return report | {"late_usage": self.late_usage(period)}

    def store_late_usage(self, period: Period, late_usage: Mapping[str, Any]) -> None:
        """Stores what a sweep found of the period's late usage, in place of the previous."""
        self._store(period, LATE_USAGE, late_usage)

    def late_usage(self, period: Period) -> dict[str, Any] | None:
        """Reads the period's newest late usage; consistent. None if it was never looked for.

        By a query, because not all who read a month may get an item.
        """
        items = self._items.query(
            _partition(period), MonthEndItem.sk == LATE_USAGE, consistent_read=True
        )
        return next((json.loads(item.document) for item in items), None)

    def _store(self, period: Period, sort_key: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        self._items(_partition(period), sort_key, document=text).save()


def _partition(period: Period) -> str:
    return f"{PREFIX}{period.label}"


def _run(item: MonthEndItem) -> RunRecord:
    return RunRecord(
        run_id=item.run_id,
        run_at=datetime.fromisoformat(item.run_at),
        by=item.by,
        force=bool(item.force),
        tenants=None if item.tenants is None else int(item.tenants),
        named=tuple(json.loads(item.named or "[]")),
    )
