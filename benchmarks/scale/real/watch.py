"""What the emulator's processes take while they work: CPU seconds and resident memory, by role."""

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
    """One role: CPU seconds, the most memory of any one process, and how many there were."""

    cpu: float = 0.0
    most_resident: int = 0
    pids: set[int] = field(default_factory=set)


def processes_of(group: int) -> Iterator[WatchedProcess]:
    """The living processes of a group; none where there is no /proc."""
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            text, command = stat.read_text(), stat.with_name("cmdline").read_text()
        except OSError:
            continue
        found = _process(text, command, group)
        if found is not None:
            yield found


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
    """Looks at a process group now and then, from the way in to the way out."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._first: dict[int, float] = {}
        self._last: dict[int, WatchedProcess] = {}
        self._most: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def look(self) -> None:
        """One look at all of them."""
        seen = {process.pid: process for process in processes_of(self._group)}
        for pid, process in seen.items():
            # What was there before the first look had used CPU before; what comes later, none.
            self._first.setdefault(pid, 0.0 if self._last else process.cpu)
            self._most[pid] = max(process.resident, self._most.get(pid, 0))
        self._last |= seen

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.look()

    def taken(self) -> Mapping[str, RoleTimes]:
        """What each role took since the first look."""
        found: dict[str, RoleTimes] = {}
        for pid, process in self._last.items():
            of_role = found.setdefault(process.role, RoleTimes())
            of_role.cpu += process.cpu - self._first.get(pid, 0.0)
            of_role.most_resident = max(of_role.most_resident, self._most.get(pid, 0))
            of_role.pids.add(pid)
        return found

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
