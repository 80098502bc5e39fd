"""Bills of what belongs to a deployment's month, however it is cut: discounts and commitments."""

from tests.e2e.worked_bills import FIRST_HALF, HOURS, MAY, SECOND_HALF, Bill, part

FIVE, TENTH = {"amount": "5.00"}, {"percent": "10"}

DISCOUNTS = (
    Bill(
        "fixed-begun",
        "a deployment that begins on the 16th has all of a fixed discount",
        (part(SECOND_HALF, "studio", discounts=[FIVE]),),
        (
            "Plan: Studio (15/30 days of 50.00) | 1 x 25.00 | 2500",
            "Discount: 5.00 | 1 x -5.00 | -500",
            "GST 10% | 1 x 2.00 | 200",
        ),
        2200,
        quoted={"plan": "studio", "starts_on": "2026-04-16", "discounts": [FIVE]},
    ),
    Bill(
        "fixed-gained",
        "a deployment that gains it on the 16th of a full month has half",
        (
            part(FIRST_HALF, "studio"),
            part(SECOND_HALF, "studio", discounts=[FIVE]),
        ),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Discount: 5.00 for 15/30 days | 1 x -2.50 | -250",
            "GST 10% | 1 x 4.75 | 475",
        ),
        5225,
    ),
    Bill(
        "fixed-gap",
        "sibling: 10 of the 20 days that a deployment had, with a gap, are half",
        (
            part(("2026-04-01", "2026-04-10"), "sixty"),
            part(("2026-04-16", "2026-04-25"), "sixty", discounts=[FIVE]),
        ),
        (
            "Plan: Sixty (10/30 days of 60.00) | 1 x 20.00 | 2000",
            "Plan: Sixty (10/30 days of 60.00) | 1 x 20.00 | 2000",
            "Discount: 5.00 for 10/20 days | 1 x -2.50 | -250",
            "GST 10% | 1 x 3.75 | 375",
        ),
        4125,
    ),
    Bill(
        "percent-days",
        "a percentage acts on the charges of the days that have it",
        (
            part(("2026-04-01", "2026-04-10"), "studio", discounts=[TENTH]),
            part(("2026-04-11", None), "studio"),
        ),
        (
            "Plan: Studio | 1 x 50.00 | 5000",
            "Discount: 10% of 16.67 for 10/30 days | 1 x -1.67 | -167",
            "GST 10% | 1 x 4.83 | 483",
        ),
        5316,
    ),
    Bill(
        "percent-minimum",
        "sibling: a rate's minimum for nothing used is split by days, too",
        (
            part(("2026-04-01", "2026-04-06"), "ready", discounts=[TENTH]),
            part(("2026-04-07", None), "ready"),
        ),
        (
            "Plan: Ready | 1 x 0.00 | 0",
            "Overage: droplet_hours (0 used; 0.00 raised to the minimum 5.00) | 1 x 5.00 | 500",
            "Discount: 10% of 1.00 for 6/30 days | 1 x -0.10 | -10",
            "GST 10% | 1 x 0.49 | 49",
        ),
        539,
    ),
)

COMMITMENTS = (
    Bill(
        "commitment-met",
        "a commitment that the first part meets is met",
        (
            part(FIRST_HALF, "metered", minimum_commitment="100.00"),
            part(SECOND_HALF, "metered", minimum_commitment="100.00"),
        ),
        (
            "Plan: Metered | 1 x 0.00 | 0",
            "Overage: droplet_hours (10000 used) | 10000 x 0.01 | 10000",
            "GST 10% | 1 x 10.00 | 1000",
        ),
        11000,
        used=((1, 10, 1000),),
        quoted={
            "plan": "metered",
            "usage": {HOURS: "10000"},
            "minimum_commitment": "100.00",
        },
    ),
    Bill(
        "commitment-two",
        "62.00 for 3 of 31 days and 93.00 for 28 owe 90.00",
        (
            part(("2026-05-01", "2026-05-03"), "bare", minimum_commitment="62.00"),
            part(("2026-05-04", None), "other", minimum_commitment="93.00"),
        ),
        (
            "Plan: Bare (3/31 days of 0.00) | 1 x 0.00 | 0",
            "Plan: Other (28/31 days of 0.00) | 1 x 0.00 | 0",
            "Minimum commitment: 90.00 (6.00 for 3/31 days + 84.00 for 28/31 days), "
            "less 0.00 charged | 1 x 90.00 | 9000",
            "GST 10% | 1 x 9.00 | 900",
        ),
        9900,
        month=MAY,
    ),
    Bill(
        "commitment-three",
        "sibling: thirds of a commitment are rounded once",
        tuple(
            part(days, "bare", minimum_commitment="100.00")
            for days in (
                ("2026-04-01", "2026-04-10"),
                ("2026-04-11", "2026-04-20"),
                ("2026-04-21", None),
            )
        ),
        (
            "Plan: Bare | 1 x 0.00 | 0",
            "Minimum commitment: 100.00, less 0.00 charged | 1 x 100.00 | 10000",
            "GST 10% | 1 x 10.00 | 1000",
        ),
        11000,
        quoted={"plan": "bare", "minimum_commitment": "100.00"},
    ),
)
