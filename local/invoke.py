"""`sam local invoke` of one function, in a real Lambda container, against the running stack.

The stack listens on loopback, which a container cannot reach. Only while the function runs, a
relay listens on the docker bridge (an address of this machine that only its containers use) and
passes connections on. Docker Desktop reaches the host's loopback by itself.
"""

import ipaddress
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from local import processes
from local.build import build
from local.environment import LOOPBACK, ROOT, LocalError, architecture, tool
from local.relay import relay
from local.stack import LocalStack

DOCKER_SECONDS = 20
IPV4 = 4
HOST_IN_DOCKER_DESKTOP = "host.docker.internal"
RUNTIME_IMAGE = "public.ecr.aws/lambda/python:3.13"


def _docker(*arguments: str) -> str | None:
    """Returns the output of a docker command; None if it fails or there is no docker."""
    try:
        result = subprocess.run(
            ["docker", *arguments],
            capture_output=True,
            text=True,
            timeout=DOCKER_SECONDS,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def bridge_address(networks: str) -> str:
    """Returns the host's own address on the docker bridge, from `docker network inspect bridge`.

    Newer versions of docker name the gateway only if somebody chose it; otherwise it is the
    first address of the subnet. Raises LocalError without an IPv4 subnet.
    """
    for config in json.loads(networks)[0]["IPAM"]["Config"]:
        subnet = ipaddress.ip_network(config["Subnet"])
        if subnet.version == IPV4:
            return config.get("Gateway") or str(next(subnet.hosts()))
    raise LocalError("docker's bridge network has no IPv4 address.")


def _is_ours(host: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
        return True


@contextmanager
def reachable_from_containers(endpoint_url: str) -> Iterator[str]:
    """Yields the endpoint as a container sees it; it is reachable until the end of the block."""
    address = urlsplit(endpoint_url)
    if address.hostname != LOOPBACK:
        yield endpoint_url
        return
    networks = _docker("network", "inspect", "bridge")
    if networks is None:
        raise LocalError("docker is not running, and `sam local invoke` needs it.")
    host, port = bridge_address(networks), address.port or 0
    if not _is_ours(host):
        yield f"http://{HOST_IN_DOCKER_DESKTOP}:{port}"
        return
    with relay(host, port) as relay_port:
        yield f"http://{host}:{relay_port}"


def _variables(stack: LocalStack, function: str, endpoint_url: str) -> dict[str, str]:
    """Returns the deployed function's own variables, with the endpoint for a container."""
    configuration = stack.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["functions"][function]
    )
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return variables | {"AWS_ENDPOINT_URL": endpoint_url}


def invoke(stack: LocalStack, function: str, event: Path | None = None) -> None:
    """Runs `sam local invoke`: its command goes to standard error, the answer to standard output.

    Raises LocalError if the event is missing or the command fails.
    """
    event = event or Path("events") / f"{function}.json"
    if not event.exists():
        raise LocalError(f"there is no {event}.")
    build()
    with reachable_from_containers(stack.endpoint_url) as endpoint_url:
        variables_file = stack.directory / "sam-local.json"
        variables_file.write_text(
            json.dumps({"Parameters": _variables(stack, function, endpoint_url)}, indent=2)
        )
        logical_id = "".join(word.title() for word in function.split("_"))
        arguments = ["local", "invoke", logical_id, "--event", str(event)]
        arguments += ["--env-vars", os.path.relpath(variables_file, ROOT)]
        arguments += ["--parameter-overrides", f"Architecture={architecture()}"]
        arguments += [f"EndpointUrl={endpoint_url}"]
        if _docker("image", "inspect", f"{RUNTIME_IMAGE}-{architecture()}", "--format", "found"):
            arguments.append("--skip-pull-image")
        print("sam", *arguments, file=sys.stderr, flush=True)
        exit_code = processes.run_in_sight(
            [tool(".tools/sam", "sam"), *arguments], stack.environment
        )
    print()
    if exit_code != 0:
        raise LocalError(f"sam local invoke failed (exit {exit_code}).")
