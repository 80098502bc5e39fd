"""`monthend usage correct` of a day or an event: as reviewed, and told how it reaches a bill."""

import re
from datetime import date
from decimal import Decimal

import pytest

from cli.app import main
from cli.stack.stack import Stack
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.unit.cli.conftest import Said, said_json
from tests.unit.cli.month_end.office import Cloud, Terminal, at, roll_up, store, use_cloud
from tests.unit.cli.usage.test_show_usage import imported

WHY = ("--reason", "typed 20000 for 200")
DAY = ("--deployment", "pilot", "--kind", "hours", "--day", "2026-04-14")
EVENT = ("--deployment", "pilot", "--source", "monthend-import", "--event", "e-1")
CORRECT = ("usage", "correct", *WHY)
TO_200 = ("--expect", "20000", "--quantity", "200")


@pytest.fixture
def typo(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pilot's April: 20,000 hours on the 14th, typed for 200, and 2,160 on the 30th."""
    store("pilot")
    imported("april.csv", "e-1", "2026-04-14", "hours", "20000")
    use_cloud(monkeypatch, Cloud())
    at(monkeypatch, "cli.usage.correct_usage", "2026-05-03T10:00:00+00:00")


def hours(usage: UsageTable) -> tuple[int, int]:
    """Returns the hours of 14 April, and those of the month."""
    month = usage.days("pilot", Period.month("2026-04"))
    assert month.total is not None
    return int(month.days["2026-04-14"]["hours"]), int(month.total.quantities["hours"])


@pytest.mark.parametrize("what", [DAY, EVENT], ids=["a day", "an event"])
def test_what_stood_and_what_stands_is_shown_with_the_months_new_total(
    typo: None, usage: UsageTable, capsys: Said, what: tuple[str, ...]
) -> None:
    assert main([*CORRECT, *what, *TO_200, "--id", "typo-7"]) == 0
    shown = capsys.readouterr()
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    # 200 and 2,160.
    assert "pilot 2026-04-14 hours 20000 200 2360" in lines
    assert lines[-1] == "2026-04 of pilot: not invoiced yet; will be billed as corrected"
    assert shown.err == ""
    assert hours(usage) == (200, 2360)


def test_as_json_it_is_the_answer_of_the_api_and_the_months(typo: None, capsys: Said) -> None:
    assert main([*CORRECT, *DAY, *TO_200, "--id", "typo-7", "--json"]) == 0
    body = said_json(capsys)
    assert body["id"] == "typo-7"
    # Moto's caller is arn:aws:sts::123456789012:user/moto.
    assert (body["by"], body["reason"]) == ("moto", "typed 20000 for 200")
    assert body["days"] == [
        {
            "tenant_id": "pilot",
            "deployment_id": "pilot",
            "day": "2026-04-14",
            "changes": {"hours": {"before": "20000", "after": "200"}},
        }
    ]
    assert body["months"] == [
        {
            "tenant_id": "pilot",
            "deployment_id": "pilot",
            "period": "2026-04",
            "change": {"hours": "-19800"},
            "total": {"hours": "2360"},
            "invoice": None,
        }
    ]


def test_a_new_id_is_said_first_and_a_repeat_with_it_changes_nothing(
    typo: None, usage: UsageTable, capsys: Said
) -> None:
    assert main([*CORRECT, *DAY, *TO_200]) == 0
    said = capsys.readouterr().err
    match = re.fullmatch(
        r"Correction ([0-9a-f]{12}): if it is broken off, run it again with --id \1\n", said
    )
    assert match is not None
    assert main([*CORRECT, *DAY, *TO_200, "--id", match[1]]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    made = f"Correction {match[1]} was made by moto on 2026-05-03 10:00 UTC"
    assert f"{made}: nothing was changed again.\n" in shown.out
    assert hours(usage) == (200, 2360)


@pytest.mark.parametrize("what", [DAY, EVENT], ids=["a day", "an event"])
def test_what_does_not_stand_any_more_is_refused_and_told(
    typo: None, usage: UsageTable, capsys: Said, what: tuple[str, ...]
) -> None:
    assert main([*CORRECT, *what, *TO_200, "--id", "first"]) == 0
    capsys.readouterr()
    assert main([*CORRECT, *what, *TO_200, "--id", "second"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("monthend: --expect: 200 hours stand o")
    assert main([*CORRECT, *what, *TO_200, "--id", "third", "--json"]) == 1
    assert said_json(capsys)["refused"].startswith("--expect: 200 hours stand o")
    assert hours(usage) == (200, 2360)


def test_an_id_that_was_used_for_something_else_is_refused(typo: None, capsys: Said) -> None:
    assert main([*CORRECT, *DAY, *TO_200, "--id", "typo-7"]) == 0
    capsys.readouterr()
    words = (*DAY, "--expect", "200", "--quantity", "20", "--id", "typo-7")
    assert main([*CORRECT, *words]) == 1
    assert capsys.readouterr().err.startswith("monthend: --id: was used at 2026-05-03")


def test_how_it_reaches_a_bill_is_told_in_every_state(
    typo: None, usage: UsageTable, capsys: Said
) -> None:
    def told(expect: int) -> list[str]:
        words = (
            *DAY,
            "--expect",
            str(expect),
            "--quantity",
            str(expect - 1),
            "--id",
            f"c{expect}",
        )
        assert main([*CORRECT, *words]) == 0
        return capsys.readouterr().out.splitlines()

    forced = "  monthend run --period 2026-04 --force --tenant pilot"
    roll_up("pilot")
    assert told(20000)[-2:] == [
        "2026-04 of pilot: a draft, which stays as it is until a forced run",
        forced,
    ]
    for expect, action, state in ((19999, "issue", "issued"), (19998, "pay", "paid")):
        assert main([action, "pilot.2026-04", "--revision", "1"]) == 0
        capsys.readouterr()
        next_one = "the next invoice that is made has an adjustment"
        stays = f"2026-04 of pilot: {state}, which stays as it is"
        assert told(expect)[-1] == f"{stays}; {next_one}"
    usage.add("pilot", "pilot", date(2026, 3, 2), {"hours": Decimal(5)})
    roll_up("pilot", "2026-03")
    assert main(["void", "pilot.2026-03", "--revision", "1", *WHY]) == 0
    capsys.readouterr()
    march = ("--deployment", "pilot", "--kind", "hours", "--day", "2026-03-02")
    assert main([*CORRECT, *march, "--expect", "5", "--quantity", "4", "--id", "march"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "2026-03 of pilot: void; a forced run bills it anew, as corrected",
        forced.replace("2026-04", "2026-03"),
    ]


@pytest.mark.parametrize("what", [DAY, EVENT], ids=["a day", "an event"])
@pytest.mark.parametrize(("typed", "stands"), [("y\n", 200), ("\n", 20000)])
def test_a_person_is_shown_what_stands_and_asked(  # noqa: PLR0913, PLR0917 - fixtures and cases
    typo: None,
    usage: UsageTable,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    what: tuple[str, ...],
    typed: str,
    stands: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    monkeypatch.setattr("cli.usage.correct_usage.someone_is_there", lambda: True)
    assert main([*CORRECT, *what, "--quantity", "200"]) == (stands == 20000)
    said = capsys.readouterr().err
    asked = "20000 hours of pilot stand on 2026-04-14. Correct to 200? [y/N] "
    assert said.startswith(asked)
    assert ("nothing was done" in said) == (stands == 20000)
    assert hours(usage)[0] == stands
    # A program is not asked.
    assert main([*CORRECT, *what, "--quantity", "300", "--json"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*DAY, "--quantity", "200"), "--expect: name what stands now; `monthend usage show`"),
        (DAY[:4], "--day, --quantity: needed; give FILE.csv, or --deployment, --kind and --day"),
        ((), "--day, --deployment, --kind, --quantity: needed; give FILE.csv"),
        ((*EVENT[:2], "--event", "e-1", *TO_200), "--source: needed; give FILE.csv"),
        ((*DAY, *TO_200, "--source", "s"), "--source: cannot go with the others"),
        ((*EVENT, *TO_200, "--day", "2026-04-14"), "--day: cannot go with the others"),
        ((*DAY, *TO_200, "--dry-run"), "--dry-run: goes with FILE.csv alone"),
        ((*DAY, "--expect", "1", "--quantity", "-2"), "--quantity: must not be negative"),
        ((*DAY, "--expect", "1", "--quantity", "1.0"), "day: expect and quantity are the same"),
        ((*DAY, *TO_200, "--id", "a b"), "--id: String should match pattern"),
        ((*DAY[:4], "--day", "14 April", *TO_200), "--day: "),
        (("--deployment", "nobody", *DAY[2:], *TO_200), "There is no such deployment"),
        ((*EVENT[:4], "--event", "e-9", *TO_200), "There is no such event"),
        ((*DAY[:4], "--day", "2026-05-04", *TO_200), "--day: 2026-05-04 has not come yet"),
        ((*DAY[:4], "--day", "2025-04-30", *TO_200), "--day: 2025-04 is more than 12 months"),
    ],
)
def test_what_cannot_be_corrected_is_exit_two(
    typo: None, usage: UsageTable, capsys: Said, words: tuple[str, ...], says: str
) -> None:
    assert main([*CORRECT, *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"monthend: {says}")
    assert hours(usage) == (20000, 22160)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--deployment", "nobody", *DAY[2:]), "no deployment nobody is known"),
        (("--deployment", "a b", *DAY[2:]), "--deployment: a deployment's id is up to 64"),
        ((*DAY[:4], "--day", "2026-04-31"), "--day: must be a day such as 2026-04-15"),
        ((*DAY[:4], "--day", "0000-04-15"), "--day: must be a day such as 2026-04-15"),
        ((*EVENT[:4], "--event", "e-9"), "event e-9 of source monthend-import: not counted"),
    ],
)
def test_what_does_not_stand_at_all_is_not_asked_about(
    typo: None,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.setattr("cli.usage.correct_usage.someone_is_there", lambda: True)
    assert main([*CORRECT, *words, "--quantity", "1"]) == 2
    assert capsys.readouterr().err.startswith(f"monthend: {says}")


def test_an_event_of_an_earlier_version_needs_its_day(
    typo: None, usage: UsageTable, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    # As commit 6b321da stored it: nothing but the digest.
    usage._client.update_item(
        TableName="usage",
        Key={"deployment_period": {"S": "pilot#monthend-import#e-1"}, "day": {"S": "event"}},
        UpdateExpression="REMOVE deployment_id, resource_kind, counted_on, quantity",
    )
    assert main([*CORRECT, *EVENT, *TO_200, "--id", "x"]) == 1
    assert "--event: was counted by an earlier version" in capsys.readouterr().err
    monkeypatch.setattr("cli.usage.correct_usage.someone_is_there", lambda: True)
    assert main([*CORRECT, *EVENT, "--quantity", "200"]) == 1
    assert "correct its day" in capsys.readouterr().err
    assert main([*CORRECT, *DAY, *TO_200, "--id", "x"]) == 0
    assert hours(usage) == (200, 2360)


def test_a_re_send_of_a_corrected_event_is_a_duplicate(typo: None, usage: UsageTable) -> None:
    assert main([*CORRECT, *EVENT, *TO_200]) == 0
    imported("april.csv", "e-1", "2026-04-14", "hours", "20000")
    assert hours(usage) == (200, 2360)
