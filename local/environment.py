"""Paths of the project, and environments for child processes: never with a real AWS account."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
REGION = "ap-southeast-2"
LOOPBACK = "127.0.0.1"

# The emulator treats this key as the account's root caller, even when it enforces IAM policies.
ROOT_CALLER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# Deployed functions inherit the emulator's own environment, so the emulator gets next to nothing:
# a variable that the template forgets must be missing here, as it would be on AWS.
EMULATOR_INHERITS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")


class LocalError(Exception):
    """Something on this machine is missing or went wrong; its one sentence says what to do."""


def architecture() -> str:
    """Returns this machine's architecture in Lambda's words: `arm64` or `x86_64`.

    Raises LocalError for any other machine.
    """
    machine = platform.machine().lower()
    names = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
    if machine not in names:
        raise LocalError(f"Lambda runs on x86_64 and arm64, and this machine is {machine}.")
    return names[machine]


def tool(venv: str, name: str) -> Path:
    """Returns an executable of a venv that `make setup` makes; raises LocalError if missing."""
    path = ROOT / venv / "bin" / name
    if not path.exists():
        raise LocalError(f"{path.relative_to(ROOT)} is missing: run `make setup` first.")
    return path


def without_aws(environment: dict[str, str] | None = None) -> dict[str, str]:
    """Returns the environment without AWS profiles, keys and endpoints, or a place to find any."""
    inherited = os.environ if environment is None else environment
    variables = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    return variables | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def for_build() -> dict[str, str]:
    """Returns the environment of `sam build`: the network as it is, no AWS at all."""
    return without_aws() | {
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        # sam wants a real python3.13 on PATH and builds with its pip; a pyenv shim will not do.
        "PATH": os.pathsep.join((str(ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath))),
    }


def for_tools(endpoint_url: str) -> dict[str, str]:
    """Returns the environment of sam and our own children: root of the emulator, nothing else."""
    return (
        for_build()
        | ROOT_CALLER
        | {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_REGION": REGION,
            # sam polls the stack at this interval, in seconds; the emulator is quick.
            "SAM_CLI_POLL_DELAY": "0.1",
            # Everything that is left to talk to is on this machine, out of any proxy's reach.
            "NO_PROXY": "*",
            "no_proxy": "*",
        }
    )


def for_emulator(temporary: Path) -> dict[str, str]:
    """Returns the environment of the emulator, and so of every function that it runs."""
    inherited = {name: os.environ[name] for name in EMULATOR_INHERITS if name in os.environ}
    return without_aws(inherited) | {
        "TMPDIR": str(temporary),
        # If it saw a docker socket, it would remove containers that it takes for its own.
        "DOCKER_HOST": f"unix://{temporary}/no-docker",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # The emulator's own level; the functions' logger would use it too if it had none.
        "LOG_LEVEL": "WARNING",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }
