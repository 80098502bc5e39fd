"""A file that commit 6b321da imported, whole or in part, is imported again: counted exactly once.

`imported.json` is the usage table after that commit's own import of the file below, over moto, and
`imported_in_part.json` after one that broke off at its fourth transaction. Tenants are not stored.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cli.stack.stack import Stack as CliStack
from cli.usage.input_file import opened
from cli.usage.run_import import ImportOrder, run_import
from invoicing.foundation.settings import Settings
from invoicing.usage.usage_events_table import UsageEventsTable
from tests.conftest import ENVIRONMENT
from tests.integration.conftest import APRIL, Stack
from tests.integration.stored.contents import stored_items

HEADER = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"
ROWS = (
    "pilot,droplet_hours,2026-04-01,2026-04-03,72",
    "acme-web,droplet_hours,2026-04-01,2026-04-02,24",
    "acme-db,droplet_hours,2026-04-01,2026-04-01,24.50",
    "acme-web,egress_gb,2026-04-02,2026-04-03,0.000001",
    "pilot,droplet_hours,2026-04-02,2026-04-02,10",
    "pilot,droplet_hours,2026-04-02,2026-04-02,10",
    "nobody,droplet_hours,2026-04-01,2026-04-01,1",
    "acme-web,droplet_hours,2026-04-01,2026-04-01,x",
)
TOTALS = {
    # 3 x 72 and twice 10; 2 x 24.
    "pilot": {"droplet_hours": Decimal(236)},
    "acme-web": {"droplet_hours": Decimal(48), "egress_gb": Decimal("0.000002")},
    "acme-db": {"droplet_hours": Decimal("24.5")},
}
SETTINGS = Settings.from_environment(ENVIRONMENT | {"BILLING_TIME_ZONE": "Australia/Sydney"})
ORDER = ImportOrder(datetime(2026, 5, 1, tzinfo=UTC), stated=True)


@pytest.fixture
def owned(stack: Stack) -> Stack:
    """The tables with the tenants of the file's deployments."""
    stack.add_tenant("pilot", hours=None)
    for deployment_id in ("acme-web", "acme-db"):
        stack.add_tenant("acme", None, deployment_id=deployment_id, account_number="1002")
    return stack


def put(stack: Stack, file: str) -> None:
    for item in stored_items(file):
        stack.dynamodb.put_item(TableName="usage", Item=item)


def imported(
    folder: Path, rows: Sequence[str], name: str = "april.csv", order: ImportOrder = ORDER
) -> dict[str, int]:
    """Imports a file of these rows; returns the outcomes that occurred."""
    file = folder / name
    file.write_text("\n".join((HEADER, *rows)) + "\n")
    with opened(file) as input_file:
        report = run_import(CliStack("test", SETTINGS), input_file, order)
    assert report.broken_off is None
    return {str(outcome): count for outcome, count in report.counts.items() if count}


def totals(stack: Stack) -> dict[str, dict[str, Decimal]]:
    by_deployment = stack.usage.totals(TOTALS, APRIL)
    return {name: dict(total.quantities) for name, total in by_deployment.items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_import_of_then_leaves_nothing_to_count(
    owned: Stack, tmp_path: Path, seed: int
) -> None:
    put(owned, "imported")
    before = owned.raw_items("usage")
    shuffled = random.Random(seed).sample([*ROWS, "", "", ",,,,"], len(ROWS) + 3)
    for _ in range(2):
        # Ten days of good rows; nobody's row and the faulty one.
        assert imported(tmp_path, shuffled) == {"duplicate": 10, "rejected": 2}
    assert owned.raw_items("usage") == before
    assert totals(owned) == TOTALS


@pytest.mark.parametrize("broken_off_again", range(4))
def test_an_import_that_broke_off_then_is_finished_now(
    owned: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_off_again: int
) -> None:
    put(owned, "imported_in_part")
    write, made = UsageEventsTable._write, [0]

    def breaking(*args: object) -> object:
        made[0] += 1
        if made[0] > broken_off_again:
            raise RuntimeError("a power cut")
        return write(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(UsageEventsTable, "_write", breaking)
        with pytest.raises(RuntimeError, match="a power cut"):
            imported(tmp_path, ROWS[::-1])
    counts = imported(tmp_path, ROWS)
    assert counts["duplicate"] + counts["accepted"] == 10
    assert totals(owned) == TOTALS
    assert imported(tmp_path, ROWS[::-1]) == {"duplicate": 10, "rejected": 2}
    assert totals(owned) == TOTALS


def test_a_changed_row_is_in_conflict_with_its_tenants_day_alone(
    owned: Stack, tmp_path: Path
) -> None:
    put(owned, "imported")
    changed = [row.replace(",72", ",73") for row in ROWS]
    # The pilot's three days; the two rows of ten on the second of them are known.
    assert imported(tmp_path, changed) == {"duplicate": 7, "conflict": 3, "rejected": 2}
    assert totals(owned) == TOTALS


def test_a_row_that_was_added_at_the_end_is_counted(owned: Stack, tmp_path: Path) -> None:
    put(owned, "imported")
    added = [*ROWS, "acme-db,droplet_hours,2026-04-02,2026-04-02,1"]
    for outcome in ("accepted", "duplicate"):
        counts = {"duplicate": 10, "rejected": 2}
        counts[outcome] = counts.get(outcome, 0) + 1
        assert imported(tmp_path, added) == counts
    assert totals(owned)["acme-db"] == {"droplet_hours": Decimal("25.5")}


def test_another_source_adds(owned: Stack, tmp_path: Path) -> None:
    put(owned, "imported")
    order = ImportOrder(ORDER.received, stated=True, source="second-meter")
    assert imported(tmp_path, ROWS[:1], order=order) == {"accepted": 3}
    assert totals(owned)["pilot"] == {"droplet_hours": Decimal(236 + 216)}
