"""Imports over the tables: what was corrected since, and accounts that cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from cli.stack.stack import Stack as CliStack
from cli.usage.import_report import ImportReport
from cli.usage.input_file import opened
from cli.usage.run_import import ImportOrder, run_import
from invoicing.foundation.settings import Settings
from tests.conftest import ENVIRONMENT
from tests.integration.conftest import Stack
from tests.integration.stored.contents import stored_items
from tests.integration.usage.correcting import RECEIVED, Desk, hours

HEADER = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
# SHA-256 of "pilot\ndroplet_hours", by sha256sum.
PILOTS_HOURS = "5034cbdbd8496009dbf7a9fb55f02ccb"


@pytest.fixture
def desk(stack: Stack) -> Desk:
    """Pilot and acme, with nothing counted."""
    return Desk.over(stack)


def imported(folder: Path, rows: str, **order: Any) -> ImportReport:
    """Imports a file of these rows for days."""
    file = folder / "april.csv"
    file.write_text(HEADER + rows)
    with opened(file) as input_file:
        stack = CliStack("test", Settings.from_environment(ENVIRONMENT))
        return run_import(stack, input_file, ImportOrder(RECEIVED, stated=False, **order))


def outcomes(report: ImportReport) -> dict[str, int]:
    return {str(outcome): count for outcome, count in report.counts.items() if count}


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_was_corrected_since_is_a_duplicate_that_says_so(
    desk: Desk, tmp_path: Path, dry_run: bool
) -> None:
    row = "pilot,droplet_hours,2026-04-15,2026-04-15,20000\n"
    assert outcomes(imported(tmp_path, row)) == {"accepted": 1}
    named = {"source": "monthend-import", "id": f"2026-04-15:{PILOTS_HOURS}"}
    assert desk.post(desk.event(0, "20000", "200", **named))["status"] == 200
    again = imported(tmp_path, row, dry_run=dry_run)
    assert outcomes(again) == {"duplicate": 1}
    [(line, events)] = again.listed.in_order
    assert (line.line, events, line.outcome) == (2, 1, "duplicate")
    assert line.reason == "id: counted before, corrected to 200 since; not counted again"
    assert desk.standing() == ({"2026-04-15": hours("200")}, hours("200"))


def test_a_day_that_was_corrected_is_not_counted_again(desk: Desk, tmp_path: Path) -> None:
    row = "pilot,droplet_hours,2026-04-15,2026-04-15,20000\n"
    imported(tmp_path, row)
    assert desk.post(desk.day("20000", "0"))["status"] == 200
    assert outcomes(imported(tmp_path, row)) == {"duplicate": 1}
    assert desk.standing() == ({"2026-04-15": hours("0")}, hours("0"))


def test_old_ids_are_looked_for_even_if_the_account_cannot_be_read(
    desk: Desk, tmp_path: Path
) -> None:
    for item in stored_items("imported"):
        desk.stack.dynamodb.put_item(TableName="usage", Item=item)
    desk.stack.dynamodb.update_item(
        TableName="accounts",
        Key={"pk": {"S": "pilot"}, "sk": {"S": "tenant"}},
        UpdateExpression="SET document = :damaged",
        ExpressionAttributeValues={":damaged": {"S": "{"}},
    )
    # That import was made in Sydney, and this stack bills in UTC: its noon is another moment.
    report = imported(tmp_path, "pilot,droplet_hours,2026-04-01,2026-04-01,72\n")
    assert outcomes(report) == {"conflict": 1}
