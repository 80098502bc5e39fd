"""`monthend quote --plan`: a request body from the command line, priced by the stack."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.stack.stack import Stack
from cli.terminal.addon_days import split_days
from cli.terminal.errors import BadInput
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.pricing.quotes import InvalidQuote, QuoteBody, Quotes, read_quote_body

# A stored quote belongs to the subject that asked for it; these are not stored.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class QuoteWords:
    """`--plan` and the options that go with it, word for word."""

    plan: str | None
    addons: Sequence[str]
    usage: Sequence[str]
    tenant: str | None
    tax: str | None
    period: str | None
    starts_on: str | None
    ends_on: str | None

    @property
    def any_given(self) -> bool:
        """Whether any of them is given."""
        return any(getattr(self, name) not in (None, ()) for name in self.__slots__)

    def body(self) -> QuoteBody:
        """The body of POST /quotes; raises BadInput with every field that cannot be read."""
        fields = {
            "plan": self.plan,
            "addons": [_addon(word) for word in self.addons],
            "usage": _quantities(self.usage),
            "tenant_id": self.tenant,
            "tax": self.tax,
            "period": self.period,
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
        }
        try:
            return read_quote_body(fields)
        except InvalidQuote as error:
            raise BadInput(str(error)) from error


def _addon(word: str) -> dict[str, Any]:
    terms, days = split_days(word) or ("", {})
    code, sign, count = terms.rpartition("=")
    if not sign:
        code, count = terms, "1"
    if not (code and count.isascii() and count.isdigit()):
        raise BadInput(f"--addon: must be CODE or CODE=N, perhaps with @DAY..DAY, not {word}")
    return {"code": code, "quantity": int(count)} | days


def _quantities(words: Sequence[str]) -> dict[str, str]:
    quantities: dict[str, str] = {}
    for word in words:
        kind, sign, quantity = word.partition("=")
        if not (kind and sign):
            raise BadInput(f"--usage: must be KIND=QUANTITY, not {word}")
        if kind in quantities:
            raise BadInput(f"--usage: {kind} is given twice")
        quantities[kind] = quantity
    return quantities


def quoted(stack: Stack, body: QuoteBody, asked_at: datetime) -> dict[str, Any]:
    """The quote as the API shows it, but without an id, because it is not stored.

    Raises BadInput that names every field that cannot be priced.
    """
    quotes = Quotes(stack.pricing, stack.settings)
    try:
        quote = quotes.quote(body, NOBODY, asked_at)
    except (InvalidQuote, UnknownTenant) as error:
        raise BadInput(str(error)) from error
    return {name: value for name, value in quote.as_json.items() if name != "id"}
