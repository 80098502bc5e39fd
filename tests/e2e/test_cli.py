"""`monthend` in its own process, against the deployed and seeded stack."""

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoicing.accounts.accounts_table import UnknownPrice
from local.environment import ROOT
from local.sample_month import FOLDER, RECEIVED_AT, sample_month
from local.stack import STACK_NAME
from quote_engine import Period
from tests.e2e.conftest import Deployed, wait_until

APRIL, OCTOBER = Period.month("2026-04"), Period.month("2024-10")
TOO_OLD = "Warning: usage of "
RECEIVED = ("--received-at", RECEIVED_AT)
USAGE = str(FOLDER / "usage.csv")
DEPLOYMENTS = ("acme-dispatch", "acme-tracking", "kauri-shop", "pilot")


def started(deployed: Deployed, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "--stack", STACK_NAME, *words],
        cwd=ROOT,
        env=deployed.local.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def monthend(deployed: Deployed, *words: str, code: int = 0) -> Any:
    """Returns the JSON that the command prints; fails unless its exit code is `code`."""
    with started(deployed, "--json", *words) as child:
        out, errors = child.communicate(timeout=120)
    assert child.returncode == code, errors
    # The sample month grows old: from some day on these warnings are printed.
    assert [line for line in errors.splitlines() if not line.startswith(TOO_OLD)] == []
    return json.loads(out)


def used(deployed: Deployed, period: Period) -> dict[str, dict[str, Decimal]]:
    totals = deployed.rollup.pricing.usage.totals(
        (
            segment.deployment_id
            for account in sample_month().accounts
            for segment in account.segments
        ),
        period,
    )
    return {name: dict(total.quantities) for name, total in totals.items()}


def test_the_seed_was_a_load_so_another_says_unchanged(deployed: Deployed) -> None:
    before = deployed.rollup.pricing.accounts.account("acme")
    report = monthend(deployed, "load", str(FOLDER))
    # 4 plans, 4 add-ons, 25 tenants and their 27 subscriptions.
    assert report["counts"] == {"stored": 0, "unchanged": 60, "refused": 0}
    assert deployed.rollup.pricing.accounts.account("acme") == before


def test_the_seed_was_an_import_so_another_counts_nothing(deployed: Deployed) -> None:
    before = used(deployed, APRIL)
    # 72 hours on each of 30 days; 18 days of 192 and 12 of 240; 30 days of 41.75 GB.
    assert before["pilot"] == {"droplet_hours": Decimal(2160)}
    assert before["acme-dispatch"] == {
        "droplet_hours": Decimal(6336),
        "egress_gb": Decimal("1252.5"),
    }
    report = monthend(deployed, "usage", "import", USAGE, *RECEIVED)
    assert report["rows"] == []
    assert report["counts"]["accepted"] == 0
    assert report["counts"]["duplicate"] == 1087
    assert used(deployed, APRIL) == before


PLAIN = """\
version: 1
plans:
  - code: plain
    name: Plain
    price: 100
    proration: daily
    rates:
      - {resource_kind: droplet_hours, unit: hour, model: per_unit, unit_price: "0.01",
         included: 744}
"""


@pytest.mark.parametrize(
    ("plain", "written", "place"),
    [
        ("price: 100", "price: 0100", "5: plans[0].price"),
        ("included: 744", "included: 744:00", "9: plans[0].rates[0].included"),
        ("price: 100", "price: 1_000", "5: plans[0].price"),
    ],
    ids=["0100, which was 64.00", "744:00, which was 44,640", "sibling: 1_000"],
)
def test_a_number_that_reads_otherwise_is_refused_at_its_line(
    deployed: Deployed, tmp_path: Path, plain: str, written: str, place: str
) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(PLAIN.replace(plain, written))
    with started(deployed, "load", str(file)) as child:
        out, errors = child.communicate(timeout=120)
    assert (child.returncode, out) == (1, "")
    number = written.partition(": ")[2]
    first, last = errors.splitlines()
    assert first.startswith(f"plain.yaml:{place}: {number} is no plain number")
    assert last == "The catalogue is refused as a whole; nothing was written."
    with pytest.raises(UnknownPrice):
        deployed.rollup.pricing.accounts.newest_version("plan", "plain")


@pytest.fixture
def october(tmp_path: Path) -> Path:
    """A file of 6,000 events: 1,500 quarters of an hour for each of four deployments."""
    rows = [
        f"o-{n},meter,{DEPLOYMENTS[n % 4]},droplet_hours,0.25,2024-10-{n % 28 + 1:02}T08:00:00Z"
        for n in range(6000)
    ]
    file = tmp_path / "october.csv"
    heading = "id,source,deployment_id,resource_kind,quantity,occurred_at"
    file.write_text("\n".join((heading, *rows)) + "\n")
    return file


def test_an_import_that_is_killed_half_way_and_run_again_counts_exactly_once(
    deployed: Deployed, october: Path
) -> None:
    words = ("usage", "import", str(october), "--received-at", "2024-11-01T00:00:00Z")
    with started(deployed, *words) as child:
        wait_until(lambda: len(used(deployed, OCTOBER)) == 4, "some of it counted")
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    counted = sum(hours["droplet_hours"] for hours in used(deployed, OCTOBER).values())
    assert Decimal(0) < counted < Decimal(1500)

    counts = monthend(deployed, *words)["counts"]
    assert counts["accepted"] + counts["duplicate"] == 6000
    # Events in flight may have been counted after the last look.
    assert counts["duplicate"] >= counted * 4
    # 1,500 events of a quarter of an hour each.
    assert used(deployed, OCTOBER) == {
        name: {"droplet_hours": Decimal(375)} for name in DEPLOYMENTS
    }
    again = monthend(deployed, *words)["counts"]
    assert (again["accepted"], again["duplicate"]) == (0, 6000)


def test_usage_of_nobody_is_listed_with_its_line(deployed: Deployed, tmp_path: Path) -> None:
    file = tmp_path / "nobody.csv"
    heading = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"
    file.write_text(f"{heading}\nnobody,droplet_hours,2026-04-01,2026-04-30,1\n")
    report = monthend(deployed, "usage", "import", str(file), *RECEIVED, code=1)
    assert report["rows"] == [
        {
            "line": 2,
            "outcome": "rejected",
            "reason": "deployment_id: no deployment nobody is known",
            "events": 30,
        }
    ]


def test_the_invoice_is_the_one_that_http_shows(invoiced: Deployed) -> None:
    shown = monthend(invoiced, "invoice", "pilot.2026-04")
    answer = invoiced.call("/invoices/pilot.2026-04", invoiced.local.token("pilot"))
    assert shown == answer.json
    listed = monthend(invoiced, "invoices", "--period", "2026-04")["invoices"]
    assert [invoice["number"] for invoice in listed if invoice["tenant_id"] == "pilot"] == [
        "2604-1000"
    ]


def test_an_estimate_and_a_quote_are_those_that_http_gives(deployed: Deployed) -> None:
    token = deployed.local.token("pilot")
    shown = monthend(deployed, "estimate", "pilot", "--period", "2026-04")
    answer = deployed.call("/estimates?period=2026-04", token).json
    assert shown | {"as_of": ""} == answer | {"as_of": ""}
    # The pilot's April is over: 50.00 + 7.50 + 6.72; GST 6.42.
    assert shown["to_date"]["total_cents"] == shown["projection"]["total_cents"] == 7064

    words = ("quote", "--plan", "studio", "--addon", "storage_50gb", "--period", "2026-04")
    quoted = monthend(deployed, *words, "--usage", "droplet_hours=2160", "--tenant", "pilot")
    assert quoted["total_cents"] == 7064
    body = {
        "plan": "studio",
        "addons": [{"code": "storage_50gb"}],
        "period": "2026-04",
        "usage": {"droplet_hours": "2160"},
    }
    over_http = deployed.call("/quotes", token, "POST", body).json
    own = {"id", "asked_at"}
    assert {n: v for n, v in quoted.items() if n not in own} == {
        n: v for n, v in over_http.items() if n not in own
    }
