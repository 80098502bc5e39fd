"""Starts, changes and ends subscriptions: the whole of a deployment at a time.

Nothing here looks at invoices: a change of days that are invoiced already changes no invoice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from invoicing.accounts.account import InvalidAccount, Segment
from invoicing.accounts.accounts_table import AccountsTable, UnknownPrice, UnknownTenant
from invoicing.accounts.deployments import (
    Deployment,
    NotRunning,
    changed_from,
    ended_on,
    first_overlap,
    segment_for,
)
from invoicing.accounts.form_fields import InvalidForm
from invoicing.accounts.subscription_form import ChangeForm, DeploymentForm, EndForm, Pins
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.versions import Allow, Stored, Written, write_version

type Found = Stored[Deployment] | None


class UnknownDeployment(Exception):
    """The tenant has never subscribed such a deployment."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """A deployment's segments, checked against the catalogue.

    All raise InvalidForm with the faulty fields, and UnknownTenant, DeploymentTaken,
    TooManyChanges, RecordBusy, and whatever `allow` raises. What is so already is no change.
    """

    accounts: AccountsTable
    table: SubscriptionsTable
    tenants: TenantsTable

    @classmethod
    def over(cls, table_name: str) -> "Subscriptions":
        """Over the accounts table of this name."""
        tables = AccountsTable(table_name), SubscriptionsTable(table_name)
        return cls(*tables, TenantsTable(table_name))

    def put(
        self, tenant_id: str, deployment_id: str, form: DeploymentForm, allow: Allow
    ) -> Written[Deployment]:
        """Makes these the deployment's segments; others are gone."""

        def make(before: Found) -> Deployment:
            if before is None:
                self._refuse_unknown(tenant_id)
                _refuse_none(form)
            found = self._segments(tenant_id, deployment_id, form, before)
            return Deployment(tenant_id, deployment_id, found)

        return self._write(tenant_id, deployment_id, make, allow)

    def change(
        self, tenant_id: str, deployment_id: str, form: ChangeForm, allow: Allow
    ) -> Written[Deployment]:
        """Changes terms from a day on. Raises UnknownDeployment."""
        pins = Pins(cache(self.accounts.newest_version))

        def terms(running: Segment) -> Segment:
            changed = pins.changed(form, running)
            self._refuse_unpriced([changed])
            return changed

        def make(before: Found) -> Deployment:
            try:
                return changed_from(_known(before), form.first_day, terms)
            except UnknownPrice as error:
                raise InvalidForm({_kind(error): str(error)}) from error
            except NotRunning as error:
                raise InvalidForm({"from": str(error)}) from error
            except InvalidAccount as error:
                raise InvalidForm.of(error) from error

        return self._write(tenant_id, deployment_id, make, allow)

    def end(
        self, tenant_id: str, deployment_id: str, form: EndForm, allow: Allow
    ) -> Written[Deployment]:
        """Sets the last day that is billed. Raises UnknownDeployment."""

        def make(before: Found) -> Deployment:
            try:
                return ended_on(_known(before), form.ends_on)
            except NotRunning as error:
                raise InvalidForm({"ends_on": str(error)}) from error

        return self._write(tenant_id, deployment_id, make, allow)

    def _write(
        self, tenant_id: str, deployment_id: str, make: Callable[[Found], Deployment], allow: Allow
    ) -> Written[Deployment]:
        return write_version(
            lambda: self.table.get(tenant_id, deployment_id), make, self.table.write, allow
        )

    def _refuse_unknown(self, tenant_id: str) -> None:
        if self.tenants.get(tenant_id) is None:
            raise UnknownTenant(f"tenant {tenant_id} is not in the accounts table")

    def _segments(
        self, tenant_id: str, deployment_id: str, form: DeploymentForm, before: Found
    ) -> tuple[Segment, ...]:
        pins = Pins(cache(self.accounts.newest_version))
        found: list[Segment] = []
        for n, each in enumerate(form.segments):
            stored = before.record.segments if before else ()
            had = segment_for(stored, each.starts_on, each.plan)
            try:
                found.append(pins.segment(each, tenant_id, deployment_id, had))
            except UnknownPrice as error:
                raise InvalidForm({f"segments.{n}.{_kind(error)}": str(error)}) from error
            except InvalidAccount as error:
                raise InvalidForm.of(error, f"segments.{n}.") from error
        _refuse_overlap(found)
        self._refuse_unpriced(found, "segments.{}.")
        return tuple(sorted(found, key=lambda segment: segment.starts_on))

    def _refuse_unpriced(self, segments: Sequence[Segment], prefix: str = "") -> None:
        """Every version must be in the catalogue: the month-end could not price it."""
        self.accounts.load_catalogue(segments)
        for n, segment in enumerate(segments):
            try:
                self.accounts.plan(segment.plan_code, segment.plan_version)
                for choice in segment.addons:
                    self.accounts.addon(choice.code, choice.version)
            except UnknownPrice as error:
                raise InvalidForm({prefix.format(n) + _kind(error): str(error)}) from error


def _known(before: Found) -> Deployment:
    if before is None:
        raise UnknownDeployment
    return before.record


def _refuse_none(form: DeploymentForm) -> None:
    """A deployment is its tenant's for good: a name that was mistyped should not be taken."""
    if not form.segments:
        raise InvalidForm({"segments": "must have one: the tenant has no such deployment yet"})


def _kind(error: UnknownPrice) -> str:
    """The field that names what is not in the catalogue."""
    return "plan" if str(error).startswith("plan ") else "addons"


def _refuse_overlap(segments: Sequence[Segment]) -> None:
    if overlap := first_overlap(segments):
        one, other = overlap
        # By identity: two that begin on the same day may be equal.
        n = next(n for n, each in enumerate(segments) if each is other)
        reason = f"{other.starts_on} overlaps the segment from {one.starts_on}"
        raise InvalidForm({f"segments.{n}.starts_on": reason})
