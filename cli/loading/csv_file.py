"""Tenants and subscriptions from CSV; the columns of a file's first line say which it holds."""

import csv
import io
from pathlib import Path
from typing import Any

from cli.loading.customers_file import UnreadEntry
from cli.loading.plain_yaml import whole_number
from cli.loading.yaml_lines import FieldPath, YamlFile
from cli.terminal.addon_days import split_days
from cli.terminal.errors import BadInput
from cli.terminal.text_file import read_text

TENANT_COLUMNS = frozenset(("tenant_id", "name", "account_number", "tax"))
SUBSCRIPTION_COLUMNS = frozenset(("tenant_id", "deployment_id", "plan", "starts_on"))
OPTIONAL = {
    TENANT_COLUMNS: frozenset(("tax_reason", "abn", "billing_email")),
    SUBSCRIPTION_COLUMNS: frozenset(
        ("ends_on", "addons", "discounts", "minimum_commitment", "catalogue_version")
    ),
}
USAGE_COLUMNS = frozenset(("resource_kind",))


def columns(file: Path) -> frozenset[str]:
    """The columns that the first line names; raises BadInput if one is named twice."""
    names = next(csv.reader(io.StringIO(read_text(file))), [])
    if len(set(names)) != len(names):
        raise BadInput(f"{file}:1: a column is named twice")
    return frozenset(names)


def is_usage(names: frozenset[str]) -> bool:
    """Whether the columns are those of usage, which `monthend usage import` takes."""
    return names >= USAGE_COLUMNS


def csv_sources(file: Path) -> tuple[list[UnreadEntry], list[UnreadEntry]]:
    """Lists the tenants or subscriptions of a CSV file; raises BadInput for any other columns."""
    names = columns(file)
    for needed, optional in OPTIONAL.items():
        if needed <= names <= needed | optional:
            sources = _sources(file, frozenset(names))
            return (sources, []) if needed is TENANT_COLUMNS else ([], sources)
    wanted = "; or ".join(", ".join(sorted(needed)) for needed in OPTIONAL)
    raise BadInput(f"{file}:1: the columns must be {wanted} (see docs/cli.md)")


def _sources(file: Path, names: frozenset[str]) -> list[UnreadEntry]:
    reader = csv.DictReader(io.StringIO(read_text(file)), strict=True)
    sources, lines = [], {}
    try:
        for n, row in enumerate(reader):
            path: FieldPath = ("rows", n)
            lines[path] = reader.line_num
            sources.append((path, _fields(row)))
    except csv.Error as error:
        raise BadInput(f"{file}:{reader.line_num}: not CSV: {error}") from error
    csv_file = YamlFile(file, {}, lines)
    return [UnreadEntry(csv_file, path, fields) for path, fields in sources]


def _fields(row: dict[str | Any, Any]) -> dict[str, Any]:
    """The row's fields without the empty ones. What cannot be read is left to the validation."""
    if None in row or None in row.values():
        return {"row": "has more or fewer fields than the first line"}
    fields: dict[str, Any] = {name: text for name, text in row.items() if text != ""}
    if "addons" in fields:
        fields["addons"] = _addons(fields["addons"])
    if "discounts" in fields:
        fields["discounts"] = [_discount(word) for word in fields["discounts"].split()]
    if "catalogue_version" in fields:
        fields["catalogue_version"] = _whole(fields["catalogue_version"])
    return fields


def _discount(word: str) -> dict[str, str]:
    """Reads a discount such as `10%` or `5.00`."""
    percent = word.removesuffix("%")
    return {"amount": word} if percent == word else {"percent": percent}


def _addons(text: str) -> Any:
    """Reads `storage_50gb:1 backup_daily:2@2026-04-16..`; leaves any other text as it is."""
    addons = []
    for word in text.split():
        terms, days = split_days(word) or ("", {})
        code, _, quantity = terms.rpartition(":")
        number = whole_number(quantity)
        if not code or number is None:
            return text
        addons.append({"code": code, "quantity": number} | days)
    return addons


def _whole(text: str) -> int | str:
    """The number, written as in YAML; any other text is left to the validation."""
    number = whole_number(text)
    return text if number is None else number
