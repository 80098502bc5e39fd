"""JSON views of accounts. A tenant or deployment that is sent back as answered stays the same."""

from collections.abc import Callable
from typing import Any

from invoicing.accounts.account import AddonPrice, Segment, Tenant
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.deployments import Deployment
from invoicing.foundation.versioned_records import Stored
from quote_engine import Plan, discount_json, plan_json

type Json = dict[str, Any]
type Show[P] = Callable[[Stored[P]], Json]


def plan_version_json(stored: Stored[Plan]) -> Json:
    """Returns a plan in the format of the catalogue, with its version."""
    return plan_json(stored.record) | {"version": stored.version}


def plan_summary_json(stored: Stored[Plan]) -> Json:
    """Returns a plan as it is listed: without its rates, which may be long."""
    summary = plan_version_json(stored)
    del summary["rates"]
    return summary


def addon_version_json(stored: Stored[AddonPrice]) -> Json:
    """Returns an add-on with its version."""
    addon = stored.record
    price = format(addon.price, "f")
    return {"code": addon.code, "name": addon.name, "price": price, "version": stored.version}


def tenant_json(tenant: Tenant) -> Json:
    """Returns a tenant; what it does not have is null."""
    address = tenant.address
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "account_number": tenant.account_number,
        "tax": tenant.tax,
        "tax_reason": tenant.tax_reason,
        "abn": tenant.abn,
        "address": None
        if address is None
        else {
            "lines": list(address.lines),
            "locality": address.locality,
            "state": address.state,
            "postcode": address.postcode,
            "country": address.country,
        },
        "billing_email": tenant.billing_email,
    }


def deployment_json(deployment: Deployment) -> Json:
    """Returns a deployment with its segments."""
    return {
        "tenant_id": deployment.tenant_id,
        "deployment_id": deployment.deployment_id,
        "segments": [segment_json(segment) for segment in deployment.segments],
    }


def segment_json(segment: Segment) -> Json:
    """Returns a segment's days and terms; amounts of money are decimal strings."""
    ends_on, commitment = segment.ends_on, segment.minimum_commitment
    return {
        "starts_on": segment.starts_on.isoformat(),
        "ends_on": ends_on.isoformat() if ends_on else None,
        "plan": segment.plan_code,
        "plan_version": segment.plan_version,
        "addons": [_addon_choice_json(choice) for choice in segment.addons],
        "discounts": [discount_json(discount) for discount in segment.discounts],
        "minimum_commitment": None if commitment is None else format(commitment, "f"),
    }


def _addon_choice_json(choice: AddonChoice) -> Json:
    starts_on, ends_on = choice.starts_on, choice.ends_on
    return {
        "code": choice.code,
        "version": choice.version,
        "quantity": choice.quantity,
        "starts_on": starts_on.isoformat() if starts_on else None,
        "ends_on": ends_on.isoformat() if ends_on else None,
    }


def listed_segment_json(segment: Segment) -> Json:
    """Returns a segment for a list across deployments, with its deployment's id."""
    return {"deployment_id": segment.deployment_id} | segment_json(segment)
