"""A plan and a tenant as somebody would send them, for tests of forms and of routes."""

from typing import Any

PLAN: dict[str, Any] = {
    "name": "Kiln",
    "price": "30.00",
    "proration": "daily",
    "rates": [
        {
            "resource_kind": "kiln_hours",
            "unit": "hour",
            "model": "graduated",
            "tiers": [
                {"up_to": "10", "unit_price": "1"},
                {"up_to": None, "unit_price": "0.5"},
            ],
        }
    ],
}
WATTLE: dict[str, Any] = {
    "name": "Wattle Tools Pty Ltd",
    "account_number": "2001",
    "abn": "51 824 753 556",
    "address": {
        "lines": ["12 Foundry Lane"],
        "locality": "Fremantle",
        "state": "WA",
        "postcode": "6160",
        "country": "AU",
    },
    "billing_email": "accounts@wattle.example",
    "tax": "gst",
    "tax_reason": "Australian customer",
}
