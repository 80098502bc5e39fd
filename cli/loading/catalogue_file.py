"""A catalogue from YAML: every plan can price, or none of it is taken."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cli.loading.yaml_lines import FieldPath, FileFault, YamlFile
from invoicing.accounts.account import AddonPrice
from invoicing.accounts.catalogue_form import read_addon, read_plan
from quote_engine import InvalidRequest, Plan

FIELDS = frozenset(("version", "plans", "addons", "tenants", "catalogue_version"))
CATALOGUE = frozenset(("version", "plans", "addons"))
MOST_VERSIONS = 9999


@dataclass(frozen=True, slots=True)
class Price[P: (Plan, AddonPrice)]:
    """A plan or an add-on in one version of the catalogue, and where it stands."""

    place: str
    version: int
    item: P


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is sold: plans and add-ons, each in a version."""

    plans: tuple[Price[Plan], ...] = ()
    addons: tuple[Price[AddonPrice], ...] = ()


class CatalogueRefused(Exception):
    """The catalogue cannot price; carries every fault with its place."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        super().__init__("the catalogue cannot price")
        self.faults = tuple(faults)


def read_catalogue(documents: Iterable[YamlFile]) -> Catalogue:
    """All plans and add-ons of these files; raises CatalogueRefused with all faults of all."""
    faults: list[FileFault] = []
    plans: list[Price[Plan]] = []
    addons: list[Price[AddonPrice]] = []
    for document in documents:
        faults += _unknown(document)
        if CATALOGUE.isdisjoint(document.fields):
            continue
        version = _version(document, faults)
        plans += _items(document, "plans", read_plan, version, faults)
        addons += _items(document, "addons", read_addon, version, faults)
    faults += _twice("plan", plans)
    faults += _twice("add-on", addons)
    if faults:
        raise CatalogueRefused(faults)
    return Catalogue(tuple(plans), tuple(addons))


def _unknown(document: YamlFile) -> list[FileFault]:
    unknown = [name for name in document.fields if name not in FIELDS]
    return [document.fault((name,), f"{name}: unknown field") for name in unknown]


def _version(document: YamlFile, faults: list[FileFault]) -> int:
    version = document.fields.get("version")
    if type(version) is int and 1 <= version <= MOST_VERSIONS:
        return version
    text = f"version: must be a whole number from 1 to {MOST_VERSIONS}"
    faults.append(document.fault((), text))
    return 1


def _items[P: (Plan, AddonPrice)](
    document: YamlFile,
    name: str,
    parse: Callable[[object], P],
    version: int,
    faults: list[FileFault],
) -> list[Price[P]]:
    entries = document.fields.get(name) or []
    if not isinstance(entries, list):
        faults.append(document.fault((), f"{name}: must be a list"))
        return []
    found: list[Price[P]] = []
    for n, entry in enumerate(entries):
        path: FieldPath = (name, n)
        try:
            found.append(Price(document.place(path), version, parse(entry)))
        except InvalidRequest as error:
            faults += [document.fault(path, text) for text in error.faults]
    return found


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
