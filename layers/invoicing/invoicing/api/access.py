"""Callers and their rights. Tenancy comes from the verified `cognito:groups` claim alone.

API Gateway passes the claim on in three shapes, and the shape of the event says which:

- HTTP API: `[a b]`. Group names cannot contain white space, so this splits unambiguously.
- REST API, one group: `a`. Several: `a,b` on AWS, `[a b]` on the local emulator.

Group names *can* contain commas and brackets, so in a REST event one group with the name
`tenant:acme,platform_admin` looks exactly like two, and `[platform_admin]` like an admin. The
authorizer has verified the very token in the Authorization header, and its payload keeps the
groups apart. So the payload says where to split, and is believed only if its groups join to
exactly the verified claim. In doubt, the caller has no groups at all.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoicing.foundation.parsing import TENANT_ID

ADMIN_GROUP = "platform_admin"
METERING_GROUP = "metering"
TENANT_GROUP = re.compile(f"tenant:({TENANT_ID})")
CLAIM = "cognito:groups"
JWT_PARTS = 3


class TenantNotNamed(Exception):
    """A caller in several tenant groups did not say which tenant is meant."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in caller's rights: to everything, to some tenants' data, to record usage."""

    is_admin: bool
    tenant_ids: frozenset[str]
    is_meter: bool = False
    # The caller's id in the verified token: for what belongs to them alone, never for tenancy.
    subject: str = ""
    # The name that people know the caller by, for the audit trail.
    name: str = ""

    @property
    def may_read(self) -> bool:
        """Whether the caller may read any tenant's data at all."""
        return self.is_admin or bool(self.tenant_ids)

    @property
    def may_record_usage(self) -> bool:
        """Whether the caller may record usage, for any tenant."""
        return self.is_admin or self.is_meter

    def may_see(self, tenant_id: str) -> bool:
        """Whether the caller may see this tenant; if not, answer as if it did not exist."""
        return self.is_admin or tenant_id in self.tenant_ids

    def tenant_scope(self, requested: str | None) -> str | None:
        """Returns the one tenant whose invoices are listed; None means every tenant (admins only).

        A requested tenant outside the caller's groups is returned as it is: the code that calls
        this must check `may_see`, and answer as if that tenant had no invoices.
        Raises TenantNotNamed for a caller in several tenant groups who requests none.
        """
        if requested is not None or self.is_admin:
            return requested
        if len(self.tenant_ids) > 1:
            raise TenantNotNamed(", ".join(sorted(self.tenant_ids)))
        return next(iter(self.tenant_ids))


def _token_groups(event: Mapping[str, Any]) -> Sequence[str]:
    """Returns the groups in the bearer token that the authorizer verified; none if unreadable."""
    headers = event.get("headers") or {}
    values = [value for name, value in headers.items() if name.lower() == "authorization"]
    parts = values[0].removeprefix("Bearer ").split(".") if len(values) == 1 else []
    if len(parts) != JWT_PARTS:
        return ()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return ()
    groups = payload.get(CLAIM) if isinstance(payload, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return ()
    return groups


def _bracketed(groups: Sequence[str]) -> str:
    return f"[{' '.join(groups)}]"


def _rest_groups(claim: str, event: Mapping[str, Any]) -> Sequence[str]:
    if claim in (ADMIN_GROUP, METERING_GROUP) or TENANT_GROUP.fullmatch(claim):
        return (claim,)
    groups = _token_groups(event)
    return groups if claim in (",".join(groups), _bracketed(groups)) else ()


def _http_groups(claim: str) -> Sequence[str]:
    groups = claim[1:-1].split()
    return groups if claim == _bracketed(groups) else ()


def _authorizer(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return (event.get("requestContext") or {}).get("authorizer") or {}


def _claim(event: Mapping[str, Any], name: str) -> str:
    authorizer = _authorizer(event)
    value = ((authorizer.get("jwt") or authorizer).get("claims") or {}).get(name)
    return value if isinstance(value, str) else ""


def _groups(event: Mapping[str, Any]) -> Sequence[str]:
    authorizer = _authorizer(event)
    if "jwt" in authorizer:
        claim = (authorizer["jwt"].get("claims") or {}).get(CLAIM)
        return _http_groups(claim) if isinstance(claim, str) else ()
    claim = (authorizer.get("claims") or {}).get(CLAIM)
    return _rest_groups(claim, event) if isinstance(claim, str) else ()


def caller_of(event: Mapping[str, Any]) -> Caller:
    """Returns the rights of the caller of an API Gateway proxy event (REST or HTTP), if any."""
    groups = _groups(event)
    tenants = frozenset(match[1] for group in groups if (match := TENANT_GROUP.fullmatch(group)))
    subject = _claim(event, "sub")
    name = _claim(event, "cognito:username") or subject
    return Caller(ADMIN_GROUP in groups, tenants, METERING_GROUP in groups, subject, name)
