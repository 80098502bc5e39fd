"""The files of `monthend load`, told apart by what they hold and read together."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.loading.catalogue_file import FIELDS, Catalogue, read_catalogue
from cli.loading.customers_file import UnreadEntry, read_customers, yaml_sources
from cli.loading.load import Load
from cli.loading.tables_file import columns, csv_sources, is_usage
from cli.loading.yaml_lines import YamlFile, read_yaml
from cli.terminal.errors import BadInput

YAML, CSV = frozenset((".yaml", ".yml")), frozenset((".csv",))
USAGE_HINT = "holds usage: `monthend usage import` takes it"


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Every YAML and CSV file named, or directly in a folder named; usage in folders is left out.

    Raises BadInput for a path that is neither, and for a folder without such files.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.iterdir() if each.suffix in YAML | CSV)
        if not found:
            raise BadInput(f"{path}: holds neither YAML nor CSV files")
        yield from (each for each in found if each.suffix in YAML or not is_usage(columns(each)))


def read_load(paths: Iterable[Path]) -> Load:
    """What the files and folders hold; raises BadInput, or CatalogueRefused for bad prices."""
    documents: list[YamlFile] = []
    tenants: list[UnreadEntry] = []
    subscriptions: list[UnreadEntry] = []
    for file in files_of(paths):
        if file.suffix in YAML:
            documents.append(_with_our_fields(read_yaml(file)))
            found = yaml_sources(documents[-1])
        elif file.suffix in CSV:
            if is_usage(columns(file)):
                raise BadInput(f"{file}: {USAGE_HINT}")
            found = csv_sources(file)
        else:
            raise BadInput(f"{file}: must be a folder, a .yaml or a .csv file")
        tenants += found[0]
        subscriptions += found[1]
    catalogue = read_catalogue(documents)
    customers = read_customers(tenants, subscriptions, _only_version(catalogue))
    return Load(catalogue, customers)


def _with_our_fields(document: YamlFile) -> YamlFile:
    if FIELDS.isdisjoint(document.fields):
        raise BadInput(f"{document.file}: holds neither a catalogue nor customers")
    return document


def _only_version(catalogue: Catalogue) -> int | None:
    """The version that subscriptions mean when they name none."""
    versions = {price.version for price in catalogue.plans}
    versions |= {price.version for price in catalogue.addons}
    return versions.pop() if len(versions) == 1 else None
