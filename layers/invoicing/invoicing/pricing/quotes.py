"""Quotes before anything is provisioned: the rollup's own prices, for expected usage.

A quote is never partial. A price or a tax treatment that cannot be found refuses all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import uuid4

from pydantic import Field

from invoicing.accounts.account import DEPLOYMENT_ID, InvalidAccount, Segment, TaxTreatment
from invoicing.accounts.accounts_table import AccountsTable, UnknownPrice
from invoicing.accounts.form_fields import Code, Day, Discounts, Dollars, Version
from invoicing.accounts.subscription_form import Addons, Pins
from invoicing.foundation.billing_calendar import period_of
from invoicing.foundation.json_input import InvalidBody, read_body
from invoicing.foundation.parsing import PeriodLabel, StrictModel, TenantId
from invoicing.foundation.settings import Settings
from invoicing.invoices.billed_usage import SegmentUsage, segment_key
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage.usage_event import Quantity
from quote_engine import InvalidRequest, Period, QuoteRequest, price, quote_json

PROSPECT = "prospect"


class InvalidQuote(InvalidBody):
    """The quote cannot be given; a partial one is never given."""


class QuoteBody(StrictModel):
    """A request for a quote: a plan, add-ons and the expected usage.

    Without dates, the deployment exists for the whole period. Without a period, the quote is for
    the month in which it is requested.
    """

    plan: Code
    plan_version: Version | None = None
    addons: Addons = ()
    discounts: Discounts = ()
    minimum_commitment: Dollars | None = None
    usage: dict[str, Quantity] = Field(default_factory=dict)
    period: PeriodLabel | None = None
    deployment_id: Annotated[str, Field(pattern=f"^{DEPLOYMENT_ID}$")] = "quoted"
    starts_on: Day | None = None
    ends_on: Day | None = None
    tenant_id: TenantId | None = None
    tax: TaxTreatment | None = None


@dataclass(frozen=True, slots=True)
class StoredQuote:
    """A quote as it was given, and its owner: a tenant, or else only the caller who asked."""

    quote_id: str
    tenant_id: str | None
    subject: str
    as_json: Mapping[str, Any]


def read_quote_body(body: Any) -> QuoteBody:
    """Reads a quote request from a body; raises InvalidQuote with every faulty field."""
    return read_body(QuoteBody, body, InvalidQuote)


@dataclass(frozen=True, slots=True)
class Quotes:
    """Prices quote requests from the catalogue, with the same function as the rollup."""

    pricing: Pricing
    settings: Settings

    @property
    def accounts(self) -> AccountsTable:
        """The catalogue that quotes are priced from."""
        return self.pricing.accounts

    def quote(self, body: QuoteBody, subject: str, asked_at: datetime) -> StoredQuote:
        """Returns the quote without storing it.

        Raises InvalidQuote, and UnknownTenant for a tenant that does not exist.
        """
        tax = self._tax(body)
        try:
            request = self._request(body, tax, asked_at)
        except InvalidRequest as error:
            reasons = (fault.partition(": ") for fault in error.faults)
            raise InvalidQuote({field: text for field, _, text in reasons}) from error
        quote = price(request)
        if quote.unpriced:
            reason = "the plan has no rate for it, or no day is subscribed"
            raise InvalidQuote(
                {f"usage.{usage.resource_kind}": reason for usage in quote.unpriced}
            )
        quote_id = uuid4().hex
        answer = {
            "id": quote_id,
            "tenant_id": body.tenant_id,
            "asked_at": asked_at.isoformat(),
            "period": request.period.label,
            "tax": tax,
            **quote_json(request, quote),
        }
        return StoredQuote(quote_id, body.tenant_id, subject, answer)

    def _tax(self, body: QuoteBody) -> TaxTreatment:
        if body.tenant_id is None:
            if body.tax is None:
                raise InvalidQuote(
                    {"tax": "is needed (gst or gst_free), since no tenant is named"}
                )
            return body.tax
        treatment = self.accounts.account(body.tenant_id).tenant.tax
        if body.tax not in (None, treatment):
            raise InvalidQuote({"tax": f"is {treatment} for tenant {body.tenant_id}"})
        return treatment

    def _request(self, body: QuoteBody, tax: TaxTreatment, asked_at: datetime) -> QuoteRequest:
        period = (
            Period.month(body.period) if body.period else period_of(asked_at, self.settings.zone)
        )
        subscription = self._subscription(body, period).billed_in(period)
        usage: SegmentUsage = {segment_key(subscription): body.usage}
        try:
            self.accounts.load_catalogue([subscription])
            return self.pricing.request(tax, [subscription], period, usage)
        except UnknownPrice as error:
            kind = str(error).partition(" ")[0]
            raise InvalidQuote({kind: str(error)}) from error

    def _subscription(self, body: QuoteBody, period: Period) -> Segment:
        starts_on = body.starts_on or period.start
        pins = Pins(cache(self._newest))
        try:
            return Segment(
                tenant_id=body.tenant_id or PROSPECT,
                deployment_id=body.deployment_id,
                starts_on=starts_on,
                ends_on=body.ends_on,
                plan_code=body.plan,
                plan_version=body.plan_version or self._newest("plan", body.plan),
                addons=pins.addons(body.addons, starts_on),
                discounts=body.discounts,
                minimum_commitment=body.minimum_commitment,
            )
        except InvalidAccount as error:
            field, _, reason = str(error).partition(": ")
            raise InvalidQuote({field: reason}) from error

    def _newest(self, kind: str, code: str) -> int:
        try:
            return self.accounts.newest_version(kind, code)
        except UnknownPrice as error:
            raise InvalidQuote({kind: str(error)}) from error
