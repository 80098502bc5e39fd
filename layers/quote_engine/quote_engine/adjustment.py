"""Adjustments: amounts that belong to an earlier period."""

from quote_engine.faults import refuse
from quote_engine.limits import cents_fault, choice_fault, description_fault, named, text_fault
from quote_engine.quote import Line
from quote_engine.tax import TAX_TREATMENTS, TaxTreatment
from quote_engine.text import cents_text
from quote_engine.value import value


@value
class Adjustment:
    """An amount of an earlier period, in cents; a negative one is a refund.

    `tax` is the treatment of that period, because an adjustment follows the supply that it adjusts
    (GST Act Div 19); None is the treatment of the request that it is billed with.
    """

    description: str
    deployment_id: str | None
    resource_kind: str | None
    amount_cents: int
    tax: TaxTreatment | None = None

    def __post_init__(self) -> None:
        deployment_id, kind, tax = self.deployment_id, self.resource_kind, self.tax
        faults = named(
            ("description", "deployment_id", "resource_kind", "amount_cents", "tax"),
            description_fault(self.description),
            None if deployment_id is None else text_fault(deployment_id),
            None if kind is None else text_fault(kind),
            cents_fault(self.amount_cents),
            None if tax is None else choice_fault(tax, TAX_TREATMENTS),
        )
        refuse(faults)

    @property
    def line(self) -> Line:
        """The printed line: 1 x its amount."""
        cents, dollars = self.amount_cents, cents_text(self.amount_cents)
        subject = self.deployment_id, self.resource_kind
        return Line("adjustment", self.description, *subject, "1", "", dollars, cents)


def adjustments_in_order(
    adjustments: tuple[Adjustment, ...], own: TaxTreatment
) -> tuple[Adjustment, ...]:
    """Sorts by deployment, resource kind, text, cents and tax: the given order changes no invoice.

    `own` is the treatment of those that have none.
    """

    def rank(adjustment: Adjustment) -> tuple[str, str, str, int, str]:
        return (
            adjustment.deployment_id or "",
            adjustment.resource_kind or "",
            adjustment.description,
            adjustment.amount_cents,
            adjustment.tax or own,
        )

    return tuple(sorted(adjustments, key=rank))
