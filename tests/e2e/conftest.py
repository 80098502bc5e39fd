"""The real template, built and deployed to a local AWS that enforces its IAM policies."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from invoicing.foundation import dynamodb
from invoicing.foundation.settings import Settings
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end.rollup import Rollup
from invoicing.pricing.tenant_month import Pricing
from local.environment import REGION, ROOT_CALLER
from local.stack import LocalStack
from tests.conftest import ENVIRONMENT

WAIT_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts tests that count all tenants of the stack first: other tests add tenants to it."""
    items.sort(key=lambda item: item.path.name != "test_month_end.py")


@dataclass
class Deployed:
    """A deployed and seeded stack, with the calls that many tests need."""

    local: LocalStack
    rollup: Rollup

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Invokes a deployed function and returns its answer; fails if the function failed."""
        answer = self.local.client("lambda").invoke(
            FunctionName=self.local.outputs["functions"][function], Payload=json.dumps(event)
        )
        payload: dict[str, Any] = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    def call(
        self,
        path: str,
        token: str | None = None,
        method: str = "GET",
        body: Any = None,
        **more: str,
    ) -> "Answer":
        """Sends a request to a path of the API, with a bearer token or none and `more` headers."""
        headers = more if token is None else more | {"Authorization": f"Bearer {token}"}
        url = self.local.outputs["api_url"] + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, dict(refused.headers), refused.read())

    def user_in(self, username: str, *groups: str) -> str:
        """Creates a user in exactly these groups; returns the user's token."""
        cognito, outputs = self.local.client("cognito-idp"), self.local.outputs
        pool, password = outputs["user_pool_id"], "A-long-password-1"
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=username,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
        )
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=username, Password=password, Permanent=True
        )
        for group in groups:
            if group not in self._groups(pool):
                cognito.create_group(UserPoolId=pool, GroupName=group)
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=group)
        answer = cognito.initiate_auth(
            ClientId=outputs["client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        token: str = answer["AuthenticationResult"]["IdToken"]
        return token

    def _groups(self, pool: str) -> set[str]:
        listed = self.local.client("cognito-idp").list_groups(UserPoolId=pool)["Groups"]
        return {group["GroupName"] for group in listed}

    def queued(self, queue: str) -> int:
        """Returns how many messages a queue holds, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.local.client("sqs").get_queue_attributes(
            QueueUrl=self.local.outputs["queues"][queue], AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def outcomes(self, run_id: str) -> list[dict[str, Any]]:
        """Returns the rollup function's log lines about the tenants of a run."""
        group = f"/aws/lambda/{self.local.outputs['functions']['rollup_tenant']}"
        pages = self.local.client("logs").get_paginator("filter_log_events")
        lines = [
            json.loads(entry["message"])
            for page in pages.paginate(logGroupName=group)
            for entry in page["events"]
            if entry["message"].startswith("{") and '"outcome"' in entry["message"]
        ]
        return [line for line in lines if line.get("run_id") == run_id]

    def raw_invoices(self) -> list[dict[str, Any]]:
        """Returns every item of the invoices table as DynamoDB holds it, in order of key."""
        pages = self.local.client("dynamodb").get_paginator("scan")
        table = self.local.outputs["tables"]["invoices"]
        items = [item for page in pages.paginate(TableName=table) for item in page["Items"]]
        return sorted(items, key=lambda item: (item["tenant_id"]["S"], item["period_start"]["S"]))


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Waits until a condition holds in the deployed stack; fails after a minute."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}"
        time.sleep(0.1)


def rollup_over(stack: LocalStack) -> Rollup:
    """Returns a rollup in this process over the deployed tables, for races between threads."""
    tables = stack.outputs["tables"]
    names = {f"{kind}_table".upper(): name for kind, name in tables.items()}
    settings = Settings.from_environment(ENVIRONMENT | names)
    return Rollup(Pricing.over(settings), InvoicesTable(settings.invoices_table), settings)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """One stack for the whole session, deployed with AUTH=true and seeded with April."""
    folder: Path = tmp_path_factory.mktemp("stack")
    with LocalStack(folder, auth=True) as stack, pytest.MonkeyPatch.context() as patch:
        stack.deploy()
        stack.seed()
        for name, value in ROOT_CALLER.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", stack.endpoint_url)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        dynamodb.connection.cache_clear()
        yield Deployed(stack, rollup_over(stack))
        dynamodb.connection.cache_clear()


@pytest.fixture(scope="session")
def invoiced(deployed: Deployed) -> Deployed:
    """The same stack after April's scheduled run."""
    fire(deployed, "the-first-run")
    return deployed


def fire(deployed: Deployed, run_id: str) -> list[dict[str, Any]]:
    """Fires the deployed rule's own target and waits for every tenant's outcome."""
    rule = deployed.local.outputs["month_end_rule"]
    [target] = deployed.local.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    assert target["Arn"].endswith(deployed.local.outputs["functions"]["start_month_end"])
    scheduled = {
        "version": "0",
        "id": run_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-05-01T03:00:00Z",
        "detail": {},
    }
    sent = deployed.invoke("start_month_end", scheduled)["sent"]
    wait_until(lambda: len(deployed.outcomes(run_id)) >= sent, "an outcome for every tenant")
    wait_until(lambda: deployed.queued("rollup") == 0, "an empty queue")
    return deployed.outcomes(run_id)


def as_role(deployed: Deployed, role: str, service: str) -> Any:
    """Returns a client of a service with the rights of a function's role alone."""
    answer = deployed.local.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="test"
    )["Credentials"]
    return boto3.session.Session(
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
        region_name=REGION,
    ).client(service, endpoint_url=deployed.local.endpoint_url, config=Config(proxies={}))
