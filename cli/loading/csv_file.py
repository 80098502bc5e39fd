"""Tenants and subscriptions from CSV; the columns of a file's first line say which it holds."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cli.loading.customers_file import UnreadEntry
from cli.loading.plain_yaml import whole_number
from cli.loading.yaml_lines import FieldPath, YamlFile
from cli.terminal.addon_days import split_days
from cli.terminal.csv_text import CsvForm, file_rows, fitted, form_of, header

TENANTS = CsvForm(
    ("tenant_id", "name", "account_number", "tax"), ("tax_reason", "abn", "billing_email")
)
SUBSCRIPTIONS = CsvForm(
    ("tenant_id", "deployment_id", "plan", "starts_on"),
    ("ends_on", "addons", "discounts", "minimum_commitment", "catalogue_version"),
)
USAGE_COLUMN = "resource_kind"


def is_usage(file: Path) -> bool:
    """Whether the columns are those of usage, which `monthend usage import` takes.

    Reads the first line alone. Raises BadInput if that is not a header.
    """
    with closing(file_rows(file)) as rows:
        return USAGE_COLUMN in header(rows, str(file)).fields


def csv_sources(file: Path) -> tuple[list[UnreadEntry], list[UnreadEntry]]:
    """Lists the tenants or subscriptions of a CSV file; raises BadInput for any other columns."""
    rows = file_rows(file)
    named = header(rows, str(file))
    form = form_of(named, (TENANTS, SUBSCRIPTIONS), str(file))
    lines: dict[FieldPath, int] = {}
    csv_file = YamlFile(file, {}, lines)
    entries = []
    for n, (line, fields) in enumerate(rows):
        path: FieldPath = ("rows", n)
        lines[path] = line
        entries.append(_entry(csv_file, path, named.fields, fitted(fields, len(named.fields))))
    return (entries, []) if form is TENANTS else ([], entries)


def _entry(
    csv_file: YamlFile, path: FieldPath, names: Sequence[str], texts: Sequence[str]
) -> UnreadEntry:
    if len(texts) != len(names):
        return UnreadEntry(csv_file, path, {}, f"{len(texts)} fields instead of {len(names)}")
    return UnreadEntry(csv_file, path, _fields(zip(names, texts, strict=True)))


def _fields(row: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The row's fields without the empty ones. What cannot be read is left to the validation."""
    fields: dict[str, Any] = {name: text for name, text in row if text != ""}
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
