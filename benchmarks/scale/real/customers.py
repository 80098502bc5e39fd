"""Generated customers, and what each must be billed, by separate integer arithmetic.

Everybody is on one plan: 50.00 a month with 1,488 hours, then a cent an hour. Hours differ by
tenant, every third takes an add-on, every tenth pays no tax.
"""

from collections.abc import Iterator
from pathlib import Path

PERIOD = "2026-04"
RECEIVED_AT = "2026-05-01T00:00:00Z"
PLAN_CENTS, ADDON_CENTS, HOUR_CENTS = 5000, 750, 1
INCLUDED_HOURS, LEAST_HOURS, HOURS_APART = 1488, 1000, 1777
ADDON_EVERY, TAX_FREE_EVERY = 3, 10
TAX_DIVISOR = 10
MOST_TENANTS = 20_000

CATALOGUE = """\
version: 1
plans:
  - code: studio
    name: Studio
    price: "50.00"
    proration: daily
    rates:
      - resource_kind: droplet_hours
        unit: hour
        model: per_unit
        included: "1488"
        unit_price: "0.01"
addons:
  - {code: storage_50gb, price: "7.50"}
"""


def tenant_id(number: int) -> str:
    """Returns the id of the tenant with this number; numbers begin at 1."""
    return f"tenant-{number:05}"


def hours(number: int) -> int:
    """Returns the hours that a tenant used in the month: from 1,000 on, some in the allowance."""
    return LEAST_HOURS + number % HOURS_APART


def total_cents(number: int) -> int:
    """Returns the cents that the tenant owes, with a tenth added as tax, rounded half up."""
    subtotal = PLAN_CENTS + HOUR_CENTS * max(0, hours(number) - INCLUDED_HOURS)
    if number % ADDON_EVERY == 0:
        subtotal += ADDON_CENTS
    if number % TAX_FREE_EVERY == 0:
        return subtotal
    return subtotal + (subtotal + TAX_DIVISOR // 2) // TAX_DIVISOR


def totals(count: int) -> dict[str, int]:
    """Returns the cents that each of `count` tenants owes, by tenant id."""
    return {tenant_id(number): total_cents(number) for number in range(1, count + 1)}


def _tenant_rows(count: int) -> Iterator[str]:
    yield "tenant_id,name,account_number,tax,tax_reason"
    for number in range(1, count + 1):
        free = number % TAX_FREE_EVERY == 0
        tax = "gst_free,Export: customer in New Zealand" if free else "gst,Australian customer"
        yield f"{tenant_id(number)},Customer {number},{number},{tax}"


def _subscription_rows(count: int) -> Iterator[str]:
    yield "tenant_id,deployment_id,plan,starts_on,addons,catalogue_version"
    for number in range(1, count + 1):
        addons = "storage_50gb:1" if number % ADDON_EVERY == 0 else ""
        name = tenant_id(number)
        yield f"{name},{name}-web,studio,2026-01-10,{addons},1"


def _usage_rows(count: int) -> Iterator[str]:
    yield "deployment_id,resource_kind,first_day,last_day,quantity_per_day"
    for number in range(1, count + 1):
        yield f"{tenant_id(number)}-web,droplet_hours,2026-04-15,2026-04-15,{hours(number)}"


def write_files(folder: Path, count: int) -> None:
    """Writes what `monthend load FOLDER` and `monthend usage import FOLDER/usage.csv` take."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    for name, rows in (
        ("tenants", _tenant_rows(count)),
        ("subscriptions", _subscription_rows(count)),
        ("usage", _usage_rows(count)),
    ):
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
