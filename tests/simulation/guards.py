"""The guards that keep the invariants. Each is taken away, and the simulator must notice.

A guard is taken away by changing a text within one function of the product. If that text is no
longer there, that is an error here, not a guard that passes.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from invoicing.accounts import subscriptions
from invoicing.accounts.account import Account
from invoicing.api.access import Caller
from invoicing.foundation import dynamodb
from invoicing.invoices import invoices_table
from invoicing.invoices.billing_history import BillingHistory
from invoicing.invoices.billing_history_table import BillingHistoryTable
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.invoices.lifecycle_table import LifecycleTable
from invoicing.invoices.unpriced_usage_table import UnpricedUsageTable
from invoicing.month_end import month_reader, rollup, send_messages
from invoicing.month_end.rollup import Rollup
from invoicing.pricing import late_usage, tenant_month, waiting_usage
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage import correction_actions, corrections_table
from invoicing.usage.standing_usage import StandingUsage
from invoicing.usage.usage_events_table import UsageEventsTable
from invoicing.usage.usage_table import UsageTable
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.story import tell
from tests.simulation.world.functions import Functions


class GuardMoved(Exception):
    """The text that makes the guard is no longer in its function."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text in one function, and what replaces it."""

    function: str
    old: str
    new: str
    # The class or module of the function; None: every loaded copy of the handler `handler`.
    owner: Any = None
    handler: str = ""

    def owners(self, functions: Functions) -> list[Any]:
        """Returns the classes or modules to change."""
        if self.owner is not None:
            return [self.owner]
        return [function.module for function in functions.every() if function.name == self.handler]


ORDER: dict[str, list[Any]] = {}
"""Pages held back until their invoice is written, by its attempt."""

SOURCES: dict[Any, str] = {}

GUARDS: dict[str, tuple[TextChange, ...]] = {
    "the condition on the invoice put": (
        TextChange("_put_new", "condition=new", "condition=None", InvoicesTable),
    ),
    "the read-back: a refused put is an error": (
        TextChange("create", "self._recognise(item, error)", "raise", InvoicesTable),
    ),
    "the read-back: one's own put is not recognised": (
        TextChange("_recognise", "if current.attempt != item.attempt:", "if True:", InvoicesTable),
    ),
    "the read-back: another's put is taken for one's own": (
        TextChange(
            "_recognise", "if current.attempt != item.attempt:", "if False:", InvoicesTable
        ),
    ),
    "the order of commit: pages before the item": (
        TextChange(
            "_with_pages_written",
            "page.save()",
            "ORDER.setdefault(attempt, []).append(page)",
            InvoicesTable,
        ),
        TextChange(
            "_sweep",
            "self._delete_pages(",
            "[page.save() for page in ORDER.pop(item.attempt, ())]; self._delete_pages(",
            InvoicesTable,
        ),
    ),
    "the dedupe condition of usage events": (
        TextChange(
            "_dedupe_item",
            '"ConditionExpression": f"attribute_not_exists({KEY})",',
            "",
            UsageEventsTable,
        ),
    ),
    "who billed late usage last": (
        TextChange("_record_late_billing", "condition=unchanged", "condition=None", InvoicesTable),
    ),
    "the condition that a replaced invoice is unchanged": (
        TextChange("_swap", "condition=unchanged", "condition=None", InvoicesTable),
    ),
    "sweeping pages of one's own revision alone": (
        TextChange(
            "_delete_pages",
            "pages_of_revision(item.period_start, int(item.revision))",
            "item.period_start",
            InvoicesTable,
        ),
    ),
    "late usage goes on from what was billed": (
        TextChange("billed_until_now", "billed = late.after", "pass", BillingHistory),
    ),
    "an invoice made again ends where a later one begins": (
        TextChange("taken_by_later", "if later else None", "if False else None", BillingHistory),
    ),
    "late usage is taxed as its month": (
        TextChange(
            "priced",
            "late_usage(records, usage_of, self.request,",
            "late_usage(records, usage_of, lambda _, *of: self.request(tenant.tax, *of),",
            Pricing,
        ),
    ),
    "a month keeps its tax treatment under a later invoice": (
        TextChange("barred_by_later", "if tax != tenant.tax:", "if False:", tenant_month),
    ),
    "the mark of a month that was corrected": (
        TextChange("_month", "or month in corrected", "", BillingHistoryTable),
    ),
    "what a correction expects": (
        TextChange("_on_day", 'conditions.append(f"#k{n} = :b{n}")', "pass", correction_actions),
    ),
    "a correction's id is used once": (
        TextChange(
            "actions_of",
            "new_item(table_name, record.item())",
            '{"TableName": table_name, "Item": record.item()}',
            corrections_table,
        ),
    ),
    "a total moves with its day": (
        TextChange("_in_total", "] = number(more)", "] = number(0 * more)", correction_actions),
    ),
    "nothing is taken below zero": (
        TextChange("fault", "if EXACT.add(held, more) < 0:", "if False:", StandingUsage),
        TextChange(
            "_in_total",
            'conditions.append(f"#k{n} >= :m{n}")',
            "del values[f':m{n}']",
            correction_actions,
        ),
    ),
    "an event is taken back once": (
        TextChange(
            "_of_event",
            '["#quantity = :before"]',
            '["attribute_exists(#quantity)"]',
            correction_actions,
        ),
    ),
    "a total has room": (TextChange("bumps", "in_total.keep_room()", "pass", UsageTable),),
    "an invoice holds the price of whatever is accepted": (
        TextChange("payable", "MOST_CENTS", "10**18", tenant_month),
    ),
    "usage that an invoice bills nothing for is named": (
        TextChange(
            "read", "if ReviewRule.UNPRICED_USAGE in listed.flags", "if False", UnpricedUsageTable
        ),
    ),
    "usage of a tenant with nothing to invoice is named": (
        TextChange(
            "look_at", "Due(bool(quote.lines), own)", "Due(bool(quote.lines))", month_reader
        ),
    ),
    "late usage is named until it is billed": (
        TextChange("_all_waiting", "closed.append((month, late))", "pass", waiting_usage),
    ),
    "usage that a draft lacks is named": (
        TextChange("_all_waiting", "yield from _of_draft(books, month)", "pass", waiting_usage),
    ),
    "the worker refuses an open month": (
        TextChange("roll_up", "refuse_open_period(period,", "(lambda *_: None)(period,", Rollup),
    ),
    "keys left unprocessed are asked for again": (
        TextChange("_read_batch", 'answer.get("UnprocessedKeys") or {}', "{}", dynamodb),
    ),
    "failed entries of a batch are sent again": (
        TextChange(
            "_send_batch",
            'answer.get("Successful", ())',
            "list(answer['Successful']) + answer.get('Failed', [])",
            send_messages,
        ),
    ),
    "failures are reported to the queue": (
        TextChange(
            "_done",
            "return message is not None and message.dry_run",
            "return True",
            handler="rollup_tenant",
        ),
    ),
    "a run out of time hands over": (
        TextChange(
            "send_month_end", "after=tenant_ids[-1]", "after=None", handler="start_month_end"
        ),
    ),
    "money is read consistently": (
        TextChange("around", "consistent_read=True", "consistent_read=False", BillingHistoryTable),
    ),
    "usage is read consistently": (
        TextChange("_read_batch", '"ConsistentRead": True', '"ConsistentRead": False', dynamodb),
    ),
    "the state that was reviewed is the state that is issued": (
        TextChange("_write", "condition=same", "condition=None", LifecycleTable),
    ),
    "an invoice that does not add up is refused": (
        TextChange("new_invoice", "=quote.subtotal_cents", "=quote.subtotal_cents + 1", rollup),
        TextChange("new_invoice", "refuse_inconsistent(invoice)", "pass", rollup),
    ),
    "an invoice has the words of the quote": (
        TextChange("_addon", "addon.name", "'Another name'", Pricing),
    ),
    "an issued document uses up its letter": (
        TextChange("letters_used_until", "if item.issued_at:", "if False:", invoices_table),
    ),
    "a draft uses up no letter": (
        TextChange("letters_used_until", "if item.issued_at:", "if True:", invoices_table),
    ),
    "prices are those that the subscription is pinned to": (
        TextChange(
            "_priced",
            "subscription.plan_version",
            "self.accounts.newest_version('plan', subscription.plan_code)",
            Pricing,
        ),
    ),
    "a change of add-ons alone begins no segment": (
        TextChange(
            "changed_from", "[_as_one(earlier, changed)]", "[earlier, changed]", subscriptions
        ),
    ),
    "an add-on is billed for its own days": (
        TextChange("_addon", "choice.ends_on", "None", Pricing),
    ),
    "an add-on of a later month is no part of an earlier month's terms": (
        TextChange("billed_in", "segment.billed_in(period) for", "segment for", Account),
        TextChange("terms_of", "segment.billed_in(period)", "segment", late_usage),
    ),
    "an invoice is shown to its own tenant alone": (
        TextChange("may_see", "self.is_admin or tenant_id in self.tenant_ids", "True", Caller),
    ),
}


@contextmanager
def without(guard: str, functions: Functions) -> Iterator[None]:
    """Takes the guard out of the product until the end of the block. Raises GuardMoved."""
    ORDER.clear()
    SOURCES.clear()
    with ExitStack() as stack:
        for change in GUARDS[guard]:
            for owner in change.owners(functions):
                changed = _changed(owner, change)
                stack.enter_context(patch.object(owner, change.function, changed))
        yield


def _changed(owner: Any, change: TextChange) -> Any:
    function = inspect.unwrap(getattr(owner, change.function))
    # If a function is changed twice, the second change starts from the text of the first.
    source = SOURCES.get(function) or textwrap.dedent(inspect.getsource(function))
    if change.old not in source:
        raise GuardMoved(f"{change.function} no longer says {change.old!r}")
    # From `def` on: the function beneath its decorators is changed, so they are left out.
    text = source[source.index("def ") :].replace(change.old, change.new)
    names = {**function.__globals__, "ORDER": ORDER}
    exec(compile(text, f"<without {change.old}>", "exec"), names)
    SOURCES[names[change.function]] = text
    return names[change.function]


def first_violation(
    guard: str, seeds: int, functions: Functions
) -> tuple[int, InvariantViolated] | None:
    """Returns the first seed that breaks without the guard, and how; None if none does."""
    with without(guard, functions):
        for seed in range(seeds):
            try:
                tell(seed, functions)
            except InvariantViolated as error:
                return seed, error
    return None
