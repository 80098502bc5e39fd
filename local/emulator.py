"""The emulator's process: one per folder, on a free port, identified by a locked pid file.

The emulator inherits the lock and holds it exactly as long as it lives. So the lock says whether
the emulator is running: a stale pid file, or a pid that belongs to another program by now, cannot
mislead, and two starts in one folder cannot both succeed.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from local.environment import LOOPBACK, LocalError, for_emulator, tool
from local.interrupts import held
from local.processes import stop_group, tail

START_SECONDS = 30.0
START_TRIES = 3
# Ignores proxies of the environment: they could not reach this machine's own loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port(host: str = LOOPBACK) -> int:
    """Returns a port of `host` that nobody listens on at this moment.

    Raises LocalError if `host` is not an address of this machine.
    """
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise LocalError(f"{host} is not an address of this machine.") from error
        port: int = probe.getsockname()[1]
        return port


class Emulator:
    """The emulator of one folder: `<folder>/ministack.{pid,log}` and `<folder>/tmp`."""

    def __init__(self, directory: Path, *, auth: bool, bind: str = LOOPBACK) -> None:
        self._directory = directory
        self._temporary = directory / "tmp"
        self._pid_file = directory / "ministack.pid"
        self._log = directory / "ministack.log"
        self._auth = auth
        self._bind = bind
        self._child: subprocess.Popen[bytes] | None = None

    def running_pid(self) -> int | None:
        """Returns the pid of this folder's running emulator, whoever started it, or None."""
        if not self._pid_file.exists():
            return None
        with self._pid_file.open("r+") as pid_file:
            try:
                fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = pid_file.read().strip()
                return int(text) if text else None
        return None

    def start(self) -> str:
        """Starts the emulator, waits until it answers, and returns its endpoint URL.

        Raises LocalError if it does not answer, or if one is running in the folder already.
        """
        program = tool(".tools/ministack", "ministack")
        self._temporary.mkdir(parents=True, exist_ok=True)
        for _ in range(START_TRIES):
            port = free_port(self._bind)
            endpoint_url = f"http://{self._bind}:{port}"
            with held():
                self._child = self._spawn(program, port)
            if self._answers(endpoint_url):
                return endpoint_url
            self.stop()
        raise LocalError(f"the emulator did not start; {self._log} ends:\n{tail(self._log)}")

    def stop(self) -> bool:
        """Stops the emulator and all of its workers; returns False if none was running."""
        pid = self.running_pid()
        if pid is not None:
            stop_group(pid, self._child)
            self._pid_file.write_text("")
        if self._child is not None:
            # Dead by now, perhaps stopped by another process; its parent has to reap it.
            self._child.wait()
            self._child = None
        shutil.rmtree(self._temporary, ignore_errors=True)
        return pid is not None

    def _spawn(self, program: Path, port: int) -> subprocess.Popen[bytes]:
        # The emulator also calls itself by its host name, for the keys that sign its tokens.
        settings = {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": self._bind,
            "MINISTACK_HOST": self._bind,
        }
        settings["AUTH"] = "true" if self._auth else "false"
        with self._pid_file.open("a+") as pid_file, self._log.open("wb") as log:
            try:
                fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LocalError(f"another emulator runs in {self._directory} already.") from error
            child = subprocess.Popen(
                [program],
                env=for_emulator(self._temporary) | settings,
                cwd=self._temporary,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(pid_file.fileno(),),
            )
            os.ftruncate(pid_file.fileno(), 0)
            pid_file.write(f"{child.pid}\n")
        return child

    def _answers(self, endpoint_url: str) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._child is None or self._child.poll() is not None:
                return False
            try:
                with DIRECT.open(f"{endpoint_url}/_ministack/health", timeout=5):
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        return False
