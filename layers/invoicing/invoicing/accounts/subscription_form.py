"""Subscriptions as the API and files send them: segments of days, changes, ends.

Where the form names no version, a segment keeps the version it has; a plan or add-on that is new
to it gets the newest one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from invoicing.accounts.account import AddonChoice, Segment
from invoicing.accounts.deployments import MOST_SEGMENTS
from invoicing.accounts.form_fields import AddonQuantity, Code, Day, Discounts, Dollars, Version
from invoicing.foundation.parsing import StrictModel

MOST_ADDONS = 50


class AddonForm(StrictModel):
    """An add-on and its quantity."""

    code: Code
    quantity: AddonQuantity = 1
    version: Version | None = None


def _once_each(addons: tuple[AddonForm, ...]) -> tuple[AddonForm, ...]:
    codes = [addon.code for addon in addons]
    for code in codes:
        if codes.count(code) > 1:
            raise ValueError(f"{code} stands {codes.count(code)} times; give it a quantity")
    return addons


Addons = Annotated[
    tuple[AddonForm, ...], Field(max_length=MOST_ADDONS), AfterValidator(_once_each)
]


class SegmentForm(StrictModel):
    """A first and a last day, both billed, and the terms for these days."""

    starts_on: Day
    ends_on: Day | None = None
    plan: Code
    plan_version: Version | None = None
    addons: Addons = ()
    discounts: Discounts = ()
    minimum_commitment: Dollars | None = None


class DeploymentForm(StrictModel):
    """All segments of a deployment, in any order."""

    segments: Annotated[tuple[SegmentForm, ...], Field(max_length=MOST_SEGMENTS)]


class ChangeForm(StrictModel):
    """New terms from a day on; what is absent stays as it is."""

    first_day: Annotated[Day, Field(alias="from")]
    plan: Code = ""
    plan_version: Version | None = None
    addons: Addons = ()
    discounts: Discounts = ()
    minimum_commitment: Dollars | None = None

    def says(self, field: str) -> bool:
        """Whether the field was sent, even with an empty value."""
        return field in self.model_fields_set


class EndForm(StrictModel):
    """The last day that is billed."""

    ends_on: Day


type Newest = Callable[[str, str], int]
"""Returns the newest version of a (`plan` or `addon`, code); raises UnknownPrice."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Chooses versions: the named one, or else the one in use, or else the newest."""

    newest: Newest

    def segment(
        self, form: SegmentForm, tenant_id: str, deployment_id: str, before: Segment | None
    ) -> Segment:
        """Returns the form's segment, which keeps the versions of `before`.

        Raises InvalidAccount and UnknownPrice.
        """
        return Segment(
            tenant_id=tenant_id,
            deployment_id=deployment_id,
            starts_on=form.starts_on,
            ends_on=form.ends_on,
            plan_code=form.plan,
            plan_version=self._plan(form.plan, form.plan_version, before),
            addons=self._addons(form.addons, before),
            discounts=form.discounts,
            minimum_commitment=form.minimum_commitment,
        )

    def changed(self, form: ChangeForm, running: Segment) -> Segment:
        """Returns the running segment with the form's terms; raises UnknownPrice."""
        plan = form.plan if form.says("plan") else running.plan_code
        terms: dict[str, Any] = {
            "plan_code": plan,
            "plan_version": self._plan(plan, form.plan_version, running),
        }
        if form.says("addons"):
            terms["addons"] = self._addons(form.addons, running)
        for name in ("discounts", "minimum_commitment"):
            if form.says(name):
                terms[name] = getattr(form, name)
        return replace(running, **terms)

    def _plan(self, code: str, version: int | None, before: Segment | None) -> int:
        if version is not None:
            return version
        if before is not None and before.plan_code == code:
            return before.plan_version
        return self.newest("plan", code)

    def _addons(
        self, addons: tuple[AddonForm, ...], before: Segment | None
    ) -> tuple[AddonChoice, ...]:
        versions: Mapping[str, int] = (
            {choice.code: choice.version for choice in before.addons} if before else {}
        )
        chosen = (
            AddonChoice(
                addon.code,
                addon.version or versions.get(addon.code) or self.newest("addon", addon.code),
                addon.quantity,
            )
            for addon in addons
        )
        return tuple(sorted(chosen, key=lambda choice: choice.code))
