"""Usage is taken back by command line, and seen where it was billed: draft, adjustment, tenant."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from invoicing.foundation.billing_calendar import label_after
from quote_engine import Period
from tests.e2e.conftest import Deployed
from tests.e2e.test_cli import monthend
from tests.e2e.test_cli_month_end import forget, refused
from tests.e2e.test_late_usage import add_tenant, adjusted, issuing, run
from tests.e2e.test_usage import NOW
from tests.openapi import assert_promised

MENDER, OTHERS = "mender", ("mender-2", "mender-3")
THIS_MONTH = Period.month(NOW.strftime("%Y-%m"))
# Its last days are at most two months old, and all of it can still be counted.
LAST = Period.month(label_after(THIS_MONTH, -1))
DAYS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
WHY = ("--reason", "typed 20000 for 200")


@pytest.fixture(scope="module")
def stack(deployed: Deployed) -> Iterator[Deployed]:
    """Three tenants for this module alone: 1,488 hours included, then a cent an hour."""
    for number, tenant_id in enumerate((MENDER, *OTHERS), start=9261):
        add_tenant(deployed, tenant_id, str(number))
    yield deployed
    forget(deployed, MENDER, *OTHERS)


def correct(stack: Deployed, name: str, expect: str, quantity: str) -> Any:
    """Corrects the hours of the tenth day of last month; returns what the command prints."""
    place = ("--deployment", MENDER, "--kind", "droplet_hours", "--day", f"{LAST.label}-10")
    amounts = ("--expect", expect, "--quantity", quantity)
    return monthend(stack, "usage", "correct", *place, *amounts, *WHY, "--id", name)


def draft_run(stack: Deployed) -> int:
    """Runs last month for the tenant, a draft anew; returns the invoice's subtotal in cents."""
    words = ("--period", LAST.label, "--tenant", MENDER, "--force", "--wait")
    monthend(stack, "run", *words)
    invoice = monthend(stack, "invoice", f"{MENDER}.{LAST.label}")
    subtotal: int = invoice["subtotal_cents"]
    return subtotal


def test_a_day_that_is_corrected_twice_reaches_draft_and_next_invoice(
    stack: Deployed, tmp_path: Path
) -> None:
    file = tmp_path / "typed.csv"
    file.write_text(f"{DAYS}{MENDER},droplet_hours,{LAST.label}-10,{LAST.label}-10,20000\n")
    assert monthend(stack, "usage", "import", str(file))["counts"]["accepted"] == 1
    # 50.00 and 18,512 hours beyond the included 1,488.
    assert draft_run(stack) == 23512

    first = correct(stack, "mender-a", "20000", "2000")
    assert first["months"][0]["total"] == {"droplet_hours": "2000"}
    assert first["months"][0]["invoice"] == "draft"
    correct(stack, "mender-b", "2000", "1500")
    # Repeated, as after a lost reply, the first changes nothing; under a new id it is judged anew.
    assert correct(stack, "mender-a", "20000", "2000")["repeated"] is True
    place = ("--deployment", MENDER, "--kind", "droplet_hours", "--day", f"{LAST.label}-10")
    amounts = ("--expect", "20000", "--quantity", "2000")
    body, _ = refused(stack, "usage", "correct", *place, *amounts, *WHY, "--id", "mender-c")
    assert body["refused"] == f"--expect: 1500 droplet_hours stand on {LAST.label}-10, not 20000"

    shown = monthend(stack, "usage", "show", MENDER, "--period", LAST.label)
    assert shown["total"] == {"droplet_hours": "1500"}
    assert shown["days"][0]["imports"] == ["typed.csv"]
    changes = [(c["id"], c["changes"]["droplet_hours"]) for c in shown["corrections"]]
    assert changes == [
        ("mender-a", {"before": "20000", "after": "2000"}),
        ("mender-b", {"before": "2000", "after": "1500"}),
    ]
    # 50.00 and 12 hours.
    assert draft_run(stack) == 5012

    monthend(stack, "issue", f"{MENDER}.{LAST.label}", "--revision", "2")
    last = correct(stack, "mender-d", "1500", "1400")
    assert last["months"][0]["invoice"] == "issued"
    run(issuing(stack), MENDER, THIS_MONTH.label)
    # The 12 hours come off again.
    assert adjusted(stack.rollup, MENDER, THIS_MONTH.label) == [-12]
    invoice = monthend(stack, "invoice", f"{MENDER}.{LAST.label}")
    assert (invoice["subtotal_cents"], invoice["status"]) == (5012, "issued")


def test_a_tenant_sees_what_was_corrected_and_an_admin_why(stack: Deployed) -> None:
    path = f"/usage?deployment_id={MENDER}&period={LAST.label}"
    tenant = stack.call(path, stack.user_in(MENDER, f"tenant:{MENDER}")).json
    admin = stack.call(path, stack.user_in("mender-admin", "platform_admin")).json
    for answer in (tenant, admin):
        assert_promised("/usage", 200, "application/json", answer)
    assert admin == monthend(stack, "usage", "show", MENDER, "--period", LAST.label)
    assert {entry["reason"] for entry in admin["corrections"]} == {WHY[1]}
    assert [set(entry) for entry in tenant["corrections"]] == [{"day", "at", "changes"}] * 3
    assert "imports" not in tenant["days"][0]


def test_a_whole_import_is_taken_back_by_its_file_shuffled_and_renamed(
    stack: Deployed, tmp_path: Path
) -> None:
    rows = [
        f"{name},{kind},{LAST.label}-01,{LAST.label}-28,{quantity}"
        for name in OTHERS
        for kind, quantity in (("droplet_hours", "24"), ("droplet_hours", "2.5"), ("gb", "0.1"))
    ]
    file, renamed = tmp_path / "wrong.csv", tmp_path / "again.csv"
    file.write_text(DAYS + "\n".join(rows) + "\n")
    assert monthend(stack, "usage", "import", str(file))["counts"]["accepted"] == 168
    random.Random(11).shuffle(rows)
    renamed.write_text("\ufeff" + DAYS + "\n\n".join(rows) + "\n")
    words = ("usage", "correct", str(renamed), *WHY, "--id", "wrong-file")
    assert monthend(stack, *words, "--dry-run")["counts"]["corrected"] == 168
    for _ in range(2):
        report = monthend(stack, *words)
        assert (report["counts"]["corrected"], report["rows"]) == (168, [])
    for name in OTHERS:
        months = monthend(stack, "usage", "show", "--tenant", name, "--period", LAST.label)
        [month] = months["deployments"]
        assert month["total"] == {"droplet_hours": "0", "gb": "0"}
        assert len(month["corrections"]) == 28
    # 28 days of 26.5 hours and of 0.1 GB.
    first = {"droplet_hours": "-742", "gb": "-2.8"}
    assert monthend(stack, *words)["months"][0]["change"] == first
    assert monthend(stack, "usage", "import", str(file))["counts"]["duplicate"] == 168
