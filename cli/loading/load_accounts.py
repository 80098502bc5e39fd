"""Stores tenants and their subscriptions; each row is stored, unchanged or refused on its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cli.loading.customers_file import Customers, Entry
from cli.loading.row_report import ReportRow, RowResult
from invoicing.accounts.account import Account, InvalidAccount, Segment, Tenant
from invoicing.accounts.account_item import AccountNumberTaken, DeploymentTaken
from invoicing.accounts.accounts_table import AccountsTable, UnknownTenant
from invoicing.accounts.deployments import first_overlap
from invoicing.accounts.subscriptions_table import SubscriptionsTable, TooManyChanges
from invoicing.accounts.tenants_table import TenantsTable

type Pin = tuple[str, str, int]
type Span = tuple[str, date]


@dataclass
class Batch:
    """One tenant's rows: they are written in order, and in parallel with other tenants'."""

    tenants: list[Entry[Tenant]] = field(default_factory=list)
    subscriptions: list[Entry[Segment]] = field(default_factory=list)

    @property
    def tenant_id(self) -> str:
        first = self.tenants[0] if self.tenants else self.subscriptions[0]
        return first.item.tenant_id


@dataclass(frozen=True, slots=True)
class Holders:
    """For each account number and deployment, the first tenant of this load that claims it."""

    numbers: Mapping[str, str]
    deployments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AccountLoader:
    """Stores a tenant's rows, checked against the prices that exist."""

    accounts: AccountsTable
    dry_run: bool
    prices: frozenset[Pin]
    holders: Holders

    def load(self, batch: Batch) -> Iterator[ReportRow]:
        """Stores a tenant and its subscriptions; yields what became of each row."""
        stored = self._stored(batch.tenant_id)
        exists = stored is not None
        for entry in batch.tenants:
            row = self._tenant(entry, stored)
            exists = exists or row.result is not RowResult.REFUSED
            yield row
        before = stored.segments if stored else ()
        after = {_span(segment): segment for segment in before}
        after |= {_span(entry.item): entry.item for entry in batch.subscriptions}
        owners = self.accounts.owners(entry.item.deployment_id for entry in batch.subscriptions)
        faults: dict[Span, str | None] = {
            _span(entry.item): self._segment_fault(entry.item, after.values(), owners)
            if exists
            else "tenant_id: no such tenant is stored"
            for entry in batch.subscriptions
        }
        accepted = [entry.item for entry in batch.subscriptions if not faults[_span(entry.item)]]
        faults |= self._store([segment for segment in accepted if segment not in before])
        for subscription in batch.subscriptions:
            yield _subscription(subscription, faults[_span(subscription.item)], before)

    def _stored(self, tenant_id: str) -> Account | None:
        try:
            return self.accounts.account(tenant_id)
        except UnknownTenant:
            return None

    def _tenant(self, entry: Entry[Tenant], stored: Account | None) -> ReportRow:
        tenant, place = entry.item, entry.place
        if stored and stored.tenant == tenant:
            return ReportRow("tenant", tenant.tenant_id, place, RowResult.UNCHANGED)
        fault = self._number_fault(tenant, stored)
        try:
            if not fault and not self.dry_run:
                TenantsTable(self.accounts.name).put(tenant)
        except AccountNumberTaken as error:
            # It was taken after it was looked up, a moment ago.
            fault = str(error)
        if fault:
            reason = f"account_number: {fault}"
            return ReportRow("tenant", tenant.tenant_id, place, RowResult.REFUSED, reason)
        reason = "replaced" if stored else ""
        return ReportRow("tenant", tenant.tenant_id, place, RowResult.STORED, reason)

    def _number_fault(self, tenant: Tenant, stored: Account | None) -> str | None:
        number, holder = tenant.account_number, self.holders.numbers[tenant.account_number]
        if stored:
            own = stored.tenant.account_number
            return None if own == number else f"is {own} for good and cannot become {number}"
        if holder != tenant.tenant_id:
            return f"{number} is given to {holder} in this load already"
        owner = self.accounts.number_owners([number]).get(number, tenant.tenant_id)
        return None if owner == tenant.tenant_id else f"{number} is another tenant's ({owner})"

    def _segment_fault(
        self,
        segment: Segment,
        all_of_tenant: Iterable[Segment],
        owners: Mapping[str, str],
    ) -> str | None:
        """Why a subscription cannot be stored, or None."""
        name, tenant_id = segment.deployment_id, segment.tenant_id
        owner = owners.get(name, self.holders.deployments[name])
        if owner != tenant_id:
            return f"deployment_id: {name} is another tenant's ({owner})"
        for kind, code, version in sorted(pins(segment) - self.prices):
            return f"{kind}: {code} version {version} is not in the catalogue"
        for other in all_of_tenant:
            if _span(other) != _span(segment) and _overlap(other, segment):
                return f"starts_on: overlaps the subscription from {other.starts_on}"
        return None

    def _store(self, wanted: Sequence[Segment]) -> dict[Span, str | None]:
        """Writes new subscriptions, one call per deployment; returns the faults of refused ones.

        A change of plan is two rows. In two calls, its deployment would meanwhile have days twice
        or not at all.
        """
        by_deployment: dict[str, list[Segment]] = defaultdict(list)
        for segment in wanted:
            by_deployment[segment.deployment_id].append(segment)
        faults: dict[Span, str | None] = {}
        for segments in by_deployment.values():
            try:
                if not self.dry_run:
                    SubscriptionsTable(self.accounts.name).put(*segments)
            except DeploymentTaken as error:
                faults |= {_span(segment): f"deployment_id: {error}" for segment in segments}
            except (InvalidAccount, TooManyChanges) as error:
                faults |= {_span(segment): str(error) for segment in segments}
        return faults


def _subscription(
    entry: Entry[Segment], fault: str | None, before: Sequence[Segment]
) -> ReportRow:
    segment, place = entry.item, entry.place
    name = f"{segment.deployment_id} from {segment.starts_on}"
    if fault:
        return ReportRow("subscription", name, place, RowResult.REFUSED, fault)
    if segment in before:
        return ReportRow("subscription", name, place, RowResult.UNCHANGED)
    replaced = _span(segment) in map(_span, before)
    return ReportRow("subscription", name, place, RowResult.STORED, "replaced" if replaced else "")


def batches(customers: Customers) -> list[Batch]:
    """Groups the rows by tenant, in order of each tenant's first row."""
    by_tenant: dict[str, Batch] = defaultdict(Batch)
    for tenant in customers.tenants:
        by_tenant[tenant.item.tenant_id].tenants.append(tenant)
    for subscription in customers.subscriptions:
        by_tenant[subscription.item.tenant_id].subscriptions.append(subscription)
    return list(by_tenant.values())


def holders(customers: Customers) -> Holders:
    """Finds the first claims, so that the outcome does not depend on which writer is faster."""
    tenants = [entry.item for entry in customers.tenants]
    segments = [entry.item for entry in customers.subscriptions]
    return Holders(
        numbers={tenant.account_number: tenant.tenant_id for tenant in reversed(tenants)},
        deployments={segment.deployment_id: segment.tenant_id for segment in reversed(segments)},
    )


def pins(segment: Segment) -> set[Pin]:
    """The plan and add-on versions that a subscription is billed by."""
    addons = {("addon", choice.code, choice.version) for choice in segment.addons}
    return {("plan", segment.plan_code, segment.plan_version), *addons}


def _span(segment: Segment) -> Span:
    return segment.deployment_id, segment.starts_on


def _overlap(first: Segment, second: Segment) -> bool:
    return (
        first.deployment_id == second.deployment_id and first_overlap((first, second)) is not None
    )
