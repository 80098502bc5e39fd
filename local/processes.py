"""Child processes in their own process groups, so that stopping one stops its children too."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.environment import ROOT, LocalError
from local.interrupts import held

GRACE_SECONDS = 2.0
TAIL_LINES = 15
PROC = Path("/proc")


def group_exists(group: int) -> bool:
    """Returns whether any living process of the group is left.

    Dead processes do not count: in a container whose first process never reaps orphans, the
    emulator's workers would be "left" for ever.
    """
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        # macOS raises PermissionError for a group whose processes are all dead.
        return False
    if not PROC.is_dir():
        return True
    return any(_lives_in(stat, group) for stat in PROC.glob("[0-9]*/stat"))


def _lives_in(stat: Path, group: int) -> bool:
    try:
        # proc_pid_stat(5): the name may hold spaces and brackets; the other fields follow it.
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return False
    state, group_of_process, threads = fields[0], int(fields[2]), int(fields[17])
    # A process whose first thread has ended is reported as dead while others still hold files.
    return group_of_process == group and (state not in ("Z", "X") or threads > 1)


def _gone(group: int, child: subprocess.Popen[bytes] | None, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child is not None:
            child.poll()
        if not group_exists(group):
            return True
        time.sleep(0.02)
    return False


def stop_group(group: int, child: subprocess.Popen[bytes] | None = None) -> None:
    """Stops every process of the group: SIGTERM, then SIGKILL, each given GRACE_SECONDS."""
    with held():
        for signum in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(group, signum)
            except (ProcessLookupError, PermissionError):
                break
            if _gone(group, child, GRACE_SECONDS):
                break
        if child is not None:
            child.wait()


@contextmanager
def started(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, directory: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Yields a running child whose output goes to `log`; stops its whole group on the way out."""
    log.parent.mkdir(parents=True, exist_ok=True)
    child: subprocess.Popen[bytes] | None = None
    try:
        with held(), log.open("wb") as output:
            child = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield child
    finally:
        if child is not None:
            stop_group(child.pid, child)


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, name: str
) -> None:
    """Runs a command of the project; if it fails, raises LocalError with the end of its log."""
    with started(command, environment, log, ROOT) as child:
        exit_code = child.wait()
    if exit_code != 0:
        raise LocalError(f"{name} failed (exit {exit_code}); the end of {log} says:\n{tail(log)}")


def run_in_sight(command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    """Runs a command whose output the person sees; returns its exit code.

    It stays in our own process group, so Ctrl-C reaches it too: sam then removes its container.
    """
    with subprocess.Popen(
        command, env=dict(environment), cwd=ROOT, stdin=subprocess.DEVNULL
    ) as child:
        try:
            return child.wait()
        except BaseException:
            child.terminate()
            raise


def tail(log: Path) -> str:
    """Returns the last lines of a log, without the blank ones."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines[-TAIL_LINES:] if line.strip())
