"""A file of usage, imported again and again through the deployed stack, counts exactly once."""

import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from quote_engine import Period
from tests.e2e.conftest import Deployed
from tests.e2e.test_cli import RECEIVED, monthend, started
from tests.e2e.test_cli_month_end import forget

APRIL = Period.month("2026-04")
TENANTS = [f"importer-{number:02}" for number in range(20)]
HEADER = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"
KINDS = ("droplet_hours", "egress_gb")
# Fifty rows of each tenant. Days repeat after 24 rows: the last two are added to the first two.
ROWS = [
    f"{tenant},{KINDS[n % 2]},2026-04-{n % 24 + 1:02},2026-04-{n % 24 + 1:02},{n}.25"
    for n in range(50)
    for tenant in TENANTS
]
# 0 + 2 + ... + 48 and 1 + 3 + ... + 49, and 25 quarters.
USED = {"droplet_hours": Decimal("606.25"), "egress_gb": Decimal("631.25")}


@pytest.fixture(scope="module")
def importers(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stack with twenty tenants more, which are deleted at the end."""
    file = tmp_path_factory.mktemp("importers") / "customers.yaml"
    subscription = {"plan": "studio", "starts_on": "2026-01-10", "catalogue_version": 1}
    tenants = [
        {
            "tenant_id": tenant,
            "name": tenant.title(),
            "account_number": str(number),
            "tax": "gst",
            "subscriptions": [{"deployment_id": tenant, **subscription}],
        }
        for number, tenant in enumerate(TENANTS, 9101)
    ]
    file.write_text(json.dumps({"tenants": tenants}))
    monthend(deployed, "load", str(file))
    yield deployed
    forget(deployed, *TENANTS)


def counts(
    deployed: Deployed, file: Path, lines: Sequence[str], *words: str, bom: bool = False
) -> dict[str, int]:
    """Imports a file of these lines; returns the outcomes that occurred."""
    file.write_text("\ufeff" * bom + "\n".join((HEADER, *lines)) + "\n")
    report = monthend(deployed, "usage", "import", str(file), *RECEIVED, *words)
    assert report["rows"] == []
    return {name: count for name, count in report["counts"].items() if count}


def test_a_thousand_rows_shuffled_and_renamed_count_exactly_once(
    importers: Deployed, tmp_path: Path
) -> None:
    usage, chance = importers.rollup.pricing.usage, random.Random(11)
    assert counts(importers, tmp_path / "dry.csv", ROWS, "--dry-run") == {"accepted": 1000}
    assert usage.totals(TENANTS, APRIL) == {}
    for attempt, outcome in enumerate(("accepted", "duplicate", "duplicate")):
        lines = [*ROWS, *[""] * 7, *[",,,,,,"] * 7]
        chance.shuffle(lines)
        file = tmp_path / f"copy-{attempt}-of-april.csv"
        assert counts(importers, file, lines, bom=attempt == 1) == {outcome: 1000}
        totals = usage.totals(TENANTS, APRIL)
        assert {name: dict(total.quantities) for name, total in totals.items()} == dict.fromkeys(
            TENANTS, USED
        )
    names = usage.days(TENANTS[0], APRIL).imports
    assert set(names.values()) == {("copy-0-of-april.csv",)}
    assert len(names) == 24


def test_a_file_that_is_broken_at_its_end_counts_nothing(
    importers: Deployed, tmp_path: Path
) -> None:
    file = tmp_path / "broken.csv"
    rows = "".join(
        f"{TENANTS[0]},droplet_hours,2026-03-15,2026-03-15,{n}\n" for n in range(20_005)
    )
    file.write_bytes(f"{HEADER}\n{rows}".encode() + b"caf\xe9,droplet_hours\n")
    with started(importers, "usage", "import", str(file), *RECEIVED) as child:
        out, errors = child.communicate(timeout=120)
    assert (child.returncode, out) == (2, "")
    assert errors == f"monthend: {file}:20007: not UTF-8 text\n"
    assert importers.rollup.pricing.usage.totals(TENANTS, Period.month("2026-03")) == {}
