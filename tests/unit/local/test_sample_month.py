"""The sample month holds what the demo shows, and the real engine prices it as a person would."""

from collections import Counter
from decimal import Decimal

import pytest

from invoicing.accounts.account import Account, Segment
from local.sample_month import PERIOD, sample_month
from quote_engine import Addon, Line, Period, Quote, QuoteRequest, Subscription, price
from quote_engine.rates.rate_models import RATE_MODELS

APRIL = Period.month(PERIOD)
ACCOUNTS = {account.tenant.tenant_id: account for account in sample_month().accounts}
PLANS = {plan.code: plan for plan in sample_month().plans}
ADDONS = {addon.code: addon for addon in sample_month().addons}


def _used(deployment_id: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = Counter()  # type: ignore[assignment]
    for usage in sample_month().usage:
        if usage.deployment_id == deployment_id:
            for kind, quantity in usage.quantities.items():
                totals[kind] += quantity
    return dict(totals)


def _subscription(segment: Segment) -> Subscription:
    choices = [(ADDONS[choice.code], choice.quantity) for choice in segment.addons]
    return Subscription(
        deployment_id=segment.deployment_id,
        starts_on=segment.starts_on,
        ends_on=segment.ends_on,
        plan=PLANS[segment.plan_code],
        addons=tuple(
            Addon(addon.code, addon.price, quantity, addon.name) for addon, quantity in choices
        ),
        usage=_used(segment.deployment_id),
    )


def _quote(account: Account) -> Quote:
    active = [segment for segment in account.segments if segment.active_in(APRIL)]
    subscriptions = tuple(_subscription(segment) for segment in active)
    return price(QuoteRequest(APRIL, "AUD", account.tenant.tax, subscriptions))


def _amounts(lines: tuple[Line, ...]) -> list[int]:
    return [line.amount_cents for line in lines]


@pytest.mark.parametrize(
    ("tenant_id", "by_hand"),
    [
        # 72 h a day for 30 days is 2,160; less 1,488 included is 672 at a cent; tax 6.422.
        ("pilot", [5000, 750, 672, 642]),
        # 15 of 30 days: half of 12.00, 7.50 and 50.00; 1,080 h less 744 included is 336.
        ("ironbark-legal", [2500, 600, 375, 336, 381]),
        # 14 of 30 days: 23.333; 672 h are within the 694.4 included.
        ("tidewater-cafe", [2333, 233]),
        # 3,600 h less 2,232 is 1,368 in the first tier at 1.15 cents: 15.732. Export: no tax.
        ("kauri-books", [12000, 1500, 1573, 0]),
        # 4,450 emails more than the 3,000 included are 9.45, so 10 packages of a thousand.
        ("paperbark-press", [1500, 750, 974, 900, 412]),
    ],
)
def test_priced_as_by_hand(tenant_id: str, by_hand: list[int]) -> None:
    assert _amounts(_quote(ACCOUNTS[tenant_id]).lines) == by_hand


def test_every_tenant_is_invoiced_or_has_nothing_active() -> None:
    nothing = {tenant_id for tenant_id, account in ACCOUNTS.items() if not _quote(account).lines}
    assert nothing == {"wattle-and-co", "mulga-motors"}


def test_one_tenant_uses_a_kind_that_its_plan_does_not_price() -> None:
    unpriced = {tenant_id: _quote(account).unpriced for tenant_id, account in ACCOUNTS.items()}
    assert {tenant_id: len(kinds) for tenant_id, kinds in unpriced.items() if kinds} == {
        "banksia-labs": 1
    }


def test_the_plans_use_every_pricing_model() -> None:
    models = {type(rate) for plan in sample_month().plans for rate in plan.rates}
    assert models == set(RATE_MODELS)


def test_ids_and_account_numbers_are_unique() -> None:
    accounts = sample_month().accounts
    deployments = [segment.deployment_id for account in accounts for segment in account.segments]
    numbers = [account.tenant.account_number for account in accounts]
    assert len(set(deployments)) == len(deployments)
    assert len(set(numbers)) == len(ACCOUNTS) == len(accounts)


def test_usage_is_of_april_and_of_days_on_which_the_deployment_ran() -> None:
    running = {
        segment.deployment_id: (segment.starts_on, segment.ends_on or APRIL.last_day)
        for account in sample_month().accounts
        for segment in account.segments
    }
    for usage in sample_month().usage:
        first, last = running[usage.deployment_id]
        assert max(first, APRIL.start) <= usage.day <= last, usage


def test_at_least_three_tenants_sign_in() -> None:
    assert {"pilot", "acme"} < set(sample_month().logins) <= set(ACCOUNTS)
