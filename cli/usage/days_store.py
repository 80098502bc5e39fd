"""The rows for days of one file, in a temporary database: sorted and summed, never all in memory.

A file of 512 MB has ten million rows and more. What is held in memory are the sums of one tenant's
day, and those of a thousand events that are counted together.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import batched, groupby
from typing import Any

from invoicing.usage.usage_table import EXACT

DEPLOYMENTS_A_CALL = 1000
# How many lines of one sum are named when it is not counted.
LINES_NAMED = 100
# No tenant's id is empty, so an empty one stands for a deployment that nobody has.
NOBODY = ""
# The rows of some tenants are read once for each day: a cache of 32 MB holds them meanwhile.
SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -32768;
CREATE TABLE rows (deployment TEXT, kind TEXT, line INTEGER, first TEXT, last TEXT, quantity TEXT);
CREATE TABLE owners (deployment TEXT PRIMARY KEY, tenant TEXT) WITHOUT ROWID;
CREATE TABLE by_tenant (
  tenant TEXT, deployment TEXT, kind TEXT, line INTEGER, first TEXT, last TEXT, quantity TEXT,
  PRIMARY KEY (tenant, deployment, kind, line)
) WITHOUT ROWID;
"""
SORTED = f"""
INSERT INTO by_tenant
SELECT coalesce(tenant, '{NOBODY}'), deployment, kind, line, first, last, quantity
FROM rows LEFT JOIN owners USING (deployment) ORDER BY 1, 2, 3, 4
"""
OF_DAY = """
SELECT tenant, deployment, kind, quantity, line FROM by_tenant
WHERE tenant BETWEEN ? AND ? AND first <= ? AND last >= ?
ORDER BY tenant, deployment, kind, line
"""


@dataclass(frozen=True, slots=True)
class StoredDays:
    """A row as it is stored: its quantity is None if it is faulty and spoils its sums."""

    deployment_id: str
    resource_kind: str
    line: int
    first_day: str
    last_day: str
    quantity: str | None


@dataclass(slots=True)
class DaySum:
    """The sum of a file's rows of a deployment, kind and day, and the first lines it stands on.

    It is `spoiled` by a row whose quantity cannot be read: no sum is known then.
    """

    tenant_id: str
    deployment_id: str
    resource_kind: str
    day: date
    total: Decimal = Decimal(0)
    rows: int = 0
    lines: list[int] = field(default_factory=list)
    spoiled: bool = False

    def add(self, quantity: str | None, line: int) -> None:
        """Adds a row."""
        if quantity is None:
            self.spoiled = True
            return
        self.total = EXACT.add(self.total, Decimal(quantity))
        self.rows += 1
        if len(self.lines) < LINES_NAMED:
            self.lines.append(line)

    def empty(self) -> "DaySum":
        """The same deployment, kind and day without rows."""
        return DaySum(self.tenant_id, self.deployment_id, self.resource_kind, self.day)

    @property
    def quantity(self) -> str:
        """The total as a decimal string, without zeros that say nothing."""
        return format(EXACT.normalize(self.total), "f")


class DaysStore:
    """Rows are added, then sorted under their tenants, then read by tenant and day."""

    def __init__(self) -> None:
        # A database without a name is a temporary file, which SQLite deletes by itself.
        self._db = sqlite3.connect("")
        self._db.executescript(SCHEMA)

    def add(self, rows: Iterable[StoredDays]) -> None:
        """Keeps rows; their days must be those whose events are accepted."""
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    row.deployment_id,
                    row.resource_kind,
                    row.line,
                    row.first_day,
                    row.last_day,
                    row.quantity,
                )
                for row in rows
            ),
        )

    def sort(self, owners: Callable[[Iterable[str]], Mapping[str, str]]) -> None:
        """Sorts all rows by the tenants of their deployments, which `owners` reads."""
        deployments = self._db.execute("SELECT DISTINCT deployment FROM rows ORDER BY 1")
        for batch in batched(deployments, DEPLOYMENTS_A_CALL, strict=False):
            owned = owners(deployment_id for (deployment_id,) in batch)
            self._db.executemany("INSERT INTO owners VALUES (?, ?)", owned.items())
        self._db.execute(SORTED)
        self._db.execute("DROP TABLE rows")

    def tenants(self, most: int) -> Iterator[list[str]]:
        """Yields the tenants in order, so many at once; `NOBODY` is the first, if it has rows."""
        tenants = self._db.execute("SELECT DISTINCT tenant FROM by_tenant ORDER BY 1")
        while batch := tenants.fetchmany(most):
            yield [tenant_id for (tenant_id,) in batch]

    def days(self) -> list[date]:
        """All days from the first to the last of any row."""
        [(first, last)] = self._db.execute("SELECT min(first), max(last) FROM by_tenant")
        if first is None:
            return []
        start = date.fromisoformat(first)
        count = (date.fromisoformat(last) - start).days + 1
        return [start + timedelta(days=n) for n in range(count)]

    def sums(self, first_tenant: str, last_tenant: str, day: date) -> Iterator[DaySum]:
        """Yields the sums of a day in order of tenant, deployment and kind."""
        rows = self._of_day(first_tenant, last_tenant, day)
        for (tenant_id, deployment_id, kind), of_key in groupby(rows, lambda row: row[:3]):
            day_sum = DaySum(tenant_id, deployment_id, kind, day)
            for *_, quantity, line in of_key:
                day_sum.add(quantity, line)
            yield day_sum

    def rows(self, tenant_id: str, day: date) -> Iterator[tuple[str, str, str | None, int]]:
        """Yields deployment, kind, quantity and line of each row of a tenant's day, in order."""
        return (row[1:] for row in self._of_day(tenant_id, tenant_id, day))

    def _of_day(self, first_tenant: str, last_tenant: str, day: date) -> Iterable[tuple[Any, ...]]:
        label = day.isoformat()
        return self._db.execute(OF_DAY, (first_tenant, last_tenant, label, label))

    def close(self) -> None:
        """Gives the disk space back."""
        self._db.close()
