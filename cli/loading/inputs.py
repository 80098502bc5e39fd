"""The files of `monthend load`, recognised by what they hold and read together."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.loading.catalogue_file import FIELDS, Catalogue, read_catalogue
from cli.loading.csv_file import csv_sources, is_usage
from cli.loading.customers_file import UnreadEntry, read_customers, yaml_sources
from cli.loading.load import Load
from cli.loading.yaml_lines import YamlFile, read_yaml
from cli.terminal.errors import BadInput

YAML, CSV = frozenset((".yaml", ".yml")), frozenset((".csv",))
USAGE_HINT = "holds usage: `monthend usage import` takes it"


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yields the named files, and the YAML and CSV files of named folders, but not their usage.

    Folders inside a folder are not searched. Raises BadInput for a folder without such files.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted(file for file in path.iterdir() if file.suffix in YAML | CSV)
        if not files:
            raise BadInput(f"{path}: holds neither YAML nor CSV files")
        yield from (file for file in files if file.suffix in YAML or not is_usage(file))


def read_load(paths: Iterable[Path]) -> Load:
    """Reads the files and folders; raises BadInput, or CatalogueRefused for bad prices."""
    yaml_files: list[YamlFile] = []
    tenants: list[UnreadEntry] = []
    subscriptions: list[UnreadEntry] = []
    for file in files_of(paths):
        if file.suffix in YAML:
            yaml_files.append(_with_our_fields(read_yaml(file)))
            unread = yaml_sources(yaml_files[-1])
        elif file.suffix in CSV:
            if is_usage(file):
                raise BadInput(f"{file}: {USAGE_HINT}")
            unread = csv_sources(file)
        else:
            raise BadInput(f"{file}: must be a folder, a .yaml or a .csv file")
        tenants += unread[0]
        subscriptions += unread[1]
    catalogue = read_catalogue(yaml_files)
    customers = read_customers(tenants, subscriptions, _only_version(catalogue))
    return Load(catalogue, customers)


def _with_our_fields(yaml_file: YamlFile) -> YamlFile:
    if FIELDS.isdisjoint(yaml_file.fields):
        raise BadInput(f"{yaml_file.file}: holds neither a catalogue nor customers")
    return yaml_file


def _only_version(catalogue: Catalogue) -> int | None:
    """The version of subscriptions that name none: the only one of the catalogue, or None."""
    versions = {price.version for price in catalogue.plans}
    versions |= {price.version for price in catalogue.addons}
    return versions.pop() if len(versions) == 1 else None
