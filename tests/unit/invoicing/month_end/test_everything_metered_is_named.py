"""Whatever is metered of a month is billed, or named as billed nothing, or named as waiting.

For each deployment and kind these add up to what was counted, whenever it came, whatever was taken
back, and however subscriptions have begun, ended and been changed meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import batched
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.accounts.account import Account, Segment, Tenant
from invoicing.foundation.billing_calendar import months_apart
from invoicing.invoices.billing_history import BilledMonth, BillingHistory
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.month_end.due_tenants import look_at
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.pricing.waiting_usage import Fate, WaitingUsage, waiting_usage
from invoicing.usage.usage_table import MonthOfUsage, UsageTotal
from quote_engine import Period, Plan, parse_plan

MONTHS = [Period.month(f"2026-{number:02}") for number in (4, 5, 6, 7)]
RUNNING = Period.month("2026-08")
FIRST, DAYS = MONTHS[0].start, (RUNNING.start - MONTHS[0].start).days
DEPLOYMENTS, KINDS = ("east", "west"), ("hours", "disk", "gpus")
# Nothing has a rate for gpus.
RATED = {"small": ("hours",), "big": ("hours", "disk")}
TENANT = Tenant("acme", "Acme", "1001", "gst")
STANDING = frozenset(InvoiceStatus) - {InvoiceStatus.VOID}

type Used = tuple[str, str]
type Quantities = dict[Used, Decimal]


def plan(code: str) -> Plan:
    """A plan with a rate for each of its kinds; ten hours are included."""
    rates = [
        {"resource_kind": kind, "unit": "each", "model": "per_unit", "unit_price": "0.01"}
        | {"included": "10" if kind == "hours" else "0"}
        for kind in RATED[code]
    ]
    fields = {"code": code, "name": code.title(), "price": "10.00", "proration": "daily"}
    return parse_plan(fields | {"rates": rates})


PLANS = {code: plan(code) for code in RATED}


class PricingInMemory(Pricing):
    """The pricing of the rollup, which finds the usage in the books of the test."""

    def records(
        self,
        account: Account,
        history: BillingHistory,
        pinned: Sequence[Segment],
        periods: Sequence[Period],
    ) -> TenantRecords:
        books: Any = self.accounts
        known = {segment.deployment_id for segment in (*account.segments, *pinned)}
        known |= account.unsubscribed
        totals = {period.label: books.totals(period, known) for period in periods}
        return TenantRecords(account, history, totals)


@dataclass
class Books:
    """One tenant's subscriptions, usage by day, and invoices."""

    used: dict[tuple[str, date, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    segments: dict[str, tuple[Segment, ...]] = field(default_factory=dict)
    invoices: dict[Period, tuple[InvoiceStatus, PricedMonth]] = field(default_factory=dict)

    @property
    def pricing(self) -> Pricing:
        """The pricing over these books."""
        tables: Any = self
        return PricingInMemory(tables, tables, tables, "AUD")

    def account(self, _tenant_id: str = "acme") -> Account:
        """The account as the accounts table has it."""
        segments = tuple(each for name in DEPLOYMENTS for each in self.segments.get(name, ()))
        taken_back = {name for name, each in self.segments.items() if not each}
        return Account(TENANT, segments, frozenset(taken_back))

    def plan(self, code: str, _version: int) -> Plan:
        """The plan of the catalogue."""
        return PLANS[code]

    def around(self, _tenant_id: str, period: Period) -> BillingHistory:
        """The standing invoices but the period's own."""
        months = tuple(
            BilledMonth(month, status, months_apart(month, period) <= 4, made.billed, "gst")
            for month, (status, made) in sorted(
                self.invoices.items(), key=lambda kept: kept[0].start
            )
            if month != period and status in STANDING
        )
        return BillingHistory(period, months)

    def totals(self, period: Period, known: set[str]) -> dict[str, UsageTotal]:
        """The month totals of these deployments."""
        return {
            name: UsageTotal("acme", name, kinds)
            for name in sorted(known)
            if (
                kinds := {
                    kind: used for (of, kind), used in self.counted(period).items() if of == name
                }
            )
        }

    def days(self, deployment_id: str, period: Period) -> MonthOfUsage:
        """A deployment's usage by day."""
        days: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for (name, day, kind), quantity in self.used.items():
            if name == deployment_id and period.start <= day < period.end:
                days[day.isoformat()][kind] = quantity
        return MonthOfUsage(days, None)

    def counted(self, period: Period) -> Quantities:
        """What was counted of a month, by deployment and kind."""
        counted: Quantities = defaultdict(Decimal)
        for (name, day, kind), quantity in self.used.items():
            if period.start <= day < period.end:
                counted[name, kind] += quantity
        return counted

    def do(self, step: tuple[Any, ...]) -> None:
        """Does a step of a story; what the state of things does not allow does nothing."""
        match step:
            case ("use", name, day, kind, quantity):
                # Usage is of a deployment that somebody has had; totals never go below 0.
                if name in self.segments:
                    use = name, FIRST + timedelta(day), kind
                    self.used[use] = max(Decimal(0), self.used[use] + quantity)
            case ("subscribe", name, cuts, plans):
                self.segments[name] = tuple(_segments(name, cuts, plans))
            case (action, month):
                self.change(action, MONTHS[month])

    def change(self, action: str, month: Period) -> None:
        """Runs a month, issues it or makes it void."""
        status, made = self.invoices.get(month, (None, None))
        if action == "run" and status in (None, InvoiceStatus.DRAFT, InvoiceStatus.VOID):
            again = self.pricing.month_of(self.account(), month)
            if again.quote.lines and not again.barred:
                self.invoices[month] = (InvoiceStatus.DRAFT, again)
        elif action == "issue" and made and status is InvoiceStatus.DRAFT:
            self.invoices[month] = (InvoiceStatus.ISSUED, made)
        elif action == "void" and made and status in STANDING:
            self.invoices[month] = (InvoiceStatus.VOID, made)

    def standing(self) -> Iterator[tuple[Period, PricedMonth]]:
        """The invoices that are not void."""
        for month, (status, made) in self.invoices.items():
            if status in STANDING:
                yield month, made


def _segments(name: str, cuts: Sequence[int], plans: Sequence[str]) -> Iterator[Segment]:
    """Yields segments between pairs of cuts: some touch, some leave a gap, one may not end."""
    for (first, *last), code in zip(batched(sorted(cuts), 2, strict=False), plans, strict=False):
        ends_on = FIRST + timedelta(last[0]) if last else None
        yield Segment("acme", name, FIRST + timedelta(first), ends_on, code, 1)


def rated(usage: Mapping[str, Mapping[str, Decimal]], segments: Sequence[Segment]) -> Quantities:
    """Adds up the usage of segments whose plan has a rate for it."""
    quantities: Quantities = defaultdict(Decimal)
    for segment in segments:
        used = usage.get(f"{segment.deployment_id} {segment.starts_on}", {})
        for kind in RATED[segment.plan_code]:
            quantities[segment.deployment_id, kind] += used.get(kind, Decimal(0))
    return quantities


def difference(after: Quantities, before: Quantities) -> Quantities:
    """Returns after - before, without what is the same."""
    every = {used: after.get(used, 0) - before.get(used, 0) for used in {**after, **before}}
    return {used: Decimal(quantity) for used, quantity in every.items() if quantity}


def added(*parts: Quantities) -> Quantities:
    """Returns the sum, without what is 0."""
    total: Quantities = defaultdict(Decimal)
    for part in parts:
        for used, quantity in part.items():
            total[used] += quantity
    return difference(total, {})


def billed(books: Books, month: Period) -> Quantities:
    """What invoices bill of a month: its own, and later ones late usage."""
    own = books.invoices[month][1].billed
    parts = [rated(own.usage, own.segments)]
    for _, made in books.standing():
        if late := made.billed.late.get(month.label):
            after, before = (rated(usage, own.segments) for usage in (late.after, late.before))
            parts.append(difference(after, before))
    return added(*parts)


def billed_nothing(books: Books, month: Period) -> Quantities:
    """What invoices name as billed nothing of a month: its own, and later ones late usage."""
    return added(
        *(
            {(usage.deployment_id, usage.resource_kind): usage.quantity}
            for at, made in books.standing()
            for usage in made.quote.unpriced
            if (usage.period or at.label) == month.label
        )
    )


def named(waiting: Sequence[WaitingUsage], month: Period, *fates: Fate) -> Quantities:
    """What is named as waiting of a month, with one of these fates or any."""
    return added(
        *(
            {(usage.deployment_id, usage.resource_kind): usage.quantity}
            for usage in waiting
            if usage.period == month and usage.fate in (fates or Fate)
        )
    )


def lacks_a_void_one(books: Books, month: Period) -> bool:
    """Whether an invoice goes on from what a void one billed of the month.

    What the void one billed is on no invoice then, until it is made again.
    """
    billing = [
        (at.start, status in STANDING)
        for at, (status, made) in books.invoices.items()
        if month.label in made.billed.late
    ]
    void = [start for start, stands in billing if not stands]
    return any(stands and start > min(void, default=start) for start, stands in billing)


def adds_up(books: Books) -> None:
    """Fails unless all that was counted of each month is found again."""
    waiting = waiting_usage(books.pricing, "acme", RUNNING, closing=False)
    for month in MONTHS:
        if lacks_a_void_one(books, month):
            continue
        status = books.invoices[month][0] if month in books.invoices else None
        counted = added(books.counted(month))
        if status in STANDING:
            found = billed(books, month), billed_nothing(books, month), named(waiting, month)
            assert added(*found) == counted
            continue
        assert named(waiting, month) == {}
        look = look_at(books.pricing, "acme", month)
        if status is None and not look.due:
            unbilled = [
                {(usage.deployment_id, usage.resource_kind): usage.quantity}
                for usage in look.unbilled
            ]
            assert added(*unbilled) == counted


def next_rollups_bill_it(books: Books) -> None:
    """Fails unless the next invoice, and a forced run of each draft, bill what is said of them."""
    waiting = waiting_usage(books.pricing, "acme", RUNNING, closing=False)
    account = books.account()
    *_, last = MONTHS
    made_next = last not in dict(books.standing()) and account.billed_in(last)
    coming = last if made_next else RUNNING
    priced = books.pricing.month_of(account, coming)
    late = priced.billed.late if priced.quote.lines else {}
    gone_on_from = {label for _, made in books.standing() for label in made.billed.late}
    for month, made in books.standing():
        is_draft = books.invoices[month][0] is InvoiceStatus.DRAFT
        by_next, own = named(waiting, month, Fate.NEXT_INVOICE), made.billed
        by_force = named(waiting, month, Fate.FORCED_RUN)
        if not is_draft:
            usage = late.get(month.label)
            sides = (usage.after, usage.before) if usage else ({}, {})
            after, before = (rated(side, own.segments) for side in sides)
            assert (by_next, by_force) == (difference(after, before), {})
        elif month.label not in gone_on_from:
            again = books.pricing.month_of(account, month)
            if again.quote.lines and not again.barred:
                after = rated(again.billed.usage, again.billed.segments)
                assert by_force == difference(after, rated(own.usage, own.segments))
            assert by_next == {}
    months = {usage.billed_on for usage in waiting if usage.fate is Fate.NEXT_INVOICE}
    assert months <= {coming}


days = st.integers(0, DAYS + 10)
uses = st.tuples(
    st.just("use"),
    st.sampled_from(DEPLOYMENTS),
    # Few days, so that what was used is often taken back.
    st.sampled_from(range(3, DAYS, 15)),
    st.sampled_from(KINDS),
    st.sampled_from([Decimal(number) for number in (-30, -5, 5, 8, 30)]),
)
subscribed = st.tuples(
    st.just("subscribe"),
    st.sampled_from(DEPLOYMENTS),
    st.lists(days, max_size=5, unique=True),
    st.lists(st.sampled_from(sorted(RATED)), min_size=3, max_size=3),
)
changes = st.tuples(
    st.sampled_from(("run", "run", "run", "issue", "issue", "issue", "void")), st.integers(0, 3)
)
# Long stories, in which what is invoiced is used again: late usage is then common.
steps = st.one_of(uses, uses, uses, uses, changes, changes, changes, changes, changes, subscribed)
stories = st.lists(steps, min_size=30, max_size=60)
BEGINNING = [
    ("subscribe", "east", [0, 40, 41, 70], ["small", "big"]),
    ("subscribe", "west", [10], ["big"]),
]


def _told(story: Sequence[tuple[Any, ...]]) -> Iterator[Books]:
    """Yields the books now and then while the story goes on, and at its end."""
    books = Books()
    for number, step in enumerate((*BEGINNING, *story)):
        books.do(step)
        if number % 5 == 0:
            yield books
    yield books


def test_a_draft_from_which_a_later_invoice_goes_on_leaves_it_to_the_next() -> None:
    books = Books()
    use = "use", "west", 18, "disk", Decimal(30)
    for step in (*BEGINNING, use, ("run", 0), ("issue", 0), use, ("run", 1), ("issue", 1)):
        books.do(step)
    # May bills thirty late ones. April, made again, is a draft of the first thirty for good.
    for step in (("void", 0), ("run", 0), use, ("run", 2), ("run", 3)):
        books.do(step)
    waiting = waiting_usage(books.pricing, "acme", RUNNING, closing=False)
    assert named(waiting, MONTHS[0], Fate.NEXT_INVOICE) == {("west", "disk"): Decimal(30)}
    assert named(waiting, MONTHS[0], Fate.FORCED_RUN) == {}
    adds_up(books)


@settings(max_examples=200, deadline=None)
@given(story=stories)
def test_metered_is_billed_or_named_or_waiting(story: list[tuple[Any, ...]]) -> None:
    for books in _told(story):
        adds_up(books)


@settings(max_examples=200, deadline=None)
@given(story=stories)
def test_what_waits_is_what_the_next_rollups_bill(story: list[tuple[Any, ...]]) -> None:
    for books in _told(story):
        next_rollups_bill_it(books)
