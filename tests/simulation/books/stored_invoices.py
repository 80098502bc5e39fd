"""Invoices as they are stored, read without the code that wrote them."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.aws.expressions import Item, plain
from tests.simulation.aws.tables import Table
from tests.simulation.stage.report import InvariantViolated

CURRENT = re.compile(r"\d{4}-\d\d-\d\d")
REPLACED = re.compile(r"(\d{4}-\d\d-\d\d)#r(\d+)")
ADJUSTMENT = re.compile(r"Adjustment for (\d{4}-\d\d): ")
PAGES = "#pages"
CLOSED = ("issued", "paid")
# The attributes that never change; the others may change with the state.
SAID = (
    *("tenant_id", "number", "period_end", "revision", "currency"),
    *("subtotal_cents", "tax_cents", "total_cents", "fingerprint"),
    *("tax", "attempt", "letters_used", "pages", "lines", "billed", "unpriced"),
)

type Amounts = Counter[tuple[str, str, str]]
"""Cents by label of the month, deployment and kind of resource."""


@dataclass(frozen=True, slots=True)
class RawInvoice:
    """An invoice with all of its lines."""

    tenant_id: str
    label: str
    item: Mapping[str, Any]
    lines: list[dict[str, Any]]
    # What it keeps of the usage that it bills, and names of usage that it bills nothing for.
    billed: list[dict[str, Any]]
    unpriced: list[dict[str, Any]]

    @property
    def status(self) -> str:
        """The state, such as `draft`."""
        return str(self.item["status"])

    @property
    def revision(self) -> int:
        """The number of the revision, from 1."""
        return int(self.item["revision"])

    @property
    def attempt(self) -> str:
        """The id of the attempt that wrote it."""
        return str(self.item["attempt"])

    @property
    def tax(self) -> str:
        """The tax treatment of its month, such as `gst`."""
        return str(self.item["tax"])

    def month_of(self, line: Mapping[str, Any]) -> str:
        """Returns the label of the month that a line bills: its own, or an earlier one."""
        if line["kind"] != "adjustment":
            return self.label
        match = ADJUSTMENT.match(line["description"])
        if match is None:
            raise InvariantViolated("I9", f"whose adjustment? {line['description']}")
        return match[1]

    def adjusts(self) -> set[str]:
        """Returns the labels of the earlier months whose late usage it bills."""
        return {entry["period"] for entry in self.billed if "period" in entry}

    def usage_cents(self) -> Amounts:
        """Returns the cents billed for usage of its own month and of earlier ones."""
        cents: Amounts = Counter()
        for line in self.lines:
            if line["kind"] in ("adjustment", "overage"):
                key = self.month_of(line), line["deployment_id"], line["resource_kind"]
                cents[key] += line["amount_cents"]
        return cents

    def cents_by_treatment(self, treatments: Mapping[str, str]) -> Counter[str]:
        """Returns the sums of the lines by treatment, as these months have them."""
        cents: Counter[str] = Counter()
        for line in self.lines:
            if line["kind"] != "tax":
                cents[treatments[self.month_of(line)]] += line["amount_cents"]
        return cents

    def tax_line(self) -> tuple[int, str]:
        """Returns the cents and the text of the tax line, the last one of all."""
        line = self.lines[-1]
        return line["amount_cents"], line["description"]

    def fixed_cents(self) -> Counter[tuple[str, str]]:
        """Returns the cents billed for plans and add-ons, by deployment and kind of line."""
        cents: Counter[tuple[str, str]] = Counter()
        for line in self.lines:
            if line["kind"] not in ("overage", "adjustment", "tax"):
                cents[line["deployment_id"], line["kind"]] += line["amount_cents"]
        return cents


def refuse_inconsistent(name: str, header: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
    """Raises I2 or I3 if the amounts do not add up."""
    tax = sum(line["amount_cents"] for line in lines if line["kind"] == "tax")
    charges = sum(line["amount_cents"] for line in lines if line["kind"] != "tax")
    subtotal, total = header["subtotal_cents"], header["total_cents"]
    if charges != subtotal:
        raise InvariantViolated("I2", f"{name}: lines sum to {charges}, not {subtotal}")
    if tax != header["tax_cents"] or subtotal + tax != total:
        raise InvariantViolated("I3", f"{name}: {subtotal} + {tax} is not {total}")


def read_invoice(table: Table, item: Item) -> RawInvoice:
    """Reads a whole invoice. Raises I4 if a page of it is missing, I2 or I3 for wrong sums."""
    name = f"{item['tenant_id']['S']} {item['period_start']['S']}"
    attempt = item["attempt"]["S"]
    page_items = table.partitions.get(f"{item['tenant_id']['S']}{PAGES}", {})
    pages = [page_items[key] for key in sorted(page_items) if attempt in key]
    if len(pages) != int(item["pages"]["N"]) - 1:
        raise InvariantViolated("I4", f"{name} has {len(pages)} of its further pages")
    lines, record, unpriced = (
        [entry for page in (item, *pages) if part in page for entry in json.loads(page[part]["S"])]
        for part in ("lines", "billed", "unpriced")
    )
    header = {attribute: plain(value) for attribute, value in item.items()}
    refuse_inconsistent(name, header, lines)
    label = item["period_start"]["S"][:7]
    return RawInvoice(item["tenant_id"]["S"], label, header, lines, record, unpriced)
