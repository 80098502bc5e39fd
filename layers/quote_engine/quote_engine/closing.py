"""Rules 6 and 7: what follows from the sum of a subscription's charges."""

from quote_engine.commitment import commitment_cents, top_up_lines
from quote_engine.discount import discount_lines
from quote_engine.models import Subscription
from quote_engine.proration import Share
from quote_engine.quote import Line


def closing_lines(
    subscription: Subscription, share: Share, charges: list[Line], committed: int | None = None
) -> list[Line]:
    """The commitment's line, then the discounts': printed in the order of the kinds of line.

    Computed the other way round: the commitment compares with what is left after discounts, so
    that no discount can undercut it. `committed`: its cents, where a split month decides them.
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
