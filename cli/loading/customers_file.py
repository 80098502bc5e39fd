"""Tenants and subscriptions from YAML or CSV; each is read whole or refused with its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError

from cli.loading.row_report import ReportRow, RowResult
from cli.loading.yaml_lines import FieldPath, YamlFile
from invoicing.accounts.account import InvalidAccount, Segment, Tenant
from invoicing.accounts.addons import MOST_ADDONS, AddonChoice
from invoicing.accounts.form_fields import AddonQuantity, Day, Discounts, Dollars, Version
from invoicing.accounts.subscription_form import AddonTerms
from invoicing.accounts.tenant_form import TenantForm
from invoicing.foundation.parsing import StrictModel, faults_by_field

NO_VERSION = "catalogue_version: missing, and this load has no single catalogue that says it"


ADDONS_HINT = (
    "must be quantities by code, or a list; in CSV, words such as storage_50gb:2 and "
    "storage_50gb:2@2026-04-16..2026-04-30"
)
BY_CODE = TypeAdapter(Annotated[dict[str, AddonQuantity], Field(max_length=MOST_ADDONS)])
LISTED = TypeAdapter(Annotated[tuple[AddonTerms, ...], Field(max_length=MOST_ADDONS)])


def _addons(value: Any) -> tuple[AddonTerms, ...]:
    """Reads a mapping of codes to quantities, or a list of add-ons, which may have days."""
    if isinstance(value, str):
        raise ValueError(ADDONS_HINT)
    if isinstance(value, list):
        return LISTED.validate_python(value)
    quantities = BY_CODE.validate_python(value)
    return tuple(AddonTerms(code=code, quantity=quantity) for code, quantity in quantities.items())


class TenantEntry(TenantForm):
    """A tenant as a file gives it. Only the local stack uses `login`."""

    tenant_id: str
    login: Annotated[bool, Field(strict=True)] = False


class SubscriptionEntry(StrictModel):
    """A subscription as a file gives it; the version is that of its plan and its add-ons."""

    tenant_id: str
    deployment_id: str
    plan: str
    starts_on: Day
    ends_on: Day | None = None
    addons: Annotated[tuple[AddonTerms, ...], PlainValidator(_addons)] = ()
    discounts: Discounts = ()
    minimum_commitment: Dollars | None = None
    catalogue_version: Version | None = None

    def subscription(self, default_version: int | None) -> Segment:
        """Converts the entry to a segment; raises InvalidAccount."""
        version = self.catalogue_version or default_version
        if version is None:
            raise InvalidAccount(NO_VERSION)
        return Segment(
            tenant_id=self.tenant_id,
            deployment_id=self.deployment_id,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            plan_code=self.plan,
            plan_version=version,
            addons=tuple(
                AddonChoice(addon.code, version, addon.quantity, addon.starts_on, addon.ends_on)
                for addon in self.addons
            ),
            discounts=self.discounts,
            minimum_commitment=self.minimum_commitment,
        )


@dataclass(frozen=True, slots=True)
class Entry[E: (Tenant, Segment)]:
    """A tenant or a subscription, and its place in a file."""

    place: str
    item: E


@dataclass(frozen=True, slots=True)
class Customers:
    """The entries that could be read, in order, and those that were refused."""

    tenants: tuple[Entry[Tenant], ...]
    subscriptions: tuple[Entry[Segment], ...]
    refused: tuple[ReportRow, ...]


@dataclass(frozen=True, slots=True)
class UnreadEntry:
    """One tenant or subscription, not read yet: its file and its path there.

    `fault` says why its fields are not known at all.
    """

    file: YamlFile
    path: FieldPath
    fields: Any
    fault: str = ""

    def read[E: (TenantEntry, SubscriptionEntry)](self, form: type[E]) -> E:
        """Reads the fields; raises ValidationError, or InvalidAccount for a fault."""
        if self.fault:
            raise InvalidAccount(f"row: {self.fault}")
        return form.model_validate(self.fields)


def yaml_sources(yaml_file: YamlFile) -> tuple[list[UnreadEntry], list[UnreadEntry]]:
    """Lists the tenants of a YAML file and the subscriptions below them; neither is read yet."""
    tenants, subscriptions = [], []
    for n, entry in enumerate(_list(yaml_file.fields.get("tenants"))):
        path: FieldPath = ("tenants", n)
        if not isinstance(entry, dict):
            tenants.append(UnreadEntry(yaml_file, path, entry))
            continue
        tenant_fields = {name: value for name, value in entry.items() if name != "subscriptions"}
        tenants.append(UnreadEntry(yaml_file, path, tenant_fields))
        for m, subscription in enumerate(_list(entry.get("subscriptions"))):
            fields = (
                {"tenant_id": entry.get("tenant_id")} | subscription
                if _is_map(subscription)
                else subscription
            )
            subscriptions.append(UnreadEntry(yaml_file, (*path, "subscriptions", m), fields))
    return tenants, subscriptions


def _list(value: Any) -> Sequence[Any]:
    # A value that is not a list is read as one faulty entry, so that it is refused, not skipped.
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def read_customers(
    tenants: Sequence[UnreadEntry],
    subscriptions: Sequence[UnreadEntry],
    default_version: int | None,
) -> Customers:
    """Reads all entries. A subscription without a version gets its file's, or the default."""
    refused: list[ReportRow] = []
    read_tenants = list(_tenants(tenants, refused))
    read_subscriptions = list(_subscriptions(subscriptions, default_version, refused))
    return Customers(tuple(read_tenants), tuple(read_subscriptions), tuple(refused))


def _tenants(sources: Sequence[UnreadEntry], refused: list[ReportRow]) -> Iterator[Entry[Tenant]]:
    first: dict[str, str] = {}
    for source in sources:
        place = source.file.place(source.path)
        try:
            entry = source.read(TenantEntry)
            tenant = entry.tenant(entry.tenant_id)
        except (ValidationError, InvalidAccount) as error:
            refused.append(_refusal("tenant", _named(source, "tenant_id"), source, error))
            continue
        if tenant.tenant_id in first:
            reason = f"stands twice, first at {first[tenant.tenant_id]}"
            refused.append(ReportRow("tenant", tenant.tenant_id, place, RowResult.REFUSED, reason))
            continue
        first[tenant.tenant_id] = place
        yield Entry(place, tenant)


def _subscriptions(
    sources: Sequence[UnreadEntry], default_version: int | None, refused: list[ReportRow]
) -> Iterator[Entry[Segment]]:
    first: dict[tuple[str, date], str] = {}
    for source in sources:
        place, name = source.file.place(source.path), _named(source, "deployment_id")
        version = source.file.fields.get("catalogue_version") or default_version
        try:
            segment = source.read(SubscriptionEntry).subscription(version)
        except (ValidationError, InvalidAccount) as error:
            refused.append(_refusal("subscription", name, source, error))
            continue
        key = segment.deployment_id, segment.starts_on
        if key in first:
            reason = f"stands twice with this starts_on, first at {first[key]}"
            refused.append(ReportRow("subscription", name, place, RowResult.REFUSED, reason))
            continue
        first[key] = place
        yield Entry(place, segment)


def _named(source: UnreadEntry, field: str) -> str:
    value = source.fields.get(field) if isinstance(source.fields, Mapping) else None
    return value if isinstance(value, str) else "?"


def _refusal(kind: str, name: str, source: UnreadEntry, error: ValueError) -> ReportRow:
    if isinstance(error, ValidationError):
        # The place is that of the first fault; the reason lists all of them.
        place = source.file.place((*source.path, *error.errors()[0]["loc"]))
        return ReportRow(kind, name, place, RowResult.REFUSED, _faults(source, error))
    field = str(error).partition(": ")[0]
    steps = (int(step) if step.isdecimal() else step for step in field.split("."))
    place = source.file.place((*source.path, *steps))
    return ReportRow(kind, name, place, RowResult.REFUSED, str(error))


def _faults(source: UnreadEntry, error: ValidationError) -> str:
    paths = {".".join(map(str, fault["loc"])): fault["loc"] for fault in error.errors()}
    return "; ".join(
        f"{field}: {source.file.reason((*source.path, *paths.get(field, ())), text)}"
        for field, text in faults_by_field(error, "row").items()
    )
