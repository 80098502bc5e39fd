"""Reads a catalogue from YAML: either every plan can price, or none of it is loaded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

from cli.loading.yaml_lines import FieldPath, FileFault, YamlFile
from invoicing.accounts.account import AddonPrice
from invoicing.accounts.catalogue_form import read_addon, read_plan
from quote_engine import InvalidRequest, Plan

FIELDS = frozenset(("version", "plans", "addons", "tenants", "catalogue_version"))
CATALOGUE = frozenset(("version", "plans", "addons"))
MOST_VERSIONS = 9999


@dataclass(frozen=True, slots=True)
class Price[P: (Plan, AddonPrice)]:
    """A plan or an add-on in one version of the catalogue, and its place in a file."""

    place: str
    version: int
    item: P


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The plans and add-ons that are sold, each in a version."""

    plans: tuple[Price[Plan], ...] = ()
    addons: tuple[Price[AddonPrice], ...] = ()


class CatalogueRefused(Exception):
    """The catalogue cannot price; carries every fault with its place."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        super().__init__("the catalogue cannot price")
        self.faults = tuple(faults)


def read_catalogue(yaml_files: Iterable[YamlFile]) -> Catalogue:
    """Reads the plans and add-ons of all files; raises CatalogueRefused with all their faults."""
    faults: list[FileFault] = []
    plans: list[Price[Plan]] = []
    addons: list[Price[AddonPrice]] = []
    for yaml_file in yaml_files:
        faults += _unknown(yaml_file) + _default_version_faults(yaml_file)
        if CATALOGUE.isdisjoint(yaml_file.fields):
            continue
        version = _version(yaml_file, faults)
        plans += _items(yaml_file, "plans", read_plan, version, faults)
        addons += _items(yaml_file, "addons", read_addon, version, faults)
    faults += _twice("plan", plans)
    faults += _twice("add-on", addons)
    if faults:
        raise CatalogueRefused(faults)
    return Catalogue(tuple(plans), tuple(addons))


def _unknown(yaml_file: YamlFile) -> list[FileFault]:
    unknown = [name for name in yaml_file.fields if name not in FIELDS]
    return [yaml_file.fault((name,), f"{name}: unknown field") for name in unknown]


def _default_version_faults(yaml_file: YamlFile) -> list[FileFault]:
    version = yaml_file.fields.get("catalogue_version")
    if version is None or _is_version(version):
        return []
    return [_no_version(yaml_file, "catalogue_version")]


def _version(yaml_file: YamlFile, faults: list[FileFault]) -> int:
    version = yaml_file.fields.get("version")
    if _is_version(version):
        return version
    faults.append(_no_version(yaml_file, "version"))
    return 1


def _is_version(value: Any) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= MOST_VERSIONS


def _no_version(yaml_file: YamlFile, name: str) -> FileFault:
    return yaml_file.fault((), f"{name}: must be a whole number from 1 to {MOST_VERSIONS}")


def _items[P: (Plan, AddonPrice)](
    yaml_file: YamlFile,
    name: str,
    parse: Callable[[object], P],
    version: int,
    faults: list[FileFault],
) -> list[Price[P]]:
    entries = yaml_file.fields.get(name) or []
    if not isinstance(entries, list):
        faults.append(yaml_file.fault((), f"{name}: must be a list"))
        return []
    prices: list[Price[P]] = []
    for n, entry in enumerate(entries):
        path: FieldPath = (name, n)
        try:
            prices.append(Price(yaml_file.place(path), version, parse(entry)))
        except InvalidRequest as error:
            faults += [yaml_file.fault(path, text) for text in error.faults]
    return prices


def _twice[P: (Plan, AddonPrice)](kind: str, prices: Iterable[Price[P]]) -> list[FileFault]:
    first: dict[tuple[str, int], str] = {}
    faults = []
    for price in prices:
        key = price.item.code, price.version
        if key in first:
            reason = f"{kind} {price.item.code} version {price.version} stands twice"
            faults.append(FileFault(price.place, f"{reason}, first at {first[key]}"))
        first.setdefault(key, price.place)
    return faults
