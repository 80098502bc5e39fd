"""Invoices as they lie in the table, read without the code that wrote them."""

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
# What an invoice says; the rest may change with its state.
SAID = (
    *("tenant_id", "number", "period_end", "revision", "currency"),
    *("subtotal_cents", "tax_cents", "total_cents", "fingerprint"),
    *("attempt", "pages", "lines", "billed", "unpriced"),
)

type Amounts = Counter[tuple[str, str, str]]
"""Cents by period label, deployment and kind of resource."""


@dataclass(frozen=True, slots=True)
class RawInvoice:
    """An invoice with all of its lines."""

    tenant_id: str
    label: str
    item: Mapping[str, Any]
    lines: list[dict[str, Any]]

    @property
    def status(self) -> str:
        """Its state."""
        return str(self.item["status"])

    @property
    def revision(self) -> int:
        """Its revision, from 1."""
        return int(self.item["revision"])

    @property
    def attempt(self) -> str:
        """Which write made it."""
        return str(self.item["attempt"])

    def usage_cents(self) -> Amounts:
        """What it bills for usage, of its own month and of earlier ones."""
        found: Amounts = Counter()
        for line in self.lines:
            label = self.label
            if line["kind"] == "adjustment":
                named = ADJUSTMENT.match(line["description"])
                if named is None:
                    raise InvariantViolated("I9", f"whose adjustment? {line['description']}")
                label = named[1]
            elif line["kind"] != "overage":
                continue
            found[label, line["deployment_id"], line["resource_kind"]] += line["amount_cents"]
        return found

    def fixed_cents(self) -> Counter[tuple[str, str]]:
        """What it bills for plans and add-ons."""
        found: Counter[tuple[str, str]] = Counter()
        for line in self.lines:
            if line["kind"] not in ("overage", "adjustment", "tax"):
                found[line["deployment_id"], line["kind"]] += line["amount_cents"]
        return found


def refuse_inconsistent(name: str, header: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
    """I2 and I3, from amounts alone."""
    tax = sum(line["amount_cents"] for line in lines if line["kind"] == "tax")
    charges = sum(line["amount_cents"] for line in lines if line["kind"] != "tax")
    subtotal, total = header["subtotal_cents"], header["total_cents"]
    if charges != subtotal:
        raise InvariantViolated("I2", f"{name}: lines sum to {charges}, not {subtotal}")
    if tax != header["tax_cents"] or subtotal + tax != total:
        raise InvariantViolated("I3", f"{name}: {subtotal} + {tax} is not {total}")


def read_invoice(table: Table, item: Item) -> RawInvoice:
    """The whole invoice; raises I4 if one of its pages is not there, I2 and I3 for wrong sums."""
    name = f"{item['tenant_id']['S']} {item['period_start']['S']}"
    lines: list[dict[str, Any]] = json.loads(item["lines"]["S"])
    attempt = item["attempt"]["S"]
    further = table.partitions.get(f"{item['tenant_id']['S']}{PAGES}", {})
    pages = [further[key] for key in sorted(further) if attempt in key]
    if len(pages) != int(item["pages"]["N"]) - 1:
        raise InvariantViolated("I4", f"{name} has {len(pages)} of its further pages")
    for page in pages:
        lines += json.loads(page["lines"]["S"])
    said = {attribute: plain(value) for attribute, value in item.items()}
    refuse_inconsistent(name, said, lines)
    return RawInvoice(item["tenant_id"]["S"], item["period_start"]["S"][:7], said, lines)
