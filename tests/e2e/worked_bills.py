"""Months that are billed by hand: who has what when, what is used, what is due.

An amount that is expected is one line of text: what it says, quantity x unit price, and cents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HOURS = "droplet_hours"
MAY = "2026-05"
FIRST_HALF, SECOND_HALF = ("2026-04-01", "2026-04-15"), ("2026-04-16", None)


@dataclass(frozen=True)
class Bill:
    """A tenant of its own, its month, and every line that it must be billed.

    `parts` are the subscriptions of its deployment, which has the tenant's id. `used` holds first
    day, last day and droplet hours of each of these days. `changes` are sent to the API before the
    month is run. If `quoted` is given, the month is quoted as well, as one subscription with these
    terms, and the quote has the same lines.
    """

    tenant_id: str
    says: str
    parts: tuple[dict[str, Any], ...]
    lines: tuple[str, ...]
    total_cents: int
    used: tuple[tuple[int, int, int], ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    month: str = "2026-04"
    quoted: Mapping[str, Any] | None = None


def part(days: tuple[str, str | None], plan: str, **terms: Any) -> dict[str, Any]:
    """Returns a subscription as a file gives it; without a last day it goes on."""
    return {"plan": plan, "starts_on": days[0], "ends_on": days[1], **terms}


DISK = {"addons": [{"code": "storage_50gb"}]}

STRETCHES = (
    Bill(
        "cut-studio",
        "an add-on from 16 April leaves the allowance of the month whole",
        (part(FIRST_HALF, "studio"), part(SECOND_HALF, "studio", **DISK)),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Addon: storage_50gb (15/30 days of 7.50) | 1 x 3.75 | 375",
            "GST 10% | 1 x 5.38 | 538",
        ),
        5913,
        used=((16, 30, 72),),
    ),
    Bill(
        "cut-minimum",
        "a rate's minimum is due once",
        (part(FIRST_HALF, "ready"), part(SECOND_HALF, "ready")),
        (
            "Plan: Ready | 1 x 0.00 | 0",
            "Overage: droplet_hours (0 used; 0.00 raised to the minimum 5.00) | 1 x 5.00 | 500",
            "GST 10% | 1 x 0.50 | 50",
        ),
        550,
        quoted={"plan": "ready"},
    ),
    Bill(
        "cut-tiers",
        "tiers count over both parts",
        (part(FIRST_HALF, "stepped"), part(SECOND_HALF, "stepped")),
        (
            "Plan: Stepped | 1 x 0.00 | 0",
            "Overage: droplet_hours (200 used; 100 x 0.10 + 100 x 0.01) | 1 x 11.00 | 1100",
            "GST 10% | 1 x 1.10 | 110",
        ),
        1210,
        used=((1, 10, 10), (21, 30, 10)),
        quoted={"plan": "stepped", "usage": {HOURS: "200"}},
    ),
    Bill(
        "cut-cap",
        "a rate's maximum holds for both parts together",
        (part(FIRST_HALF, "capped"), part(SECOND_HALF, "capped")),
        (
            "Plan: Capped | 1 x 0.00 | 0",
            "Overage: droplet_hours (1344 used; "
            "9.9456 lowered to the maximum 5.00) | 1 x 5.00 | 500",
            "GST 10% | 1 x 0.50 | 50",
        ),
        550,
        used=((1, 14, 48), (17, 30, 48)),
        quoted={"plan": "capped", "usage": {HOURS: "1344"}},
    ),
    Bill(
        "cut-flat",
        "a plan that is not prorated is billed once",
        (part(FIRST_HALF, "flat"), part(SECOND_HALF, "flat", **DISK)),
        (
            "Plan: Flat | 1 x 50.00 | 5000",
            "Addon: storage_50gb | 1 x 7.50 | 750",
            "GST 10% | 1 x 5.75 | 575",
        ),
        6325,
        quoted={"plan": "flat", "addons": [{"code": "storage_50gb"}]},
    ),
    Bill(
        "cut-packages",
        "sibling: two halves of a package are one package",
        (part(FIRST_HALF, "packed"), part(SECOND_HALF, "packed")),
        (
            "Plan: Packed | 1 x 0.00 | 0",
            "Overage: droplet_hours (100 used; 1 package of 100) | 1 x 2.50 | 250",
            "GST 10% | 1 x 0.25 | 25",
        ),
        275,
        used=((6, 15, 5), (16, 25, 5)),
        quoted={"plan": "packed", "usage": {HOURS: "100"}},
    ),
    Bill(
        "cut-pool",
        "sibling: what is cut in three is one member of a pool, with one allowance",
        (
            part(("2026-04-01", "2026-04-10"), "pooled"),
            part(("2026-04-11", "2026-04-20"), "pooled"),
            part(("2026-04-21", None), "pooled"),
        ),
        (
            "Plan: Pooled | 1 x 0.00 | 0",
            "Overage: droplet_hours (300 used; pool of 1: 300 used, 100 included; "
            "2.00 of 2.00) | 1 x 2.00 | 200",
            "GST 10% | 1 x 0.20 | 20",
        ),
        220,
        used=((1, 30, 10),),
        quoted={"plan": "pooled", "usage": {HOURS: "300"}},
    ),
)

PRINTED = (
    Bill(
        "day-of-49-95",
        "49.95 from 30 April is 1 x 1.67",
        (part(("2026-04-30", None), "hosting"),),
        (
            "Plan: Hosting (1/30 days of 49.95) | 1 x 1.67 | 167",
            "GST 10% | 1 x 0.17 | 17",
        ),
        184,
        quoted={"plan": "hosting", "starts_on": "2026-04-30"},
    ),
    Bill(
        "days-of-29-95",
        "19 days of 29.95 are printed in days",
        (part(("2026-04-12", None), "small"),),
        (
            "Plan: Small (19/30 days of 29.95) | 1 x 18.97 | 1897",
            "GST 10% | 1 x 1.90 | 190",
        ),
        2087,
        quoted={"plan": "small", "starts_on": "2026-04-12"},
    ),
    Bill(
        "days-of-addons",
        "sibling: a day of three add-ons is one sum",
        (part(("2026-04-30", None), "bare", addons=[{"code": "storage_50gb", "quantity": 3}]),),
        (
            "Plan: Bare (1/30 days of 0.00) | 1 x 0.00 | 0",
            "Addon: storage_50gb (1/30 days of 3 x 7.50) | 1 x 0.75 | 75",
            "GST 10% | 1 x 0.08 | 8",
        ),
        83,
        quoted={
            "plan": "bare",
            "starts_on": "2026-04-30",
            "addons": [{"code": "storage_50gb", "quantity": 3}],
        },
    ),
    Bill(
        "about",
        "sibling: an allowance that does not end is about so much, and the rate has its name",
        (part(("2026-05-15", None), "egress"),),
        (
            "Plan: Egress (17/31 days of 0.00) | 1 x 0.00 | 0",
            "Overage: Traffic (100 used, about 54.83871 included for 17/31 days; "
            "about 45.16129 x 1.00) | 1 x 45.16 | 4516",
            "GST 10% | 1 x 4.52 | 452",
        ),
        4968,
        used=((16, 25, 10),),
        month=MAY,
        quoted={"plan": "egress", "starts_on": "2026-05-15", "usage": {HOURS: "100"}},
    ),
)
