"""The case that everything starts from: the pilot's April is $70.64, through the handlers."""

import json
from types import ModuleType

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack

PILOT_LINES = [
    ("plan_base", "Plan: Studio", 5000),
    ("addon", "Addon: storage_50gb", 750),
    ("overage", "Overage: droplet_hours (2160 used, 1488 included)", 672),
    ("tax", "GST 10%", 642),
]


def test_the_pilots_april_is_invoiced_at_70_64(stack: Stack, rollup: ModuleType) -> None:
    stack.add_tenant("pilot")
    assert rollup.handler(event("rollup_tenant"), LambdaContext()) == {"batchItemFailures": []}
    answer = load_handler("get_invoice").handler(event("get_invoice"), LambdaContext())
    invoice = json.loads(answer["body"])
    lines = [
        (line["kind"], line["description"], line["amount_cents"]) for line in invoice["lines"]
    ]
    assert lines == PILOT_LINES
    assert (invoice["subtotal_cents"], invoice["tax_cents"], invoice["total_cents"]) == (
        6422,
        642,
        7064,
    )
    assert invoice["status"] == "draft"
