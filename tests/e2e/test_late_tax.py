"""Late usage through the deployed stack keeps the tax treatment of the month that it belongs to.

April is issued, the tenants' treatment is another from May on, and usage of April comes in late.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Deployed
from tests.e2e.test_cli import monthend
from tests.e2e.test_cli_month_end import forget
from tests.e2e.test_worked_bills import (
    CATALOGUE,
    import_usage,
    printed,
    run_month,
    write_customers,
)
from tests.e2e.worked_bills import DISK, MAY, Bill, part

APRIL = "2026-04"
ON = ("2026-04-01", None)
# `used` is April's, before it is issued.
LATE = (
    Bill(
        "late-export",
        "April was taxed, and 100.00 of it still is when the tenant exports",
        (part(ON, "studio", **DISK),),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Addon: storage_50gb | 1 x 7.50 | 750",
            "Adjustment for 2026-04: droplet_hours (11488 used, 1488 invoiced)"
            " | 1 x 100.00 | 10000",
            "GST 10% of 100.00 | 1 x 10.00 | 1000",
        ),
        16750,
        used=((1, 24, 62),),
        month=MAY,
    ),
    Bill(
        "late-home",
        "April was GST-free, and 100.00 of it still is when the tenant is taxed",
        (part(ON, "studio", **DISK),),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Addon: storage_50gb | 1 x 7.50 | 750",
            "Adjustment for 2026-04: droplet_hours (11488 used, 1488 invoiced)"
            " | 1 x 100.00 | 10000",
            "GST 10% of 57.50 | 1 x 5.75 | 575",
        ),
        16325,
        used=((1, 24, 62),),
        month=MAY,
    ),
    Bill(
        "late-refund",
        "sibling: late usage that lowers a taxed month gives its GST back",
        (part(ON, "dropping"),),
        (
            "Plan: Dropping | 1 x 0.00 | 0",
            "Adjustment for 2026-04: droplet_hours (110 used, 100 invoiced) | 1 x -45.00 | -4500",
            "GST 10% of -45.00 | 1 x -4.50 | -450",
        ),
        -4950,
        used=((1, 10, 10),),
        month=MAY,
    ),
)
TENANT_IDS = tuple(bill.tenant_id for bill in LATE)
# On each of ten days: 10,000 hours are 100.00; 110 hours at 0.50 are 45.00 less than 100 at 1.00.
LATE_HOURS = {"late-export": 1000, "late-home": 1000, "late-refund": 1}


@pytest.fixture(scope="module")
def stack(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stack after May, which bills what came late for April; the tenants are deleted."""
    folder = tmp_path_factory.mktemp("late")
    customers = folder / "customers.yaml"
    write_customers(customers, LATE, 9600, gst_free=["late-home"])
    monthend(deployed, "load", str(CATALOGUE), str(customers))
    used = [(bill.tenant_id, *days) for bill in LATE for days in bill.used]
    import_usage(deployed, folder / "april.csv", APRIL, used)
    run_month(deployed, APRIL, LATE)
    for tenant_id in TENANT_IDS:
        path, token = f"/invoices/{tenant_id}.{APRIL}/issue", deployed.local.token("admin")
        assert deployed.call(path, token, "POST", {"revision": 1}).status == 200
    write_customers(customers, LATE, 9600, gst_free=["late-export", "late-refund"])
    monthend(deployed, "load", str(CATALOGUE), str(customers))
    late = [(tenant_id, 21, 30, hours) for tenant_id, hours in LATE_HOURS.items()]
    import_usage(deployed, folder / "late.csv", APRIL, late)
    run_month(deployed, MAY, LATE)
    yield deployed
    forget(deployed, *TENANT_IDS)


def invoice(stack: Deployed, tenant_id: str, month: str) -> Any:
    """Returns an invoice as HTTP shows it."""
    return stack.call(f"/invoices/{tenant_id}.{month}", stack.local.token("admin")).json


@pytest.mark.parametrize("bill", LATE, ids=lambda bill: bill.says)
def test_late_usage_is_taxed_as_its_month(stack: Deployed, bill: Bill) -> None:
    may = invoice(stack, bill.tenant_id, MAY)
    assert [printed(line) for line in may["lines"]] == list(bill.lines)
    assert may["total_cents"] == bill.total_cents


def test_april_stays_as_it_was_issued(stack: Deployed) -> None:
    aprils = [invoice(stack, tenant_id, APRIL) for tenant_id in TENANT_IDS]
    assert [(april["status"], printed(april["lines"][-1])) for april in aprils] == [
        ("issued", "GST 10% | 1 x 5.75 | 575"),
        ("issued", "GST-free | 1 x 0.00 | 0"),
        ("issued", "GST 10% | 1 x 10.00 | 1000"),
    ]
