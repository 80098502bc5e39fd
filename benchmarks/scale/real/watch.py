"""Watches the emulator's processes at work: CPU seconds and resident memory, by role."""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
EVERY_SECONDS = 0.5
BYTES_IN_A_MB = 1_000_000
EMULATOR, OTHER = "emulator", "other functions"
ROLES = {"rollup-tenant": "rollup_tenant", "start-month-end": "start_month_end"}


@dataclass(frozen=True, slots=True)
class WatchedProcess:
    """A look at one process: CPU seconds since its start, resident bytes."""

    pid: int
    role: str
    cpu: float
    resident: int


@dataclass(slots=True)
class RoleTimes:
    """One role: CPU seconds, the most memory of any one process, and the processes' ids."""

    cpu: float = 0.0
    most_resident: int = 0
    pids: set[int] = field(default_factory=set)


def processes_of(group: int) -> Iterator[WatchedProcess]:
    """Yields the living processes of a group; none where there is no /proc."""
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            text, command = stat.read_text(), stat.with_name("cmdline").read_text()
        except OSError:
            continue
        process = _process(text, command, group)
        if process is not None:
            yield process


def _process(stat: str, command: str, group: int) -> WatchedProcess | None:
    # proc_pid_stat(5): the name may hold spaces and brackets; the other fields follow it, the
    # state (3) first.
    before, _, rest = stat.rpartition(")")
    fields, pid = rest.split(), int(before.split()[0])
    of_group, user, system, pages = (int(fields[n - 3]) for n in (5, 14, 15, 24))
    if of_group != group:
        return None
    cpu = (user + system) / os.sysconf("SC_CLK_TCK")
    return WatchedProcess(
        pid, _role(command, pid == group), cpu, pages * os.sysconf("SC_PAGE_SIZE")
    )


def _role(command: str, leads: bool) -> str:
    if leads:
        return EMULATOR
    return next((role for text, role in ROLES.items() if text in command), OTHER)


class Watch:
    """Looks at a process group every half second while the block of its `with` runs."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._first: dict[int, float] = {}
        self._last: dict[int, WatchedProcess] = {}
        self._most: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def look(self) -> None:
        """Looks at all processes of the group once."""
        seen = {process.pid: process for process in processes_of(self._group)}
        for pid, process in seen.items():
            # A process seen at the first look had used CPU before; one that comes later, none.
            self._first.setdefault(pid, 0.0 if self._last else process.cpu)
            self._most[pid] = max(process.resident, self._most.get(pid, 0))
        self._last |= seen

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.look()

    def taken(self) -> Mapping[str, RoleTimes]:
        """Returns what each role used since the first look."""
        roles: dict[str, RoleTimes] = {}
        for pid, process in self._last.items():
            times = roles.setdefault(process.role, RoleTimes())
            times.cpu += process.cpu - self._first.get(pid, 0.0)
            times.most_resident = max(times.most_resident, self._most.get(pid, 0))
            times.pids.add(pid)
        return roles

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.look()
