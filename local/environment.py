"""Where things are, and what child processes may see: never a real AWS account."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
REGION = "ap-southeast-2"
LOOPBACK = "127.0.0.1"

# The emulator takes this key for the account's root caller, even when it enforces IAM policies.
ROOT_CALLER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# Deployed functions inherit the emulator's own environment, so it is given next to nothing: a
# variable that the template forgets must be missing here as it would be on AWS.
EMULATOR_INHERITS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")


class LocalError(Exception):
    """Something on this machine is missing or went wrong; one sentence that says what to do."""


def architecture() -> str:
    """This machine's architecture in Lambda's words: `arm64` or `x86_64`."""
    machine = platform.machine().lower()
    names = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
    if machine not in names:
        raise LocalError(f"Lambda runs on x86_64 and arm64, and this machine is {machine}.")
    return names[machine]


def tool(venv: str, name: str) -> Path:
    """An executable of one of the venvs that `make setup` makes; raises LocalError if missing."""
    path = ROOT / venv / "bin" / name
    if not path.exists():
        raise LocalError(f"{path.relative_to(ROOT)} is missing: run `make setup` first.")
    return path


def without_aws(environment: dict[str, str] | None = None) -> dict[str, str]:
    """The environment without profiles, keys and endpoints, and with places where none are."""
    inherited = os.environ if environment is None else environment
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def for_build() -> dict[str, str]:
    """The environment of `sam build`: the network as it is, no AWS at all."""
    return without_aws() | {
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        # sam wants a real python3.13 on PATH and builds with its pip; a pyenv shim will not do.
        "PATH": os.pathsep.join((str(ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath))),
    }


def for_tools(endpoint_url: str) -> dict[str, str]:
    """The environment of sam and of our own children: root of the emulator, of nothing else."""
    return (
        for_build()
        | ROOT_CALLER
        | {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_REGION": REGION,
            # sam waits this many seconds between two looks at a stack; the emulator is quick.
            "SAM_CLI_POLL_DELAY": "0.1",
            # All that is left to talk to is on this machine, where no proxy could reach.
            "NO_PROXY": "*",
            "no_proxy": "*",
        }
    )


def for_emulator(temporary: Path) -> dict[str, str]:
    """The environment of the emulator, and so of every function that it runs."""
    kept = {name: os.environ[name] for name in EMULATOR_INHERITS if name in os.environ}
    return without_aws(kept) | {
        "TMPDIR": str(temporary),
        # With a docker socket in sight it would clear up containers that it takes for its own.
        "DOCKER_HOST": f"unix://{temporary}/no-docker",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # The emulator's own level; the functions' logger would take it too if it had none.
        "LOG_LEVEL": "WARNING",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }
