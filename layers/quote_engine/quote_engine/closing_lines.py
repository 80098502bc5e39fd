"""Rules 6 and 7: the lines that follow from the sum of a subscription's charges."""

from quote_engine.commitment import commitment_cents, top_up_lines
from quote_engine.discount import discount_lines
from quote_engine.models import Subscription
from quote_engine.proration import Share
from quote_engine.quote import Line


def closing_lines(
    subscription: Subscription, share: Share, charges: list[Line], committed: int | None = None
) -> list[Line]:
    """Returns the commitment's line, then the discounts': the order in which they are printed.

    They are computed the other way round: the commitment compares with what is left after
    discounts, so that no discount can undercut it. `committed`: the commitment in cents, if a
    split month decides it.
    """
    deployment_id, commitment = subscription.deployment_id, subscription.minimum_commitment
    charged = sum([line.amount_cents for line in charges])
    discounts = discount_lines(subscription.discounts, deployment_id, charged)
    if commitment is None:
        return discounts
    charged += sum([line.amount_cents for line in discounts])
    if committed is None:
        committed = commitment_cents(commitment, share)
    return top_up_lines(committed, charged, deployment_id, share, bool(discounts)) + discounts
