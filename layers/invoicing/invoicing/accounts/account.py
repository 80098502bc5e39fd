"""Who is billed and for what: tenants and their subscriptions, pinned to catalogue versions."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from invoicing.accounts.addons import (
    MOST_ADDONS,
    AddonChoice,
    addons_fault,
    addons_within,
    in_one_form,
)
from invoicing.foundation.parsing import TENANT_ID
from quote_engine import Discount, Period, discount_json, parse_discount

type TaxTreatment = Literal["gst", "gst_free"]

DEPLOYMENT_ID = "[A-Za-z0-9._-]{1,64}"
# `YYMM-` + account number + letter is at most 13 characters, which every accounting
# package accepts (MYOB is the narrowest).
ACCOUNT_NUMBER = re.compile("[0-9]{1,7}")


class InvalidAccount(ValueError):
    """A tenant, add-on or subscription must not be stored; the error names the field."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address on documents; `country` is the ISO 3166 code, such as AU."""

    lines: tuple[str, ...]
    locality: str
    country: str
    state: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer under its legal name; the ABN is 11 digits (see tenant_form).

    The tax treatment is always set, `gst_free` with a reason, and never guessed from a country.
    """

    tenant_id: str
    name: str
    account_number: str
    tax: TaxTreatment
    tax_reason: str = ""
    abn: str | None = None
    address: Address | None = None
    billing_email: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(TENANT_ID, self.tenant_id):
            raise InvalidAccount(f"tenant_id: must match {TENANT_ID}, not {self.tenant_id!r}")
        if not ACCOUNT_NUMBER.fullmatch(self.account_number):
            raise InvalidAccount(
                f"account_number: must be 1 to 7 digits, not {self.account_number!r}"
            )
        if self.tax not in ("gst", "gst_free"):
            raise InvalidAccount(f"tax: must be gst or gst_free, not {self.tax!r}")
        if self.tax == "gst_free" and not self.tax_reason:
            raise InvalidAccount("tax_reason: a gst_free tenant needs a reason")


@dataclass(frozen=True, slots=True)
class AddonPrice:
    """An add-on of the catalogue; `price` is per unit and month, in currency units."""

    code: str
    name: str | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class Segment:
    """Some days of a subscription, with one plan and its add-ons, pinned to versions.

    Both dates are billed days. The add-ons have days of their own within them, and are kept in one
    form (see `addons`). `minimum_commitment` is in currency units per month.
    """

    tenant_id: str
    deployment_id: str
    starts_on: date
    ends_on: date | None
    plan_code: str
    plan_version: int
    addons: tuple[AddonChoice, ...] = ()
    discounts: tuple[Discount, ...] = ()
    minimum_commitment: Decimal | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(DEPLOYMENT_ID, self.deployment_id):
            raise InvalidAccount(
                f"deployment_id: must match {DEPLOYMENT_ID}, not {self.deployment_id!r}"
            )
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise InvalidAccount("ends_on: must not be before starts_on")
        if self.addons:
            self._set_addons()

    def _set_addons(self) -> None:
        if fault := addons_fault(self.addons, self.starts_on, self.ends_on):
            raise InvalidAccount(fault)
        addons = in_one_form(self.addons, self.starts_on, self.ends_on)
        if len(addons) > MOST_ADDONS:
            raise InvalidAccount(
                f"addons: {len(addons)} would stand in the segment from {self.starts_on}, over "
                f"{MOST_ADDONS}, each run of days counted; divide it into two segments"
            )
        object.__setattr__(self, "addons", addons)

    def active_on(self, day: date) -> bool:
        """Whether this day is billed; the first day and the last day are."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

    def active_in(self, period: Period) -> bool:
        """Whether at least one day of the period is billed."""
        return self.starts_on < period.end and (
            self.ends_on is None or self.ends_on >= period.start
        )

    def covers(self, period: Period) -> bool:
        """Whether every day of the period is billed."""
        return self.active_on(period.start) and self.active_on(period.last_day)

    def between(self, first: date, last: date | None) -> "Segment":
        """Returns the segment on these of its days alone, with the add-ons that it has on them."""
        addons = addons_within(self.addons, first, last)
        return replace(self, starts_on=first, ends_on=last, addons=addons)

    def billed_in(self, period: Period) -> "Segment":
        """Returns the segment with the add-ons of its days in the period.

        An add-on of other days, a start before the period and an end after it are no part of what
        a month is billed for: a later change of them changes nothing of it.
        """
        if not any([choice.dated for choice in self.addons]):
            return self
        first, last = max(self.starts_on, period.start), period.last_day
        if self.ends_on is not None:
            last = min(self.ends_on, last)
        return replace(self, addons=addons_within(self.addons, first, last))


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant with all of its subscriptions, read in one consistent query.

    `unsubscribed` holds deployments whose segments were all removed: they may still be used.
    """

    tenant: Tenant
    segments: tuple[Segment, ...]
    unsubscribed: frozenset[str] = frozenset()

    def billed_in(self, period: Period) -> list[Segment]:
        """Returns the segments with a day in the period, with what they are billed for then."""
        return [
            segment.billed_in(period) for segment in self.segments if segment.active_in(period)
        ]


def stored_tenant_json(tenant: Tenant) -> dict[str, Any]:
    """Returns the stored fields of a tenant, without its id and without fields that are None."""
    stored = {name: value for name, value in asdict(tenant).items() if value is not None}
    del stored["tenant_id"]
    return stored


def read_tenant(tenant_id: str, stored: Mapping[str, Any]) -> Tenant:
    """Reads a tenant from its stored fields: the inverse of `stored_tenant_json`."""
    fields = dict(stored)
    if address := fields.get("address"):
        fields["address"] = Address(**{**address, "lines": tuple(address["lines"])})
    return Tenant(tenant_id=tenant_id, **fields)


def stored_segment_json(segment: Segment) -> dict[str, Any]:
    """Returns the stored fields of a segment, without its tenant, deployment and first day."""
    ends_on, commitment = segment.ends_on, segment.minimum_commitment
    stored: dict[str, Any] = {
        "plan_code": segment.plan_code,
        "plan_version": segment.plan_version,
        "addons": [_stored_addon_json(choice) for choice in segment.addons],
        "ends_on": ends_on.isoformat() if ends_on else None,
    }
    # Few subscriptions have their own terms; the items of all others stay small.
    if segment.discounts:
        stored["discounts"] = [discount_json(discount) for discount in segment.discounts]
    if commitment is not None:
        stored["minimum_commitment"] = format(commitment, "f")
    return stored


def _stored_addon_json(choice: AddonChoice) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "code": choice.code,
        "version": choice.version,
        "quantity": choice.quantity,
    }
    # Without dates it is what it was before there were dates: digests of terms stay the same.
    for name, day in (("starts_on", choice.starts_on), ("ends_on", choice.ends_on)):
        if day is not None:
            stored[name] = day.isoformat()
    return stored


def _read_addon(stored: Mapping[str, Any]) -> AddonChoice:
    dated = [name for name in ("starts_on", "ends_on") if name in stored]
    days = {name: date.fromisoformat(stored[name]) for name in dated}
    return AddonChoice(**{**stored, **days})


def read_segment(
    tenant_id: str, deployment_id: str, starts_on: str, stored: Mapping[str, Any]
) -> Segment:
    """Reads a segment from its stored fields: the inverse of `stored_segment_json`."""
    ends_on, commitment = stored["ends_on"], stored.get("minimum_commitment")
    return Segment(
        tenant_id=tenant_id,
        deployment_id=deployment_id,
        starts_on=date.fromisoformat(starts_on),
        ends_on=date.fromisoformat(ends_on) if ends_on else None,
        plan_code=stored["plan_code"],
        plan_version=stored["plan_version"],
        addons=tuple(map(_read_addon, stored["addons"])),
        discounts=tuple(map(parse_discount, stored.get("discounts", ()))),
        minimum_commitment=None if commitment is None else Decimal(commitment),
    )
