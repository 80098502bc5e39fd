"""The real run's own arithmetic, what it counts, and how it looks at processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale.real import customers, watch
from benchmarks.scale.real.billing import TimedMonthEnd, faults
from benchmarks.scale.real.run import NotAsExpected, expect, limit
from benchmarks.scale.real.watch import RoleTimes, Watch
from cli.loading.inputs import read_load
from cli.usage.usage_file import DaysRow, read_usage

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("number", "hours", "cents"),
    [
        # 50.00 and a tenth.
        (1, 1001, 5500),
        # With the add-on: 57.50 and 5.75.
        (3, 1003, 6325),
        # No tax.
        (10, 1010, 5000),
        # The last hour of the allowance, and the first after it: 50.01 and 5.00.
        (488, 1488, 5500),
        (489, 1489, 5501 + 750 + 75),
        # 50.05, and 5.005 of tax, rounded up to 5.01.
        (493, 1493, 5506),
    ],
)
def test_what_a_generated_tenant_owes(number: int, hours: int, cents: int) -> None:
    assert customers.hours(number) == hours
    assert customers.total_cents(number) == cents


def test_the_files_are_what_the_command_line_takes(tmp_path: Path) -> None:
    customers.write_files(tmp_path, 12)
    customers_read = read_load([tmp_path]).customers
    assert not customers_read.refused
    assert len(customers_read.tenants) == 12
    assert len(customers_read.subscriptions) == 12
    with (tmp_path / "usage.csv").open("rb") as stream:
        rows = list(read_usage(stream, "usage.csv")[1])
    assert all(isinstance(row, DaysRow) for row in rows)
    assert len(rows) == 12


def _invoice(number: int, cents: int) -> dict[str, Any]:
    return {
        "tenant_id": {"S": customers.tenant_id(number)},
        "period_start": {"S": "2026-04-01"},
        "total_cents": {"N": str(cents)},
    }


def test_exactly_the_expected_invoices_have_no_fault() -> None:
    assert faults([_invoice(1, 5500), _invoice(2, 5500)], 2) == []


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ([_invoice(1, 5500)], "1 items are in the invoices table, not 2"),
        ([_invoice(1, 5500), _invoice(2, 5501)], "tenant-00002: 5501 cents, not 5500"),
        ([_invoice(1, 5500), _invoice(3, 6325)], "tenant-00002: None cents, not 5500"),
    ],
)
def test_a_missing_or_wrong_invoice_is_named(items: list[dict[str, Any]], fault: str) -> None:
    assert faults(items, 2) == [fault]


def test_what_is_not_as_expected_stops_the_run() -> None:
    expect(True, "never said")
    with pytest.raises(NotAsExpected, match="2 invoices"):
        expect(False, "2 invoices")


def _stat(pid: int, group: int, user: int, system: int, pages: int) -> str:
    rest = ["S", "1", str(group), *["0"] * 8, str(user), str(system), *["0"] * 8, str(pages)]
    return f"{pid} (a (strange) name) {' '.join(rest)}"


def test_a_process_is_read_by_its_group_whatever_it_is_called() -> None:
    stat = _stat(7, 5, 3 * TICKS, 1 * TICKS, 100)
    process = watch._process(stat, "python\0/any/x-rollup-tenant-ab/_worker.py", 5)
    assert process == watch.WatchedProcess(7, "rollup_tenant", 4.0, 100 * PAGE)
    assert watch._process(stat, "python", 6) is None
    leader = watch._process(_stat(5, 5, 0, 0, 1), "ministack", 5)
    assert leader is not None
    assert leader.role == "emulator"


def test_cpu_counts_from_the_first_look_and_memory_at_its_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = [
        [watch.WatchedProcess(5, "emulator", 10.0, 300)],
        [
            watch.WatchedProcess(5, "emulator", 12.0, 900),
            watch.WatchedProcess(7, "rollup_tenant", 1.5, 50),
        ],
        [watch.WatchedProcess(5, "emulator", 13.0, 400)],
    ]
    monkeypatch.setattr(watch, "processes_of", lambda group: iter(looks.pop(0)))
    watched = Watch(5)
    for _ in range(3):
        watched.look()
    assert watched.taken() == {
        "emulator": RoleTimes(3.0, 900, {5}),
        "rollup_tenant": RoleTimes(1.5, 50, {7}),
    }


@pytest.mark.skipif(not watch.PROC.is_dir(), reason="needs /proc")
def test_a_child_and_its_group_are_seen() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as child:
        with Watch(child.pid) as watched:
            pass
        child.communicate(b"\n")
    assert watched.taken()["emulator"].most_resident > 0


def test_the_run_says_what_its_processors_could_do() -> None:
    roles = {"emulator": RoleTimes(cpu=30.0), "rollup_tenant": RoleTimes(cpu=10.0)}
    sentence = limit(TimedMonthEnd(2000, 1.0, 1.0, 20.0, 40.0, {"rolled": 2000}, roles))
    cores = os.cpu_count() or 1
    assert f"could do {cores * 2000 / 40:,.0f} tenants/s" in sentence
    assert "75% of that" in sentence


def test_where_nothing_can_be_seen_nothing_is_claimed() -> None:
    run = TimedMonthEnd(2000, 1.0, 1.0, 20.0, 40.0, {"rolled": 2000}, {})
    assert limit(run) == "CPU and memory are not measured here: there is no /proc."
