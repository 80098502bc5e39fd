"""`python -m quote_engine`, as a shell runs it."""

import json
import os
import runpy
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.quote_engine.support import ENGINE, pilot


class Run(NamedTuple):
    code: int
    out: str
    err: list[str]


def command(text: bytes, *arguments: str) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "quote_engine", *arguments],
        input=text,
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ENGINE)},
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode().splitlines())


def test_a_good_request_is_answered_on_standard_output() -> None:
    code, out, err = command(json.dumps(pilot()).encode())
    answer = json.loads(out)
    assert (code, err) == (0, [])
    assert list(answer) == [
        "currency",
        "lines",
        "subtotal_cents",
        "tax_cents",
        "total_cents",
        "fingerprint",
    ]
    assert (answer["subtotal_cents"], answer["tax_cents"], answer["total_cents"]) == (
        6422,
        642,
        7064,
    )


def test_help_says_how_it_is_used() -> None:
    code, out, err = command(b"", "--help")
    assert (code, err) == (0, [])
    assert "usage: python -m quote_engine" in out


BAD_FLOAT = json.dumps(pilot()).replace('"50.00"', "50.0").replace('"0.01"', "NaN").encode()
HUGE = b'{"currency": ' + b"9" * 5000 + b"}"
PRICE = "subscriptions[0].plan.price: must be a decimal string, not a float"
UNIT_PRICE = "subscriptions[0].plan.rates[0].unit_price: must be a decimal string, not a float"
BAD_INPUT = [
    (b"", "request: not JSON: Expecting value: line 1 column 1 (char 0)"),
    (b"hello", "request: not JSON: Expecting value: line 1 column 1 (char 0)"),
    (b"\xff\xfe", "request: not JSON: 'utf-8' codec can't decode byte 0xff in position 0"),
    (b"[]", "request: must be an object, not a list"),
    (b"[" * 200_000, "request: nested too deeply"),
    (HUGE, "request: not JSON: Exceeds the limit"),
    (b'{"tax": "gst", "tax": "gst_free"}', "request: field 'tax' is given twice"),
]


@pytest.mark.parametrize(("text", "fault"), BAD_INPUT, ids=[fault for _, fault in BAD_INPUT])
def test_bad_input_is_one_clear_line_and_exit_code_two(text: bytes, fault: str) -> None:
    code, out, err = command(text)
    assert (code, out, len(err)) == (2, "", 1)
    assert err[0].startswith(fault)


def test_every_fault_has_its_line() -> None:
    assert command(BAD_FLOAT) == Run(2, "", [PRICE, UNIT_PRICE])


def test_an_unknown_argument_is_exit_code_two() -> None:
    code, out, _ = command(b"", "--currency")
    assert (code, out) == (2, "")


def test_importing_the_command_line_runs_nothing() -> None:
    name = "quote_engine.__main__"
    assert callable(runpy.run_module(name, run_name=name)["main"])


def inside(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs the command in this process, where coverage sees it; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["quote_engine"])
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("quote_engine.__main__", run_name="__main__")
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_usage_without_a_rate_is_a_warning_and_still_an_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = pilot()
    data["subscriptions"][0]["usage"]["gpu_hours"] = "12.50"
    assert inside(json.dumps(data), monkeypatch) == 0
    out, err = capsys.readouterr()
    assert err == "warning: pilot: 12.5 of gpu_hours has no rate; it is not billed\n"
    assert json.loads(out)["total_cents"] == 7064


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "request: not JSON: "),
        ('{"a": 1, "a": 2}', "request: field 'a' is given twice"),
        ("[" * 200_000, "request: nested too deeply"),
    ],
    ids=["no JSON", "twice", "deep"],
)
def test_bad_input_leaves_nothing_on_standard_output(
    text: str, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside(text, monkeypatch) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(fault)


def test_a_reader_that_has_seen_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Closed(TextIOWrapper):
        """A pipe whose reader is gone."""

        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with (tmp_path / "pipe").open("wb") as pipe:
        out = Closed(pipe)
        monkeypatch.setattr(sys, "argv", ["quote_engine"])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(json.dumps(pilot()).encode())))
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("quote_engine", run_name="__main__")
        monkeypatch.undo()
        assert ended.value.code == 0
        out.detach()
