"""The accounts API through its handlers; each answer is checked against the OpenAPI document."""

import json
from dataclasses import dataclass
from typing import Any

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.openapi import assert_promised

ADMIN = "platform_admin"
SUBSCRIPTIONS = "/tenants/{tenant_id}/subscriptions"
DEPLOYMENT = f"{SUBSCRIPTIONS}/{{deployment_id}}"
FUNCTIONS = {
    ("PUT", "/plans/{code}"): "put_catalogue",
    ("PUT", "/addons/{code}"): "put_catalogue",
    ("GET", "/plans"): "get_catalogue",
    ("GET", "/plans/{code}"): "get_catalogue",
    ("GET", "/addons"): "get_catalogue",
    ("GET", "/addons/{code}"): "get_catalogue",
    ("PUT", "/tenants/{tenant_id}"): "put_tenant",
    ("GET", "/tenants"): "get_tenant",
    ("GET", "/tenants/{tenant_id}"): "get_tenant",
    ("PUT", DEPLOYMENT): "put_subscription",
    ("POST", f"{DEPLOYMENT}/changes"): "put_subscription",
    ("POST", f"{DEPLOYMENT}/end"): "put_subscription",
    ("GET", SUBSCRIPTIONS): "get_subscription",
    ("GET", DEPLOYMENT): "get_subscription",
}


@dataclass(frozen=True)
class Answer:
    """An answer with its body parsed."""

    status: int
    etag: str | None
    body: Any

    @property
    def fields(self) -> list[str]:
        """The faulty fields of a refusal."""
        return [error["field"] for error in self.body["errors"]]


@dataclass(frozen=True)
class Caller:
    """A caller in these groups (as API Gateway writes them), or in none."""

    groups: str | None = ADMIN

    def send(
        self,
        method: str,
        resource: str,
        names: dict[str, str] | None = None,
        body: Any = None,
        query: dict[str, str] | None = None,
        **headers: Any,
    ) -> Answer:
        """Sends a request; `If_Match=...` is a header, and a text body is sent as it is."""
        function = FUNCTIONS[method, resource]
        request = event(function)
        claims = request["requestContext"]["authorizer"]["claims"]
        claims.pop("cognito:groups", None)
        if self.groups:
            claims["cognito:groups"] = self.groups
        sent_headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
        request |= {
            "resource": f"/api/v1{resource}",
            "httpMethod": method,
            "pathParameters": names,
            "headers": sent_headers,
            "multiValueHeaders": {name: [value] for name, value in sent_headers.items()},
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {k: [v] for k, v in (query or {}).items()} or None,
            "body": body if isinstance(body, str) else json.dumps(body),
        }
        answer = load_handler(function).handler(request, LambdaContext())
        answer_body, kind = json.loads(answer["body"]), answer["headers"]["Content-Type"]
        assert_promised(resource, answer["statusCode"], kind, answer_body, method=method.lower())
        return Answer(answer["statusCode"], answer["headers"].get("ETag"), answer_body)

    def put_price(
        self, kind: str, code: str, body: Any, if_match: str | None = None, **headers: Any
    ) -> Answer:
        """PUT /plans/{code} or /addons/{code}."""
        resource = f"/{kind}/{{code}}"
        return self.send("PUT", resource, {"code": code}, body, If_Match=if_match, **headers)

    def get_price(self, kind: str, code: str, **query: str) -> Answer:
        """GET /plans/{code} or /addons/{code}."""
        return self.send("GET", f"/{kind}/{{code}}", {"code": code}, query=query)

    def put_tenant(
        self, tenant_id: str, body: Any, if_match: str | None = None, **headers: Any
    ) -> Answer:
        """PUT /tenants/{tenant_id}."""
        names = {"tenant_id": tenant_id}
        return self.send("PUT", "/tenants/{tenant_id}", names, body, If_Match=if_match, **headers)

    def get_tenant(self, tenant_id: str) -> Answer:
        """GET /tenants/{tenant_id}."""
        return self.send("GET", "/tenants/{tenant_id}", {"tenant_id": tenant_id})

    def put_segments(
        self, tenant_id: str, deployment_id: str, *segments: Any, if_match: str | None = None
    ) -> Answer:
        """PUT of a deployment with all of its segments."""
        names = {"tenant_id": tenant_id, "deployment_id": deployment_id}
        return self.send("PUT", DEPLOYMENT, names, {"segments": segments}, If_Match=if_match)

    def change(
        self, tenant_id: str, deployment_id: str, if_match: str | None = None, **terms: Any
    ) -> Answer:
        """POST .../changes; `from_` is the day."""
        names = {"tenant_id": tenant_id, "deployment_id": deployment_id}
        body = {name.removesuffix("_"): value for name, value in terms.items()}
        return self.send("POST", f"{DEPLOYMENT}/changes", names, body, If_Match=if_match)

    def end(
        self, tenant_id: str, deployment_id: str, day: str, if_match: str | None = None
    ) -> Answer:
        """POST .../end."""
        names = {"tenant_id": tenant_id, "deployment_id": deployment_id}
        body = {"ends_on": day}
        return self.send("POST", f"{DEPLOYMENT}/end", names, body, If_Match=if_match)

    def get_segments(self, tenant_id: str, deployment_id: str) -> Answer:
        """GET of a deployment."""
        names = {"tenant_id": tenant_id, "deployment_id": deployment_id}
        return self.send("GET", DEPLOYMENT, names)

    def list(self, resource: str, names: dict[str, str] | None = None, **query: str) -> Answer:
        """GET of a list."""
        return self.send("GET", resource, names, query=query)
