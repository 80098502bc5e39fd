"""Finds what a person should look at before drafts are issued. Pure: no clock, no tables.

Rules about an invoice alone are worked out when it is written and stored with it (`own_flags`);
rules against last month need last month's invoice, too. Thresholds are in docs/operations.md.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from quote_engine import Line, UnpricedUsage

# A total has moved if it differs from last month's by both, up or down. In cents, with tax.
MOVED_CENTS, MOVED_PERCENT = 10_000, 50
# In cents. No ordinary customer's line comes near; one with a wrong unit or meter does.
HUGE_LINE_CENTS = 1_000_000
# Lines that take something off by nature; the tax on a credit is negative with it.
MAY_BE_NEGATIVE = frozenset(("discount", "adjustment", "credit", "tax"))
# How many kinds of unpriced usage a finding names.
KINDS_NAMED = 3
ALL_PERCENT = 100
CENTS = 100


class ReviewRule(StrEnum):
    """Why an invoice is on the review list."""

    MOVED = "moved"
    ZERO_AFTER_NONZERO = "zero_after_nonzero"
    NEW = "new"
    STOPPED = "stopped"
    UNPRICED_USAGE = "unpriced_usage"
    NEGATIVE_LINE = "negative_line"
    NEGATIVE_TOTAL = "negative_total"
    HUGE_LINE = "huge_line"


# The others are only listed: a new customer is news, and a stopped one has no draft to hold.
HOLDING = frozenset(ReviewRule) - {ReviewRule.NEW, ReviewRule.STOPPED}

type Flags = Mapping[ReviewRule, int]
"""The rules about one invoice alone that apply, each with the cents (or number of kinds) seen."""
NO_FLAGS: Flags = {}


class Finding(NamedTuple):
    """A rule that applies, and a sentence about what it saw."""

    rule: ReviewRule
    detail: str

    @property
    def holds(self) -> bool:
        """Whether it prevents a draft from being issued without a reason."""
        return self.rule in HOLDING


def own_flags(lines: Iterable[Line], unpriced: Iterable[UnpricedUsage], total_cents: int) -> Flags:
    """Returns the rules that apply to an invoice alone; none for nearly all invoices."""
    flags: dict[ReviewRule, int] = {}
    unpriced = tuple(unpriced)
    if unpriced:
        # What was taken back is negative: nobody has to look at that. But the month's report reads
        # the invoices that have this flag, so it is there, with 0.
        more = (usage for usage in unpriced if usage.quantity > 0)
        kinds = {(usage.deployment_id, usage.resource_kind) for usage in more}
        flags[ReviewRule.UNPRICED_USAGE] = len(kinds)
    amounts = [(line.amount_cents, line.kind) for line in lines]
    negative = [cents for cents, kind in amounts if cents < 0 and kind not in MAY_BE_NEGATIVE]
    if negative:
        flags[ReviewRule.NEGATIVE_LINE] = min(negative)
    if total_cents < 0:
        flags[ReviewRule.NEGATIVE_TOTAL] = total_cents
    # Tax follows from the other lines: alone it can only be huge because they are.
    huge = [cents for cents, kind in amounts if abs(cents) >= HUGE_LINE_CENTS and kind != "tax"]
    if huge:
        flags[ReviewRule.HUGE_LINE] = max(huge, key=abs)
    return flags


def flags_text(flags: Flags) -> str | None:
    """Returns flags as stored, such as `huge_line=1200000 unpriced_usage=2`; None without any."""
    return " ".join(f"{rule}={flags[rule]}" for rule in sorted(flags)) or None


def read_flags(text: str | None) -> Flags:
    """Reads stored flags; the inverse of `flags_text`."""
    pairs = (pair.partition("=") for pair in (text or "").split())
    return {ReviewRule(name): int(value) for name, _, value in pairs}


def findings(cents: int, flags: Flags, before: int | None) -> tuple[Finding, ...]:
    """Returns all rules that apply to an invoice with this total (cents) and these flags.

    `before` is the total of last month's invoice; None if there was none, or if it was void.
    """
    own = [Finding(rule, _own_detail(rule, flags[rule])) for rule in ReviewRule if flags.get(rule)]
    against = _new() if before is None else _against(cents, before)
    return (*against, *own)


def naming(found: Iterable[Finding], unpriced: Iterable[UnpricedUsage]) -> tuple[Finding, ...]:
    """Returns the findings; the one about unpriced usage names what is known of it."""
    names = [usage_text(usage) for usage in unpriced if usage.quantity > 0]
    more = len(names) - KINDS_NAMED
    text = ", ".join([*names[:KINDS_NAMED], *([f"{more} more"] if more > 0 else [])])
    return tuple(
        finding._replace(detail=f"{finding.detail}: {text}")
        if names and finding.rule is ReviewRule.UNPRICED_USAGE
        else finding
        for finding in found
    )


def usage_text(usage: UnpricedUsage) -> str:
    """Returns usage as people write it, such as `500 hours of surf-web`."""
    return f"{usage.quantity:f} {usage.resource_kind} of {usage.deployment_id}"


def stopped(before: int) -> Finding:
    """Returns the finding for a tenant invoiced nothing after this total (cents) last month."""
    return Finding(ReviewRule.STOPPED, f"nothing to invoice after {amount(before)} last month")


def _new() -> tuple[Finding, ...]:
    return (Finding(ReviewRule.NEW, "no invoice last month"),)


def _against(now: int, before: int) -> tuple[Finding, ...]:
    moved = now - before
    if now == 0 and before != 0:
        return (
            Finding(ReviewRule.ZERO_AFTER_NONZERO, f"nothing after {amount(before)} last month"),
        )
    # In whole numbers: 50 % of an odd number of cents is not rounded either way.
    far = abs(moved) * ALL_PERCENT >= abs(before) * MOVED_PERCENT
    if abs(moved) < MOVED_CENTS or not far:
        return ()
    sign = "+" if moved > 0 else ""
    text = f"{amount(now)} after {amount(before)} last month ({sign}{amount(moved)})"
    return (Finding(ReviewRule.MOVED, text),)


def _own_detail(rule: ReviewRule, value: int) -> str:
    if rule is ReviewRule.UNPRICED_USAGE:
        return f"usage of {value} kind{'s' if value > 1 else ''} is billed nothing"
    what = "the total is" if rule is ReviewRule.NEGATIVE_TOTAL else "a line of"
    return f"{what} {amount(value)}"


def finding_json(finding: Finding) -> dict[str, str | bool]:
    """Returns the rule, whether it holds a draft back, and what it saw."""
    return {"rule": finding.rule.value, "holds": finding.holds, "detail": finding.detail}


def amount(cents: int) -> str:
    """Returns an amount as people write it, such as `-1,234.50`."""
    whole, part = divmod(abs(cents), CENTS)
    return f"{'-' if cents < 0 else ''}{whole:,}.{part:02}"
