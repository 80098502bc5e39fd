"""The quote: lines that explain themselves, and their sums."""

from decimal import Decimal
from typing import Literal, NamedTuple

type LineKind = Literal[
    "plan_base", "addon", "overage", "minimum", "discount", "adjustment", "tax"
]


class Line(NamedTuple):
    """One printed line. `quantity` and `unit_price` (dollars) are decimal strings.

    Their product is `amount_cents` to the cent, though no amount is computed from them.
    """

    kind: LineKind
    description: str
    deployment_id: str | None
    resource_kind: str | None
    quantity: str
    unit: str
    unit_price: str
    amount_cents: int


class UnpricedUsage(NamedTuple):
    """Usage that is not billed: its kind has no rate, or no day of the period is subscribed.

    `period` is the label of the earlier period that it is of; None if it is of the quote's own.
    """

    deployment_id: str
    resource_kind: str
    quantity: Decimal
    period: str | None = None


class Quote(NamedTuple):
    """All lines, tax included; `subtotal_cents` is their sum without tax."""

    currency: str
    lines: tuple[Line, ...]
    subtotal_cents: int
    tax_cents: int
    total_cents: int
    unpriced: tuple[UnpricedUsage, ...]
