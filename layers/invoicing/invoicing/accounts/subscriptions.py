"""Starts, changes and ends subscriptions, one whole deployment at a time.

Nothing here looks at invoices: changing days that are already invoiced changes no invoice.
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
)
from invoicing.accounts.form_fields import InvalidForm
from invoicing.accounts.subscription_form import ChangeForm, DeploymentForm, EndForm, Pins
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.versioned_records import Allow, Stored, Written, write_version

type Found = Stored[Deployment] | None


class UnknownDeployment(Exception):
    """The tenant has never had a subscription for this deployment."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Writes a deployment's segments, checked against the catalogue.

    All methods raise InvalidForm with the faulty fields, and UnknownTenant, DeploymentTaken,
    TooManyChanges, RecordBusy, and whatever `allow` raises. Writing what is already stored does
    nothing.
    """

    accounts: AccountsTable
    table: SubscriptionsTable
    tenants: TenantsTable

    @classmethod
    def over(cls, table_name: str) -> "Subscriptions":
        """Makes one over the accounts table of this name."""
        tables = AccountsTable(table_name), SubscriptionsTable(table_name)
        return cls(*tables, TenantsTable(table_name))

    def put(
        self, tenant_id: str, deployment_id: str, form: DeploymentForm, allow: Allow
    ) -> Written[Deployment]:
        """Replaces all segments of the deployment with those of the form."""

        def make(before: Found) -> Deployment:
            if before is None:
                self._refuse_unknown(tenant_id)
                _refuse_none(form)
            segments = self._segments(tenant_id, deployment_id, form, before)
            return Deployment(tenant_id, deployment_id, segments)

        return self._write(tenant_id, deployment_id, make, allow)

    def change(
        self, tenant_id: str, deployment_id: str, form: ChangeForm, allow: Allow
    ) -> Written[Deployment]:
        """Changes the terms from a day on. Raises UnknownDeployment."""
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
        stored = before.record.segments if before else ()
        segments: list[Segment] = []
        for n, segment_form in enumerate(form.segments):
            try:
                segments.append(pins.segment(segment_form, tenant_id, deployment_id, stored))
            except UnknownPrice as error:
                raise InvalidForm({f"segments.{n}.{_kind(error)}": str(error)}) from error
            except InvalidAccount as error:
                raise InvalidForm.of(error, f"segments.{n}.") from error
        _refuse_overlap(segments)
        self._refuse_unpriced(segments, "segments.{}.")
        return tuple(sorted(segments, key=lambda segment: segment.starts_on))

    def _refuse_unpriced(self, segments: Sequence[Segment], prefix: str = "") -> None:
        """Refuses versions that the catalogue lacks: the month-end could not price them."""
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
    """Refuses a new deployment without segments: a mistyped name would be owned for good."""
    if not form.segments:
        raise InvalidForm({"segments": "must have one: the tenant has no such deployment yet"})


def _kind(error: UnknownPrice) -> str:
    """Returns the field that names what is not in the catalogue."""
    return "plan" if str(error).startswith("plan ") else "addons"


def _refuse_overlap(segments: Sequence[Segment]) -> None:
    if overlap := first_overlap(segments):
        earlier, later = overlap
        # By identity: two that begin on the same day may be equal.
        n = next(n for n, segment in enumerate(segments) if segment is later)
        reason = f"{later.starts_on} overlaps the segment from {earlier.starts_on}"
        raise InvalidForm({f"segments.{n}.starts_on": reason})
