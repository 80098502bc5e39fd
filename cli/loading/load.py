"""`monthend load`: a catalogue and customers into the accounts table, row by row."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cli.loading.catalogue_file import Catalogue, Price
from cli.loading.customers_file import Customers
from cli.loading.load_accounts import AccountLoader, Batch, Pin, batches, holders, pins
from cli.loading.row_report import ReportRow, RowResult
from invoicing.accounts.account import AddonPrice
from invoicing.accounts.account_item import VersionExists
from invoicing.accounts.accounts_table import AccountsTable, UnknownPrice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from quote_engine import Plan

WRITERS = 8


@dataclass(frozen=True, slots=True)
class Load:
    """The catalogue and the customers to be stored."""

    catalogue: Catalogue
    customers: Customers

    @property
    def size(self) -> int:
        """How many rows could be read."""
        catalogue, customers = self.catalogue, self.customers
        prices = len(catalogue.plans) + len(catalogue.addons)
        return prices + len(customers.tenants) + len(customers.subscriptions)


@dataclass(frozen=True, slots=True)
class Loader:
    """Stores what is new or changed; a dry run reads just as much and writes nothing."""

    accounts: AccountsTable
    dry_run: bool = False

    def load(
        self, wanted: Load, advance: Callable[[int], None] = lambda _: None
    ) -> list[ReportRow]:
        """Stores all rows; reports on the catalogue's, then on tenants', then on unreadable ones.

        Safe to repeat: what is stored already is `unchanged`.
        """
        rows = [*map(self._plan, wanted.catalogue.plans)]
        rows += map(self._addon, wanted.catalogue.addons)
        advance(len(rows))
        customers = wanted.customers
        loader = AccountLoader(
            accounts=self.accounts,
            dry_run=self.dry_run,
            prices=self._prices(wanted),
            holders=holders(customers),
        )

        def store(batch: Batch) -> list[ReportRow]:
            return list(loader.load(batch))

        with ThreadPoolExecutor(WRITERS) as writers:
            for batch_rows in writers.map(store, batches(customers)):
                rows += batch_rows
                advance(len(batch_rows))
        return [*rows, *customers.refused]

    def _plan(self, price: Price[Plan]) -> ReportRow:
        def stored() -> Plan:
            return self.accounts.plan(price.item.code, price.version)

        return self._price("plan", price, stored, PriceVersions(self.accounts.name, PLANS).put)

    def _addon(self, price: Price[AddonPrice]) -> ReportRow:
        def stored() -> AddonPrice:
            return self.accounts.addon(price.item.code, price.version)

        return self._price("addon", price, stored, PriceVersions(self.accounts.name, ADDONS).put)

    def _price[P: (Plan, AddonPrice)](
        self, kind: str, price: Price[P], stored: Callable[[], P], put: Callable[[P, int], None]
    ) -> ReportRow:
        name = f"{price.item.code} v{price.version}"
        try:
            same = stored() == price.item
        except UnknownPrice:
            same = False
        if same:
            return ReportRow(kind, name, price.place, RowResult.UNCHANGED)
        try:
            self._put(put, price)
        except VersionExists:
            reason = "other prices are stored under this version; a change needs a new version"
            return ReportRow(kind, name, price.place, RowResult.REFUSED, reason)
        return ReportRow(kind, name, price.place, RowResult.STORED)

    def _put[P: (Plan, AddonPrice)](self, put: Callable[[P, int], None], price: Price[P]) -> None:
        if not self.dry_run:
            put(price.item, price.version)
        elif self._is_stored(price):
            raise VersionExists

    def _is_stored(self, price: Price[Plan] | Price[AddonPrice]) -> bool:
        kind = "plan" if isinstance(price.item, Plan) else "addon"
        return self._reads((kind, price.item.code, price.version))

    def _prices(self, wanted: Load) -> frozenset[Pin]:
        """The prices that subscriptions may be pinned to: those of this load, or stored before."""
        segments = [entry.item for entry in wanted.customers.subscriptions]
        loaded: set[Pin] = {
            ("plan", price.item.code, price.version) for price in wanted.catalogue.plans
        }
        loaded |= {("addon", price.item.code, price.version) for price in wanted.catalogue.addons}
        others = {pin for segment in segments for pin in pins(segment)} - loaded
        self.accounts.load_catalogue(segments)
        return frozenset(loaded | {pin for pin in sorted(others) if self._reads(pin)})

    def _reads(self, pin: Pin) -> bool:
        kind, code, version = pin
        read = self.accounts.plan if kind == "plan" else self.accounts.addon
        try:
            read(code, version)
        except UnknownPrice:
            return False
        return True
