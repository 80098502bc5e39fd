"""Bills of add-ons that have days of their own, from files and from changes over the API."""

from typing import Any

from tests.e2e.worked_bills import FIRST_HALF, HOURS, SECOND_HALF, Bill, part

APRIL = ("2026-04-01", "2026-04-30")


def addon(code: str, first: str | None = None, last: str | None = None, **more: Any) -> Any:
    """Returns an add-on as files and the API give it."""
    return {"code": code, "starts_on": first, "ends_on": last, **more}


FROM_THE_16TH = [addon("storage_50gb", "2026-04-16")]
# Ten days at either end of the month, and twice the same add-on.
TWICE = [addon("ten", last="2026-04-10"), addon("ten", first="2026-04-21")]
DISK_TWICE = [addon("storage_50gb", None, "2026-04-10"), addon("storage_50gb", "2026-04-21")]
STUDIO_53_75 = (
    "Plan: Studio | 1 x 50.00 | 5000",
    "Addon: storage_50gb (15/30 days of 7.50) | 1 x 3.75 | 375",
    "GST 10% | 1 x 5.38 | 538",
)

ADDONS = (
    Bill(
        "addon-dated",
        "an add-on from 16 April, within one subscription",
        (part(APRIL, "studio", addons=FROM_THE_16TH),),
        STUDIO_53_75,
        5913,
        used=((16, 30, 72),),
        quoted={"plan": "studio", "addons": FROM_THE_16TH, "usage": {HOURS: "1080"}},
    ),
    Bill(
        "addon-added",
        "an add-on that is added over the API on 16 April",
        (part(APRIL, "studio"),),
        STUDIO_53_75,
        5913,
        used=((16, 30, 72),),
        changes=({"from": "2026-04-16", "addons": [{"code": "storage_50gb"}]},),
        quoted={"plan": "studio", "addons": FROM_THE_16TH, "usage": {HOURS: "1080"}},
    ),
    Bill(
        "addon-goes-on",
        "a discount from 21 April begins a segment, and the add-on goes on over it",
        (part(APRIL, "studio"),),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Addon: storage_50gb (15/30 days of 7.50) | 1 x 3.75 | 375",
            "Discount: 5.00 for 10/30 days | 1 x -1.67 | -167",
            "GST 10% | 1 x 5.21 | 521",
        ),
        5729,
        changes=(
            {"from": "2026-04-16", "addons": [{"code": "storage_50gb"}]},
            {"from": "2026-04-21", "discounts": [{"amount": "5.00"}]},
        ),
    ),
    Bill(
        "addon-twice",
        "the same code twice apart is two parts of one price",
        (part(APRIL, "bare", addons=TWICE),),
        (
            "Plan: Bare | 1 x 0.00 | 0",
            "Addon: ten (10/30 days of 10.00; +0.01 so that the parts sum to the whole)"
            " | 1 x 3.34 | 334",
            "Addon: ten (10/30 days of 10.00) | 1 x 3.33 | 333",
            "GST 10% | 1 x 0.67 | 67",
        ),
        734,
        quoted={"plan": "bare", "addons": TWICE},
    ),
    Bill(
        "addon-quantity",
        "another quantity from 16 April is another price",
        (
            part(
                APRIL,
                "bare",
                addons=[
                    addon("storage_50gb", last="2026-04-15"),
                    addon("storage_50gb", "2026-04-16", quantity=2),
                ],
            ),
        ),
        (
            "Plan: Bare | 1 x 0.00 | 0",
            "Addon: storage_50gb (15/30 days of 7.50) | 1 x 3.75 | 375",
            "Addon: storage_50gb (15/30 days of 2 x 7.50) | 1 x 7.50 | 750",
            "GST 10% | 1 x 1.13 | 113",
        ),
        1238,
    ),
    Bill(
        "addon-whole",
        "on a plan that is not prorated each entry bills a whole month",
        (part(APRIL, "flat", addons=DISK_TWICE),),
        (
            "Plan: Flat | 1 x 50.00 | 5000",
            "Addon: storage_50gb | 1 x 7.50 | 750",
            "Addon: storage_50gb | 1 x 7.50 | 750",
            "GST 10% | 1 x 6.50 | 650",
        ),
        7150,
        quoted={"plan": "flat", "addons": DISK_TWICE},
    ),
    Bill(
        "addon-on-two-plans",
        "sibling: apart on two plans it is two parts of one price, too",
        (
            part(FIRST_HALF, "bare", addons=[addon("ten", last="2026-04-10")]),
            part(SECOND_HALF, "other", addons=[addon("ten", "2026-04-21")]),
        ),
        (
            "Plan: Bare (15/30 days of 0.00) | 1 x 0.00 | 0",
            "Addon: ten (10/30 days of 10.00; +0.01 so that the parts sum to the whole)"
            " | 1 x 3.34 | 334",
            "Plan: Other (15/30 days of 0.00) | 1 x 0.00 | 0",
            "Addon: ten (10/30 days of 10.00) | 1 x 3.33 | 333",
            "GST 10% | 1 x 0.67 | 67",
        ),
        734,
    ),
)
