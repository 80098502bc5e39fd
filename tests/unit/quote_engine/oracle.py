"""A second engine: the money rules in fractions, day by day, to hold the first one against.

Written from docs/money-rules.md, and from nothing that computes: it shares no code with the engine
but the models of a request. It is plain rather than fast, so that a reader can check it against
the page. It knows amounts, kinds and order; how a line reads is tested elsewhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from quote_engine import (
    Addon,
    Graduated,
    Line,
    Package,
    PerUnit,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    Volume,
)

NEW_MODEL = "CONTRIBUTING.md, 'A new rate model', step 7"
ONE_DAY = timedelta(days=1)


class Printed(NamedTuple):
    """What the oracle knows of a line. `subject`: the plan's, add-on's or resource kind's name."""

    kind: str
    deployment_id: str | None
    subject: str | None
    cents: int


class Expected(NamedTuple):
    lines: list[Printed]
    subtotal: int
    tax: int


class Segment:
    """One subscription on its days in the month."""

    def __init__(self, terms: Subscription, days: list[date]) -> None:
        self.terms, self.days = terms, days


class Stretch:
    """Segments of one deployment, day after day on equal plans."""

    def __init__(self, first: Segment) -> None:
        self.segments = [first]
        self.deployment_id, self.plan = first.terms.deployment_id, first.terms.plan
        self.kinds = [rate.resource_kind for rate in self.plan.rates]

    def goes_on_with(self, segment: Segment) -> bool:
        alike = (segment.terms.deployment_id, segment.terms.plan) == (
            self.deployment_id,
            self.plan,
        )
        return alike and segment.days[0] - ONE_DAY in self.segments[-1].days

    def days(self) -> list[date]:
        return [day for segment in self.segments for day in segment.days]

    def used_by_segment(self, kind: str) -> list[Fraction]:
        return [Fraction(segment.terms.usage.get(kind, 0)) for segment in self.segments]

    def used(self, kind: str) -> Fraction:
        return sum(self.used_by_segment(kind), Fraction(0))


class Charge:
    """A printed charge, and its cents by segment: by `weights`, or by days if all are zero."""

    def __init__(
        self, kind: str, subject: str, cents: int, stretch: Stretch, weights: list[Fraction]
    ) -> None:
        self.printed, self.stretch = Printed(kind, stretch.deployment_id, subject, cents), stretch
        if not any(weights):
            weights = [Fraction(len(segment.days)) for segment in stretch.segments]
        shares = largest_remainder(cents, weights)
        self.cents_of = dict(zip(stretch.segments, shares, strict=True))


def expected(request: QuoteRequest) -> Expected:
    """All lines in printed order, the subtotal and the tax, in cents."""
    month = month_of(request)
    stretches = stretches_of(request, month)
    pools = pooled_cents(stretches, month)
    lines: list[Printed] = []
    for deployment_id in sorted({stretch.deployment_id for stretch in stretches}):
        own = [stretch for stretch in stretches if stretch.deployment_id == deployment_id]
        lines += lines_of_deployment(own, pools, month)
    taxable = sum(line.cents for line in lines) if request.tax == "gst" else 0
    in_order = sorted(
        request.adjustments,
        key=lambda it: (
            it.deployment_id or "",
            it.resource_kind or "",
            it.description,
            it.amount_cents,
        ),
    )
    for it in in_order:
        lines.append(Printed("adjustment", it.deployment_id, it.resource_kind, it.amount_cents))
        taxable += it.amount_cents if (it.tax or request.tax) == "gst" else 0
    if not lines:
        return Expected([], 0, 0)
    subtotal, tax = sum(line.cents for line in lines), half_up(Fraction(taxable, 1000))
    return Expected([*lines, Printed("tax", None, None, tax)], subtotal, tax)


# --- Days ----------------------------------------------------------------------------------------


def month_of(request: QuoteRequest) -> list[date]:
    days = [request.period.start + n * ONE_DAY for n in range(31)]
    return [day for day in days if day < request.period.end]


def stretches_of(request: QuoteRequest, month: list[date]) -> list[Stretch]:
    """In order of deployment and day; what has no day in the month is in none."""
    stretches: list[Stretch] = []
    for terms in sorted(request.subscriptions, key=lambda it: (it.deployment_id, it.starts_on)):
        days = [day for day in month if terms.starts_on <= day <= (terms.ends_on or day)]
        if not days:
            continue
        segment = Segment(terms, days)
        if stretches and stretches[-1].goes_on_with(segment):
            stretches[-1].segments.append(segment)
        else:
            stretches.append(Stretch(segment))
    return stretches


def runs(days: set[date]) -> Iterator[list[date]]:
    """Days that follow each other, as one list."""
    for first in sorted(day for day in days if day - ONE_DAY not in days):
        run = [first]
        while run[-1] + ONE_DAY in days:
            run.append(run[-1] + ONE_DAY)
        yield run


# --- Cents ---------------------------------------------------------------------------------------


def half_up(dollars: Fraction) -> int:
    """Cents, half a cent away from zero."""
    cents = floor(abs(dollars) * 100 + Fraction(1, 2))
    return cents if dollars > 0 else -cents


def largest_remainder(cents: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Parts that sum to the whole; equal parts if all weights are zero."""
    shares = [Fraction(weight) for weight in weights]
    shares = shares if any(shares) else [Fraction(1) for _ in shares]
    exact = [cents * share / sum(shares) for share in shares]
    parts = [floor(part) for part in exact]
    in_turn = sorted(range(len(parts)), key=lambda n: (parts[n] - exact[n], n))
    for n in in_turn[: cents - sum(parts)]:
        parts[n] += 1
    return parts


class Priced(NamedTuple):
    """Something at a monthly price on some days; equal keys are parts of one price."""

    key: tuple[object, ...]
    monthly: Fraction
    days: list[date]
    plan: Plan


def cents_of_parts(priced: list[Priced], month: list[date]) -> list[int]:
    """The cents of each: parts of one daily price are rounded together, then split by days."""
    cents = [half_up(part.monthly) for part in priced]
    daily = [n for n, part in enumerate(priced) if part.plan.proration == "daily"]
    for key in {priced[n].key for n in daily}:
        same = sorted((priced[n].days[0], n) for n in daily if priced[n].key == key)
        counts = [len(priced[n].days) for _, n in same]
        whole = half_up(priced[same[0][1]].monthly * sum(counts) / len(month))
        for (_, n), part in zip(same, largest_remainder(whole, counts), strict=True):
            cents[n] = part
    return cents


# --- A deployment --------------------------------------------------------------------------------

type PoolCents = dict[tuple[Stretch, str], int]


def lines_of_deployment(
    stretches: list[Stretch], pools: PoolCents, month: list[date]
) -> list[Printed]:
    charges = [
        *plan_charges(stretches, month),
        *addon_charges(stretches, month),
        *usage_charges(stretches, pools, month),
    ]
    # The sort is stable: within a stretch the three kinds stay in this order.
    charges.sort(key=lambda charge: stretches.index(charge.stretch))
    segments = [segment for stretch in stretches for segment in stretch.segments]
    charged = sum(charge.printed.cents for charge in charges)
    discounts = discount_cents(segments, charges)
    missing = committed_cents(segments, month) - (charged - sum(discounts))
    name = stretches[0].deployment_id
    return [
        *[charge.printed for charge in charges],
        *[Printed("minimum", name, None, missing) for _ in range(missing > 0)],
        *[Printed("discount", name, None, -cents) for cents in discounts],
    ]


def plan_charges(stretches: list[Stretch], month: list[date]) -> list[Charge]:
    priced = [
        Priced((s.plan.code, s.plan.price), Fraction(s.plan.price), s.days(), s.plan)
        for s in stretches
    ]
    return [
        Charge("plan_base", stretch.plan.name, cents, stretch, [])
        for stretch, cents in zip(stretches, cents_of_parts(priced, month), strict=True)
    ]


def addon_charges(stretches: list[Stretch], month: list[date]) -> list[Charge]:
    entries = [(s, addon, run) for s in stretches for addon, run in addon_entries(s)]
    priced = [
        Priced(
            (addon.code, addon.price, addon.quantity),
            Fraction(addon.price) * addon.quantity,
            run,
            stretch.plan,
        )
        for stretch, addon, run in entries
    ]
    return [
        Charge(
            "addon",
            addon.name or addon.code,
            cents,
            stretch,
            [Fraction(len(set(run) & set(segment.days))) for segment in stretch.segments],
        )
        for (stretch, addon, run), cents in zip(
            entries, cents_of_parts(priced, month), strict=True
        )
    ]


def addon_entries(stretch: Stretch) -> list[tuple[Addon, list[date]]]:
    """Equal entries with no day between are one; by code, then first day."""
    entries: dict[tuple[object, ...], tuple[Addon, set[date]]] = {}
    for segment in stretch.segments:
        for addon in segment.terms.addons:
            equal = (addon.code, addon.name, addon.price, addon.quantity)
            days = entries.setdefault(equal, (addon, set()))[1]
            first, last = addon.starts_on or date.min, addon.ends_on or date.max
            days |= {day for day in segment.days if first <= day <= last}
    in_runs = [(addon, run) for addon, days in entries.values() for run in runs(days)]
    return sorted(in_runs, key=lambda entry: (entry[0].code, entry[1][0]))


# --- Usage ---------------------------------------------------------------------------------------


def usage_charges(stretches: list[Stretch], pools: PoolCents, month: list[date]) -> list[Charge]:
    charges = []
    for stretch in stretches:
        for rate in sorted(stretch.plan.rates, key=lambda rate: rate.resource_kind):
            kind = rate.resource_kind
            cents = pools[stretch, kind] if rate.pool else cents_alone(rate, stretch, month)
            if cents:
                weights = stretch.used_by_segment(kind)
                charges.append(Charge("overage", kind, cents, stretch, weights))
    return charges


def cents_alone(rate: Rate, stretch: Stretch, month: list[date]) -> int:
    used = stretch.used(rate.resource_kind)
    return half_up(cost(rate, used, Fraction(rate.included) * share(stretch, month)))


def share(stretch: Stretch, month: list[date]) -> Fraction:
    """Of a month's allowance."""
    whole = stretch.plan.proration == "none"
    return Fraction(1) if whole else Fraction(len(stretch.days()), len(month))


def pooled_cents(stretches: list[Stretch], month: list[date]) -> PoolCents:
    """Each pool is priced once, on the sums of its stretches, and split by what they used."""
    members: dict[str, list[tuple[Stretch, Rate]]] = defaultdict(list)
    for stretch in stretches:
        for rate in stretch.plan.rates:
            if rate.pool:
                members[rate.resource_kind].append((stretch, rate))
    cents: PoolCents = {}
    for kind, pool in members.items():
        used = [stretch.used(kind) for stretch, _ in pool]
        free = sum(Fraction(rate.included) * share(stretch, month) for stretch, rate in pool)
        whole = half_up(cost(pool[0][1], sum(used, Fraction(0)), Fraction(free)))
        for (stretch, _), part in zip(pool, largest_remainder(whole, used), strict=True):
            cents[stretch, kind] = part
    return cents


def cost(rate: Rate, used: Fraction, free: Fraction) -> Fraction:
    """Dollars for what was used, with `free` units of the priced unit, within the bounds."""
    dollars = model_cost(rate, max(priced_units(rate, used) - free, Fraction(0)))
    if rate.maximum is not None:
        dollars = min(dollars, Fraction(rate.maximum))
    return max(dollars, Fraction(rate.minimum or 0))


def priced_units(rate: Rate, used: Fraction) -> Fraction:
    if rate.convert is None:
        return used
    units = used * Fraction(rate.convert.multiply_by or 1) / Fraction(rate.convert.divide_by or 1)
    whole_units: dict[str, Fraction | int] = {
        "none": units,
        "ceiling": ceil(units),
        "floor": floor(units),
        "half_up": floor(units + Fraction(1, 2)),
    }
    return Fraction(whole_units[rate.convert.rounding])


def model_cost(rate: Rate, units: Fraction) -> Fraction:
    if isinstance(rate, PerUnit):
        return units * Fraction(rate.unit_price)
    if isinstance(rate, Package):
        return ceil(units / Fraction(rate.package_size)) * Fraction(rate.package_price)
    assert isinstance(rate, Graduated | Volume), f"price a {type(rate)} here ({NEW_MODEL})"
    if units == 0 and not rate.flat_fee_at_zero:
        return Fraction(0)
    starts = [
        Fraction(0),
        *[Fraction(tier.up_to) for tier in rate.tiers if tier.up_to is not None],
    ]
    entered = [
        (tier, start)
        for tier, start in zip(rate.tiers, starts, strict=True)
        if start < units or start == 0
    ]
    if isinstance(rate, Volume):
        return tier_cost(entered[-1][0], units)
    return sum(
        (tier_cost(tier, top_of(tier, units) - start) for tier, start in entered), Fraction(0)
    )


def top_of(tier: Tier, units: Fraction) -> Fraction:
    return units if tier.up_to is None else min(units, Fraction(tier.up_to))


def tier_cost(tier: Tier, units: Fraction) -> Fraction:
    return units * Fraction(tier.unit_price) + Fraction(tier.flat_fee)


# --- What belongs to the deployment's month ------------------------------------------------------


def discount_cents(segments: list[Segment], charges: list[Charge]) -> list[int]:
    """What each line takes off: percentages, then amounts, the larger first, never below zero."""
    percents: dict[tuple[Decimal, int], list[Segment]] = defaultdict(list)
    amounts: dict[tuple[Decimal, int], list[Segment]] = defaultdict(list)
    for segment in segments:
        nth: Counter[tuple[Decimal | None, Decimal | None]] = Counter()
        for it in segment.terms.discounts:
            nth[it.percent, it.amount] += 1
            if it.percent is not None:
                percents[it.percent, nth[it.percent, None]].append(segment)
            if it.amount is not None:
                amounts[it.amount, nth[None, it.amount]].append(segment)
    active = sum(len(segment.days) for segment in segments)
    due = []
    for (percent, _), having in in_order_of_size(percents):
        base = sum(charge.cents_of.get(segment, 0) for charge in charges for segment in having)
        due.append(half_up(Fraction(percent) * base / 10_000))
    for (amount, _), having in in_order_of_size(amounts):
        days = sum(len(segment.days) for segment in having)
        due.append(half_up(Fraction(amount) * days / active))
    left = sum(charge.printed.cents for charge in charges)
    taken = []
    for cents in due:
        taken.append(min(cents, left))
        left -= taken[-1]
    return [cents for cents in taken if cents]


def in_order_of_size[T](
    groups: dict[tuple[Decimal, int], T],
) -> list[tuple[tuple[Decimal, int], T]]:
    """The larger first; of equal ones the first of each segment first."""
    return sorted(groups.items(), key=lambda group: (-group[0][0], group[0][1]))


def committed_cents(segments: list[Segment], month: list[date]) -> int:
    """What the deployment owes at least in the month."""
    months: dict[Decimal, Fraction] = defaultdict(Fraction)
    whole = None
    for segment in segments:
        amount = segment.terms.minimum_commitment
        if amount is not None and segment.terms.plan.proration == "daily":
            months[amount] += Fraction(len(segment.days), len(month))
        elif amount is not None:
            whole = amount
    if whole is not None:
        months[whole] += 1
    return sum(half_up(Fraction(amount) * part) for amount, part in months.items())


# --- The first engine, in the oracle's words -----------------------------------------------------


def printed(line: Line) -> Printed:
    """What the oracle would call a line of the engine."""
    name = line.description.partition(": ")[2].partition(" (")[0]
    subject = name if line.kind in {"plan_base", "addon"} else line.resource_kind
    return Printed(line.kind, line.deployment_id, subject, line.amount_cents)
