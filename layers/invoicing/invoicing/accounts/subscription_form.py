"""Subscriptions as the API and files send them: segments of days, changes, ends.

Where the form names no version, a segment keeps the version it has; a plan or add-on that is new
to it gets the newest one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from invoicing.accounts.account import Segment
from invoicing.accounts.addons import MOST_ADDONS, AddonChoice
from invoicing.accounts.deployments import MOST_SEGMENTS, segment_for
from invoicing.accounts.form_fields import AddonQuantity, Code, Day, Discounts, Dollars, Version
from invoicing.foundation.parsing import StrictModel


class AddonTerms(StrictModel):
    """An add-on, its quantity, and its days where they are not its segment's.

    Whether the days fit is for the segment to say (see `addons_fault`).
    """

    code: Code
    quantity: AddonQuantity = 1
    starts_on: Day | None = None
    ends_on: Day | None = None


class AddonForm(AddonTerms):
    """An add-on in a version, or in the one that it has, or else in the newest."""

    version: Version | None = None


Addons = Annotated[tuple[AddonForm, ...], Field(max_length=MOST_ADDONS)]


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
    """New terms from a day on; what is absent stays as it is.

    Add-ons that are sent are all that there are from this day on.
    """

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
        self, form: SegmentForm, tenant_id: str, deployment_id: str, stored: Sequence[Segment]
    ) -> Segment:
        """Returns the form's segment, which keeps the versions of the stored segments.

        Raises InvalidAccount and UnknownPrice.
        """
        before = segment_for(stored, form.starts_on, form.plan)
        return Segment(
            tenant_id=tenant_id,
            deployment_id=deployment_id,
            starts_on=form.starts_on,
            ends_on=form.ends_on,
            plan_code=form.plan,
            plan_version=self._plan(form.plan, form.plan_version, before),
            addons=self.addons(form.addons, form.starts_on, before, stored),
            discounts=form.discounts,
            minimum_commitment=form.minimum_commitment,
        )

    def changed(self, form: ChangeForm, running: Segment) -> Segment:
        """Returns the segment, which runs from the form's day on, with the form's terms.

        Raises InvalidAccount and UnknownPrice.
        """
        plan = form.plan if form.says("plan") else running.plan_code
        terms: dict[str, Any] = {
            "plan_code": plan,
            "plan_version": self._plan(plan, form.plan_version, running),
        }
        if form.says("addons"):
            terms["addons"] = self.addons(form.addons, running.starts_on, running, (running,))
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

    def addons(
        self,
        addons: Sequence[AddonForm],
        first: date,
        before: Segment | None = None,
        stored: Sequence[Segment] = (),
    ) -> tuple[AddonChoice, ...]:
        """Returns the add-ons of a segment that begins on `first`; raises UnknownPrice."""
        return tuple(
            AddonChoice(
                addon.code,
                addon.version
                or _version_in_use(addon.code, addon.starts_on or first, before, stored)
                or self.newest("addon", addon.code),
                addon.quantity,
                addon.starts_on,
                addon.ends_on,
            )
            for addon in addons
        )


def _version_in_use(
    code: str, day: date, before: Segment | None, stored: Sequence[Segment]
) -> int | None:
    """Returns the version of the stored add-on that an add-on from this day keeps, or None.

    It is the one that includes the day. If there is none, a first day may have been moved: then it
    is the nearest one of the segment before.
    """
    for segment in stored:
        for choice in segment.addons:
            if choice.code == code and segment.active_on(day) and choice.active_on(day):
                return choice.version
    if before is None:
        return None
    first = before.starts_on
    nearest = min(
        (choice for choice in before.addons if choice.code == code),
        key=lambda choice: abs((choice.starts_on or first) - day),
        default=None,
    )
    return nearest.version if nearest else None
