"""The pid file: its lock says what is running, never the number in it."""

import fcntl
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator, free_port
from local.environment import LOOPBACK, LocalError
from local.processes import group_exists
from local.stack import LocalStack


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        pass


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(LocalError, match=r"192\.0\.2\.1 is not an address of this machine"):
        free_port("192.0.2.1")


def test_nothing_runs_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "none", auth=True)
    assert emulator.running_pid() is None
    assert not emulator.stop()


def test_a_stale_pid_file_names_nobody(tmp_path: Path) -> None:
    # Pid 1 is alive, but it does not hold the lock.
    (tmp_path / "ministack.pid").write_text("1\n")
    assert Emulator(tmp_path, auth=True).running_pid() is None


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock as an emulator does."""
    with (tmp_path / "ministack.pid").open("a+") as pid_file:
        fcntl.flock(pid_file, fcntl.LOCK_EX)
        child = subprocess.Popen(
            ["sleep", "60"], start_new_session=True, pass_fds=(pid_file.fileno(),)
        )
        pid_file.write(f"{child.pid}\n")
    yield child
    child.kill()
    child.wait()


def test_the_holder_of_the_lock_is_found_and_stopped(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    emulator = Emulator(tmp_path, auth=True)
    assert emulator.running_pid() == holder.pid
    assert emulator.stop()
    assert not group_exists(holder.pid)
    assert emulator.running_pid() is None
    assert not emulator.stop()


@pytest.mark.usefixtures("holder")
def test_two_emulators_in_one_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="another emulator runs"):
        Emulator(tmp_path, auth=True).start()


def test_a_stack_that_does_not_run_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="make up"):
        LocalStack(tmp_path).outputs  # noqa: B018
