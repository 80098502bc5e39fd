"""A local AWS with the real template deployed to it; any number can run side by side."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local import processes
from local.build import BUILT_TEMPLATE, build
from local.differences import allow_batches, restore_numbers
from local.emulator import DIRECT, Emulator
from local.environment import (
    LOOPBACK,
    REGION,
    ROOT_CALLER,
    STATE,
    LocalError,
    architecture,
    for_tools,
    tool,
)
from local.outputs import Outputs, outputs_of, read_outputs, write_outputs
from local.people import create_people, id_token
from local.sample_month import sample_month

STACK_NAME = "monthend"
HTTP_SECONDS = 30
LEAST_CONCURRENCY = 2  # the least that SQS event sources accept


class LocalStack:
    """The emulator of one folder, with the stack deployed to it.

    As a context manager, it starts on the way in and stops on the way out, whatever happens:

        with LocalStack(folder) as stack:
            stack.deploy()
            stack.seed()
            status, page = stack.get("/invoices", user="pilot")

    `auth=True` makes the emulator enforce the template's IAM policies as AWS would.
    """

    def __init__(
        self, directory: Path = STATE, *, auth: bool = True, bind: str = LOOPBACK
    ) -> None:
        self.directory = directory.resolve()
        self.bind = bind
        self._emulator = Emulator(self.directory, auth=auth, bind=bind)
        self._endpoint_url: str | None = None
        self._outputs: Outputs | None = None
        self._clients: dict[str, Any] = {}

    @property
    def outputs_file(self) -> Path:
        return self.directory / "outputs.json"

    @property
    def outputs(self) -> Outputs:
        """What is deployed. Raises LocalError before `deploy()` and after `stop()`."""
        if self._outputs is None:
            if self._emulator.running_pid() is None or not self.outputs_file.exists():
                raise LocalError("no local stack is running: start one with `make up`.")
            self._outputs = read_outputs(self.outputs_file)
        return self._outputs

    @property
    def endpoint_url(self) -> str:
        """The URL at which the emulator listens."""
        return self._endpoint_url or self.outputs["endpoint_url"]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a child process whose AWS is this stack."""
        return for_tools(self.endpoint_url)

    @property
    def running(self) -> bool:
        return self._emulator.running_pid() is not None

    def start(self) -> str:
        """Starts the emulator; returns its endpoint URL."""
        self.outputs_file.unlink(missing_ok=True)
        self._endpoint_url = self._emulator.start()
        return self._endpoint_url

    def stop(self) -> bool:
        """Stops the emulator and everything in it; returns False if none was running."""
        stopped = self._emulator.stop()
        self.outputs_file.unlink(missing_ok=True)
        self._endpoint_url = self._outputs = None
        self._clients.clear()
        return stopped

    def build(self) -> bool:
        """Builds what all stacks of this checkout share; returns False if nothing had changed."""
        return build()

    def deploy(self, **parameters: str) -> Outputs:
        """Builds if the sources have changed, then deploys with `sam deploy`.

        `parameters` override the template's own, for example `IssueImmediately="true"`.
        """
        self.build()
        command: list[str | Path] = [
            tool(".tools/sam", "sam"),
            *self._deploy_arguments(parameters),
        ]
        processes.run(command, self.environment, self.directory / "sam-deploy.log", "sam deploy")
        self._mend_differences()
        self._outputs = outputs_of(self.endpoint_url, STACK_NAME, self._stack_outputs())
        write_outputs(self._outputs, self.outputs_file)
        return self._outputs

    def _deploy_arguments(self, parameters: Mapping[str, str]) -> list[str]:
        overrides = {
            "Architecture": architecture(),
            "EndpointUrl": self.endpoint_url,
            # Each batch of tenants gets a process here; more processes than processors only queue.
            "RollupConcurrency": str(max(LEAST_CONCURRENCY, os.cpu_count() or 1)),
        } | dict(parameters)
        arguments = ["deploy", "--template-file", str(BUILT_TEMPLATE), "--resolve-s3"]
        arguments += ["--stack-name", STACK_NAME, "--region", REGION]
        arguments += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        arguments += ["--no-confirm-changeset", "--no-fail-on-empty-changeset"]
        return [
            *arguments,
            "--parameter-overrides",
            *(f"{key}={overrides[key]}" for key in overrides),
        ]

    def _mend_differences(self) -> None:
        restore_numbers(self.client("lambda"))
        iam = self.client("iam")
        for role in self.physical_ids("AWS::IAM::Role"):
            allow_batches(iam, role)

    def physical_ids(self, resource_type: str) -> list[str]:
        """Returns the physical ids of deployed resources of a type such as `AWS::IAM::Role`."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return [
            resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=STACK_NAME)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == resource_type
        ]

    def _stack_outputs(self) -> dict[str, str]:
        description = self.client("cloudformation").describe_stacks(StackName=STACK_NAME)
        outputs = description["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def seed(self) -> Outputs:
        """Fills the tables with the sample month and creates the people who may sign in."""
        outputs = self.outputs
        processes.run(
            [sys.executable, "-m", "local.seed", STACK_NAME],
            self.environment,
            self.directory / "seed.log",
            "seeding the sample month",
        )
        cognito = self.client("cognito-idp")
        outputs["users"] = create_people(cognito, outputs["user_pool_id"], sample_month().logins)
        write_outputs(outputs, self.outputs_file)
        return outputs

    def client(self, service: str) -> Any:
        """Returns a boto3 client of this stack, whatever profile or proxy the environment has."""
        if service not in self._clients:
            self._clients[service] = boto3.session.Session(
                aws_access_key_id=ROOT_CALLER["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=ROOT_CALLER["AWS_SECRET_ACCESS_KEY"],
                region_name=REGION,
            ).client(service, endpoint_url=self.endpoint_url, config=Config(proxies={}))
        return self._clients[service]

    def token(self, user: str) -> str:
        """Returns a fresh ID token of `admin` or of a tenant with a login."""
        return id_token(self.client("cognito-idp"), self.outputs, user)

    def get(self, path: str, *, user: str | None = None, **query: str) -> tuple[int, Any]:
        """Sends a GET below the API's base path; returns the status and the parsed JSON body."""
        url = f"{self.outputs['api_url']}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url)
        if user is not None:
            request.add_header("Authorization", self.token(user))
        try:
            with DIRECT.open(request, timeout=HTTP_SECONDS) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
