"""Stores tenants and their subscriptions; each row is stored, unchanged or refused by itself."""

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
    """One tenant's rows: they are written in order, beside other tenants'."""

    tenants: list[Entry[Tenant]] = field(default_factory=list)
    subscriptions: list[Entry[Segment]] = field(default_factory=list)

    @property
    def tenant_id(self) -> str:
        first = self.tenants[0] if self.tenants else self.subscriptions[0]
        return first.item.tenant_id


@dataclass(frozen=True, slots=True)
class Holders:
    """Which tenant is the first in this load to claim an account number or a deployment."""

    numbers: Mapping[str, str]
    deployments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AccountLoader:
    """Stores a tenant's rows, checked against the prices that there are."""

    accounts: AccountsTable
    dry_run: bool
    prices: frozenset[Pin]
    holders: Holders

    def load(self, batch: Batch) -> Iterator[ReportRow]:
        """What became of the tenant and of each subscription."""
        stored = self._stored(batch.tenant_id)
        exists = stored is not None
        for entry in batch.tenants:
            row = self._tenant(entry, stored)
            exists = exists or row.result is not RowResult.REFUSED
            yield row
        before = stored.segments if stored else ()
        after = {_span(each): each for each in before}
        after |= {_span(entry.item): entry.item for entry in batch.subscriptions}
        owners = self.accounts.owners(entry.item.deployment_id for entry in batch.subscriptions)
        against: dict[Span, str | None] = {
            _span(entry.item): self._against(entry.item, after.values(), owners)
            if exists
            else "tenant_id: no such tenant is stored"
            for entry in batch.subscriptions
        }
        taken = [each.item for each in batch.subscriptions if not against[_span(each.item)]]
        against |= self._store([each for each in taken if each not in before])
        for subscribed in batch.subscriptions:
            yield _subscription(subscribed, against[_span(subscribed.item)], before)

    def _stored(self, tenant_id: str) -> Account | None:
        try:
            return self.accounts.account(tenant_id)
        except UnknownTenant:
            return None

    def _tenant(self, entry: Entry[Tenant], stored: Account | None) -> ReportRow:
        tenant, place = entry.item, entry.place
        if stored and stored.tenant == tenant:
            return ReportRow("tenant", tenant.tenant_id, place, RowResult.UNCHANGED)
        against = self._number_fault(tenant, stored)
        try:
            if not against and not self.dry_run:
                TenantsTable(self.accounts.name).put(tenant)
        except AccountNumberTaken as error:
            # Since it was looked up a moment ago.
            against = str(error)
        if against:
            reason = f"account_number: {against}"
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

    def _against(
        self,
        taken: Segment,
        all_of_tenant: Iterable[Segment],
        owners: Mapping[str, str],
    ) -> str | None:
        """What speaks against a subscription, or None."""
        name, tenant_id = taken.deployment_id, taken.tenant_id
        owner = owners.get(name, self.holders.deployments[name])
        if owner != tenant_id:
            return f"deployment_id: {name} is another tenant's ({owner})"
        for kind, code, version in sorted(pins(taken) - self.prices):
            return f"{kind}: {code} version {version} is not in the catalogue"
        for other in all_of_tenant:
            if _span(other) != _span(taken) and _overlap(other, taken):
                return f"starts_on: overlaps the subscription from {other.starts_on}"
        return None

    def _store(self, wanted: Sequence[Segment]) -> dict[Span, str | None]:
        """Writes what is new, each deployment at once; what was against it, by subscription.

        A change of plan is two rows, and in between its deployment would have days twice or not
        at all.
        """
        by_deployment: dict[str, list[Segment]] = defaultdict(list)
        for each in wanted:
            by_deployment[each.deployment_id].append(each)
        against: dict[Span, str | None] = {}
        for segments in by_deployment.values():
            try:
                if not self.dry_run:
                    SubscriptionsTable(self.accounts.name).put(*segments)
            except DeploymentTaken as error:
                against |= {_span(each): f"deployment_id: {error}" for each in segments}
            except (InvalidAccount, TooManyChanges) as error:
                against |= {_span(each): str(error) for each in segments}
        return against


def _subscription(
    entry: Entry[Segment], against: str | None, before: Sequence[Segment]
) -> ReportRow:
    taken, place = entry.item, entry.place
    name = f"{taken.deployment_id} from {taken.starts_on}"
    if against:
        return ReportRow("subscription", name, place, RowResult.REFUSED, against)
    if taken in before:
        return ReportRow("subscription", name, place, RowResult.UNCHANGED)
    replaced = _span(taken) in map(_span, before)
    return ReportRow("subscription", name, place, RowResult.STORED, "replaced" if replaced else "")


def batches(customers: Customers) -> list[Batch]:
    """The rows by tenant, in order of the first row of each."""
    found: dict[str, Batch] = defaultdict(Batch)
    for tenant in customers.tenants:
        found[tenant.item.tenant_id].tenants.append(tenant)
    for taken in customers.subscriptions:
        found[taken.item.tenant_id].subscriptions.append(taken)
    return list(found.values())


def holders(customers: Customers) -> Holders:
    """Who comes first, so that the outcome does not depend on which writer is quicker."""
    tenants = [entry.item for entry in customers.tenants]
    taken = [entry.item for entry in customers.subscriptions]
    return Holders(
        numbers={each.account_number: each.tenant_id for each in reversed(tenants)},
        deployments={each.deployment_id: each.tenant_id for each in reversed(taken)},
    )


def pins(taken: Segment) -> set[Pin]:
    """The plan and add-on versions that a subscription is billed by."""
    addons = {("addon", choice.code, choice.version) for choice in taken.addons}
    return {("plan", taken.plan_code, taken.plan_version), *addons}


def _span(taken: Segment) -> Span:
    return taken.deployment_id, taken.starts_on


def _overlap(one: Segment, other: Segment) -> bool:
    return one.deployment_id == other.deployment_id and first_overlap((one, other)) is not None
