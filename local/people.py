"""Sign-ins of the local user pool: an administrator's, and one for each of some tenants."""

import secrets
from collections.abc import Iterable
from typing import Any

from local.outputs import Outputs, User

ADMIN = "admin"
ADMIN_GROUP = "platform_admin"


def _password() -> str:
    # The pool's policy wants 14 characters, among them both cases of letters and a digit.
    return f"{secrets.token_urlsafe(12)}-Aa1"


def _sign_up(cognito: Any, pool_id: str, username: str, group: str) -> User:
    user = User(username=username, password=_password())
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=username,
        TemporaryPassword=user["password"],
        MessageAction="SUPPRESS",
    )
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=username, Password=user["password"], Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=username, GroupName=group)
    return user


def create_people(cognito: Any, pool_id: str, tenant_ids: Iterable[str]) -> dict[str, User]:
    """Creates `admin` and one user per tenant, each in the one group that gives it its rights.

    The template creates the administrators' group; the tenants' groups are created here.
    """
    users = {ADMIN: _sign_up(cognito, pool_id, ADMIN, ADMIN_GROUP)}
    for tenant_id in tenant_ids:
        group = f"tenant:{tenant_id}"
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
        users[tenant_id] = _sign_up(cognito, pool_id, tenant_id, group)
    return users


def id_token(cognito: Any, outputs: Outputs, name: str) -> str:
    """Returns a fresh ID token of a user, for the `Authorization` header of the API."""
    user = outputs["users"][name]
    response = cognito.initiate_auth(
        ClientId=outputs["client_id"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )
    token: str = response["AuthenticationResult"]["IdToken"]
    return token
