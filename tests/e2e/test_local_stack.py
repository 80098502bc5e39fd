"""The local stack as a person uses it: stopped at any moment, it leaves nothing running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.environment import ROOT, LocalError
from local.processes import group_exists
from local.stack import LocalStack

PROC = Path("/proc")
WAIT_SECONDS = 60


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _touched_by(folder: Path) -> list[str]:
    """Returns the command lines of the processes whose environment names the folder."""
    commands = []
    for environ in PROC.glob("[0-9]*/environ"):
        try:
            if os.fsencode(folder) in environ.read_bytes():
                commands.append(environ.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return commands


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "as it begins": lambda folder: folder.exists(),
    "while the emulator starts": lambda folder: (folder / "ministack.log").exists(),
    "while it deploys": lambda folder: (folder / "sam-deploy.log").exists(),
    "while it seeds": lambda folder: (folder / "seed.log").exists(),
}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_told_to_stop(tmp_path: Path, moment: str, signum: signal.Signals) -> None:
    folder = tmp_path / "stack"
    command = [sys.executable, "-m", "local", "--directory", str(folder), "up"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        _wait_for(lambda: MOMENTS[moment](folder))
        child.send_signal(signum)
        _, errors = child.communicate(timeout=WAIT_SECONDS)
    assert (child.returncode, errors.strip()) == (128 + signum, "Stopped, as asked.")
    assert Emulator(folder, auth=True).running_pid() is None
    assert _touched_by(folder) == []
    assert not (folder / "outputs.json").exists()


def test_a_currency_without_cents_is_refused_before_anything_is_created(tmp_path: Path) -> None:
    siblings = ("KWD", "DEM")  # three decimals; none any more
    with LocalStack(tmp_path) as stack:
        for currency in ("JPY", *siblings):
            with pytest.raises(LocalError, match=rf"Parameter 'Currency' value '{currency}'"):
                stack.deploy(Currency=currency)
        assert stack.client("dynamodb").list_tables()["TableNames"] == []


def test_two_side_by_side(tmp_path: Path) -> None:
    with LocalStack(tmp_path / "one") as first, LocalStack(tmp_path / "two") as second:
        assert first.endpoint_url != second.endpoint_url
        first.client("sqs").create_queue(QueueName="only-in-one")
        assert not second.client("sqs").list_queues().get("QueueUrls")
        second.stop()
        assert first.client("sqs").list_queues()["QueueUrls"]


def test_stop_knows_a_stack_that_another_process_started(tmp_path: Path) -> None:
    started = LocalStack(tmp_path)
    started.start()
    pid = Emulator(tmp_path, auth=True).running_pid()
    assert pid is not None
    assert LocalStack(tmp_path).stop()
    assert not group_exists(pid)
    assert not started.stop()
