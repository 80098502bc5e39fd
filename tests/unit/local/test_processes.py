"""Stopping a process stops its children, even those that ignore SIGTERM."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local import processes
from local.environment import LocalError

# A parent that ignores SIGTERM, with a child that does so too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, sys.argv[0], "child"])
else:
    print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def stubborn(tmp_path: Path) -> Path:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    return script


def test_a_group_that_ignores_sigterm_is_gone_all_the_same(
    stubborn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    with subprocess.Popen(
        [sys.executable, stubborn], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        processes.stop_group(child.pid, child)
    assert not processes.group_exists(child.pid)
    assert child.returncode == -signal.SIGKILL


def test_a_child_is_stopped_when_its_block_is_left_by_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        processes.started(["sleep", "60"], dict(os.environ), tmp_path / "log", tmp_path) as child,
    ):
        raise ZeroDivisionError
    assert not processes.group_exists(child.pid)


def test_stopping_a_group_that_is_gone_is_no_error(tmp_path: Path) -> None:
    with processes.started(["true"], dict(os.environ), tmp_path / "log", tmp_path) as child:
        child.wait()
    processes.stop_group(child.pid, child)


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('why it failed'); sys.exit(3)"]
    with pytest.raises(LocalError, match=r"the thing failed \(exit 3\)(?s:.*)why it failed"):
        processes.run(command, dict(os.environ), tmp_path / "log", "the thing")
