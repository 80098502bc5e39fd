"""Dead letters go back to their queue, and none is lost, whatever interrupts."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from cli.app import main
from cli.dead_letters import dead_letter_queue as dead_letters
from cli.dead_letters import move_task, show_redrive
from cli.dead_letters.dead_letter_queue import DeadLetter
from cli.dead_letters.select_messages import Selection
from cli.dead_letters.show_redrive import age
from cli.month_end.month_queues import queue_lines
from cli.stack import global_options
from cli.stack.queues import QueueName
from cli.stack.stack import Stack
from cli.terminal.errors import BadInput
from tests.unit.cli.conftest import STACK, Said, said_json
from tests.unit.cli.dead_letters.queues import MovingSqs, Queues, Sqs, body
from tests.unit.cli.month_end.office import note_failure

type Use = Callable[[Sqs], Sqs]

NOISE = "{not json"
BODIES = (body("acme"), body("pilot"), NOISE, body("pilot", "2026-03"))


def stack_with(sqs: Sqs) -> Stack:
    """Returns a stack with these queues."""
    urls = {"QueueUrl": sqs.queues.rollup, "DeadLetterQueueUrl": sqs.queues.dead}
    outputs = {
        f"{of}{name}": urls[name] for of in ("Rollup", "Usage", "Schedule") for name in urls
    }
    return Stack("test", STACK.settings, outputs)


@pytest.fixture
def use(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> Use:
    """A function that makes the commands use these queues."""
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    monkeypatch.setattr(move_task, "POLL_SECONDS", 0)

    def used(sqs: Sqs) -> Sqs:
        stack = stack_with(sqs)
        monkeypatch.setattr(global_options, "connect", lambda _: stack)
        monkeypatch.setattr(Stack, "client", lambda _self, _service: sqs)
        return sqs

    return used


def test_a_dry_run_shows_each_reason_and_leaves_all_visible(use: Use, capsys: Said) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    queues = sqs.queues
    note_failure("acme", "UnknownPrice: plan [loft] version 1")
    assert main(["redrive", "--dry-run"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("4 dead letters")
    assert " acme 2026-04 0 min 1 UnknownPrice: plan [loft] version 1" in shown
    assert " pilot 2026-03 0 min 1 not noted; the function's log has it" in shown
    assert "InvalidMessage: message: Invalid JSON" in shown
    assert " {not json" in shown
    assert shown.endswith("Dry run, nothing moved: 4 of 4 would be.")
    lines = ["In the dead-letter queue: 4 letters: `monthend redrive --dry-run`."]
    assert list(queue_lines(stack_with(sqs))) == lines
    assert (queues.on_dead(), queues.on_rollup(), queues.hidden()) == (sorted(BODIES), [], 0)


def test_a_dry_run_as_json_has_all_there_is_to_know(use: Use, capsys: Said) -> None:
    use(Sqs(Queues(*BODIES)))
    note_failure("acme", "UnknownPrice: plan loft version 1")
    assert main(["redrive", "--dry-run", "--json"]) == 0
    printed = said_json(capsys)
    assert (printed["dry_run"], printed["moved"], printed["unseen"]) == (True, 0, 0)
    acme, march, april, noise = printed["letters"]
    assert {name: acme[name] for name in ("tenant_id", "period", "run_id", "received")} == {
        "tenant_id": "acme",
        "period": "2026-04",
        "run_id": "the-run",
        "received": 1,
    }
    assert (acme["reason"], acme["result"]) == ("UnknownPrice: plan loft version 1", "found")
    assert (march["period"], april["period"], april["reason"]) == ("2026-03", "2026-04", None)
    assert (noise["tenant_id"], noise["body"]) == (None, NOISE)
    assert noise["reason"].startswith("InvalidMessage: ")


def test_without_a_move_task_all_letters_are_sent_and_then_deleted(use: Use, capsys: Said) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    assert main(["redrive"]) == 0
    assert (sqs.queues.on_dead(), sqs.queues.on_rollup()) == ([], sorted(BODIES))
    summary = "4 given back, 0 left in the dead-letter queue.\n" + (
        "What fails again is a dead letter again within half an hour.\n"
    )
    assert capsys.readouterr().out.endswith(summary)
    moves = [name for name in sqs.calls if name in ("send_message", "delete_message")]
    assert moves == ["send_message", "delete_message"] * 4


def test_a_tenants_letters_alone_are_moved_and_the_others_are_let_go(
    use: Use, capsys: Said
) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    assert main(["redrive", "--tenant", "pilot", "--tenant", "nobody", "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.err == "no dead letter of nobody\n"
    queues = sqs.queues
    assert queues.on_rollup() == sorted((body("pilot"), body("pilot", "2026-03")))
    # A message that cannot be read has no tenant: it moves only with the whole queue.
    assert (queues.on_dead(), queues.hidden()) == (sorted((body("acme"), NOISE)), 0)
    # The others were made visible again before the first was moved.
    assert sqs.calls.index("change_message_visibility_batch") < sqs.calls.index("send_message")


def test_a_letter_is_discarded_by_the_beginning_of_its_id(use: Use, capsys: Said) -> None:
    queues = use(Sqs(Queues(*BODIES))).queues
    assert main(["redrive", "--dry-run", "--json"]) == 0
    [noise] = [
        dead_letter for dead_letter in said_json(capsys)["letters"] if dead_letter["body"] == NOISE
    ]
    words = ["redrive", "--discard", noise["message_id"][:8], "--discard", "no-such-letter"]
    assert main([*words, "--dry-run"]) == 1
    assert len(queues.on_dead()) == 4
    capsys.readouterr()
    # The one that exists is discarded all the same.
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.err == "no dead letter no-such-letter\n"
    assert shown.out.endswith("0 given back, 1 discarded, 3 left in the dead-letter queue.\n")
    assert queues.on_dead() == sorted(set(BODIES) - {NOISE})
    assert (queues.on_rollup(), queues.hidden()) == ([], 0)


def test_two_letters_that_begin_alike_are_not_discarded() -> None:
    dead = DeadLetter("0123456789", "", NOISE, None, "", datetime(2026, 5, 1, tzinfo=UTC), 1)
    selection = Selection.of(None, ["01234567"], QueueName.ROLLUP)
    with pytest.raises(BadInput, match="--discard 01234567: 2 letters begin with that"):
        selection.refuse_unclear([dead, replace(dead, message_id="0123456700")])


def test_usage_is_given_back_as_it_is(use: Use, capsys: Said) -> None:
    queues = use(Sqs(Queues('{"events": []}'))).queues
    assert main(["redrive", "--queue", "usage"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert 'not noted; the function\'s log has it {"events": []}' in shown
    assert (queues.on_dead(), queues.on_rollup()) == ([], ['{"events": []}'])


EVENT = json.dumps(
    {
        "detail-type": "Scheduled Event",
        "time": "2026-05-01T03:00:00Z",
        "resources": ["arn:aws:events:ap-southeast-2:111122223333:rule/monthend-month-end"],
    }
)
START = "arn:aws:lambda:ap-southeast-2:111122223333:function:monthend-start-month-end:$LATEST"
FAILED = json.dumps(
    {
        "requestContext": {"functionArn": START, "condition": "RetriesExhausted"},
        "requestPayload": {"period": "2026-04"},
        "responsePayload": {"errorType": "PeriodStillOpen", "errorMessage": "period 2026-04"},
    }
)


def test_the_schedules_letters_say_why_and_are_discarded(use: Use, capsys: Said) -> None:
    queues = use(Sqs(Queues(FAILED, "[]"))).queues
    queues.client.send_message(
        QueueUrl=queues.dead,
        MessageBody=EVENT,
        MessageAttributes={"ERROR_MESSAGE": {"DataType": "String", "StringValue": "No answer"}},
    )
    assert main(["redrive", "--queue", "schedule", "--dry-run", "--json"]) == 0
    listed = said_json(capsys)["letters"]
    reasons = {dead_letter["body"]: dead_letter["reason"] for dead_letter in listed}
    assert reasons == {FAILED: "PeriodStillOpen: period 2026-04", EVENT: "No answer", "[]": None}
    assert main(["redrive", "--queue", "schedule", "--dry-run"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    request = 'monthend-start-month-end with {"period": "2026-04"}'
    assert f"PeriodStillOpen: period 2026-04 {request}" in shown
    assert "No answer rule/monthend-month-end at 2026-05-01T03:00:00Z" in shown
    assert shown.endswith("3 events without a queue to go back to: start a run instead.")
    ids = [word for dead_letter in listed for word in ("--discard", dead_letter["message_id"])]
    assert main(["redrive", "--queue", "schedule", "--dry-run", *ids]) == 0
    assert capsys.readouterr().out.endswith("Dry run: 3 of 3 would be discarded.\n")
    assert main(["redrive", "--queue", "schedule", *ids]) == 0
    assert queues.on_dead() == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--tenant pilot --discard 12345678", "a letter is either moved or deleted"),
        ("--tenant pilot --queue usage", "only the rollup's letters are each of one tenant"),
        ("--discard 1234567", "--discard: at least 8 characters, not 1234567"),
        ("--queue schedule", "--queue schedule: start a run instead, then --discard"),
        ("--queue outbox", "'outbox' is not one of"),
    ],
)
def test_bad_input_is_exit_two(use: Use, capsys: Said, words: str, says: str) -> None:
    sqs = use(Sqs(Queues()))
    assert main(["redrive", *words.split()]) == 2
    assert says in capsys.readouterr().err
    assert sqs.calls == []


def test_an_empty_queue_is_fine(use: Use, capsys: Said) -> None:
    use(Sqs(Queues()))
    assert main(["redrive"]) == 0
    assert capsys.readouterr().out == "No dead letters.\n"


def test_attributes_travel_with_a_letter(use: Use) -> None:
    queues = use(Sqs(Queues())).queues
    attributes = {"trace": {"DataType": "String", "StringValue": "1-2"}}
    queues.client.send_message(
        QueueUrl=queues.dead, MessageBody=NOISE, MessageAttributes=attributes
    )
    assert main(["redrive"]) == 0
    answer = queues.client.receive_message(QueueUrl=queues.rollup, MessageAttributeNames=["All"])
    assert answer["Messages"][0]["MessageAttributes"] == attributes


def interrupt() -> None:
    raise KeyboardInterrupt


def lose_the_line() -> None:
    raise EndpointConnectionError(endpoint_url="sqs")


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


THREE = (body("acme"), body("pilot"), NOISE)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("strike", "words", "code"),
    [
        (interrupt, (), 130),
        (interrupt, ("--tenant", "pilot"), 130),
        (lose_the_line, (), 3),
        (press_ctrl_c, (), 130),
    ],
)
def test_broken_off_at_any_call_no_letter_is_lost(
    use: Use, strike: Callable[[], None], words: tuple[str, ...], code: int, moment: str
) -> None:
    clean = use(Sqs(Queues(*THREE)))
    assert main(["redrive", *words]) == 0
    for doomed in range(len(clean.calls)):
        sqs = use(Sqs(Queues(*THREE)))
        setattr(sqs, moment, lambda n, at=doomed: strike() if n == at else None)
        exit_code = main(["redrive", *words])
        queues, where = sqs.queues, f"{moment} {clean.calls[doomed]}, call {doomed}"
        hidden = queues.hidden()
        assert set(queues.on_dead()) | set(queues.on_rollup()) == set(THREE), where
        # Ctrl-C lets a call finish: nothing stays hidden, and the last call completes all.
        gentle = strike is press_ctrl_c
        assert exit_code == code or (gentle and exit_code == 0), where
        assert not (gentle and hidden), where
        # The same command does the rest; a message sent twice is harmless. If the tenant's dead
        # letter was moved already, or is hidden, the command finds none.
        use(Sqs(queues))
        named = "--tenant" in words and (hidden or body("pilot") not in queues.on_dead())
        assert main(["redrive", *words]) == bool(named), where
        assert set(queues.on_dead()) | set(queues.on_rollup()) == set(THREE), where
        assert hidden or body("pilot") in queues.on_rollup(), where
        assert hidden or body("pilot") not in queues.on_dead(), where


def test_how_far_it_got_is_told(use: Use, capsys: Said) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    sqs.before = lambda _: interrupt() if sqs.calls.count("send_message") == 2 else None
    assert main(["redrive"]) == 130
    line = "monthend: stopped: 1 letters were moved; nothing is lost, and the same command goes on"
    assert capsys.readouterr().err.splitlines()[-1] == line


@pytest.mark.parametrize(
    ("strike", "code", "failure"),
    [(interrupt, 130, "stopped"), (lose_the_line, 3, "Could not connect to the endpoint URL")],
)
def test_broken_off_it_says_as_json_what_was_done_so_far(
    use: Use, capsys: Said, strike: Callable[[], None], code: int, failure: str
) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    sqs.before = lambda _: strike() if sqs.calls.count("send_message") == 2 else None
    assert main(["redrive", "--json"]) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed["failure"].startswith(failure)
    assert printed["moved"] == 1
    results = [dead_letter["result"] for dead_letter in printed["letters"]]
    assert results == ["moved", "left", "left", "left"]


def test_broken_off_before_anything_was_found_it_is_json_all_the_same(
    use: Use, capsys: Said
) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    sqs.before = lambda _: interrupt() if "receive_message" in sqs.calls else None
    assert main(["redrive", "--json"]) == 130
    printed = json.loads(capsys.readouterr().out)
    assert (printed["moved"], printed["letters"]) == (0, [])


def test_what_is_named_and_not_there_is_exit_one(use: Use, capsys: Said) -> None:
    use(Sqs(Queues()))
    for option, missing in (("--tenant", "of typoed-name"), ("--discard", "typoed-name")):
        assert main(["redrive", option, "typoed-name"]) == 1
        assert capsys.readouterr().err == f"no dead letter {missing}\n"


def test_what_stays_hidden_for_a_while_is_told(use: Use, capsys: Said) -> None:
    sqs = use(Sqs(Queues(*BODIES)))

    def twice(number: int) -> None:
        if sqs.calls[number] in ("send_message", "change_message_visibility_batch"):
            lose_the_line()

    sqs.before = twice
    assert main(["redrive"]) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first == "4 letters show again within 10 minutes."
    assert second.startswith("monthend: Could not connect to the endpoint")


def test_a_whole_queue_is_moved_by_sqs_itself(use: Use, capsys: Said) -> None:
    sqs = use(MovingSqs(Queues(*BODIES)))
    assert main(["redrive", "--json"]) == 0
    assert (sqs.queues.on_dead(), sqs.queues.on_rollup()) == ([], sorted(BODIES))
    printed = said_json(capsys)
    assert printed["moved"] == 4
    assert {dead_letter["result"] for dead_letter in printed["letters"]} == {"moved"}
    assert "send_message" not in sqs.calls
    # Before the task started, all messages were visible again.
    release = sqs.calls.index("change_message_visibility_batch")
    assert release < sqs.calls.index("start_message_move_task")


def test_a_filtered_redrive_never_starts_a_move_task(use: Use) -> None:
    sqs = use(MovingSqs(Queues(*BODIES)))
    assert main(["redrive", "--tenant", "acme"]) == 0
    assert main(["redrive", "--dry-run"]) == 0
    assert not {"start_message_move_task", "list_message_move_tasks"} & set(sqs.calls)


def test_nothing_to_move_starts_no_task(use: Use) -> None:
    sqs = use(MovingSqs(Queues()))
    assert main(["redrive"]) == 0
    assert "start_message_move_task" not in sqs.calls


def test_an_older_tasks_end_is_not_taken_for_this_ones(use: Use, capsys: Said) -> None:
    sqs = MovingSqs(Queues(*BODIES))
    old = {"Status": "FAILED", "StartedTimestamp": 7, "ApproximateNumberOfMessagesMoved": 9}
    sqs.tasks = [old]
    use(sqs)
    assert main(["redrive", "--json"]) == 0
    assert said_json(capsys)["moved"] == 4


def test_a_task_that_runs_already_is_followed_first(use: Use, capsys: Said) -> None:
    sqs = MovingSqs(Queues(*BODIES))
    sqs.start({"SourceArn": sqs.queues.dead, "DestinationArn": sqs.queues.rollup})
    use(sqs)
    assert main(["redrive"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "A move that was started before has ended, 4 moved: completed\n"
    assert shown.out == "No dead letters.\n"
    assert "start_message_move_task" not in sqs.calls


def test_a_task_that_fails_says_why_and_is_exit_one(use: Use, capsys: Said) -> None:
    use(MovingSqs(Queues(*BODIES), fails_after=2))
    assert main(["redrive", "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.err == "monthend: failed: AccessDenied\n"
    printed = json.loads(shown.out)
    assert (printed["moved"], printed["failure"]) == (2, "failed: AccessDenied")
    assert {dead_letter["result"] for dead_letter in printed["letters"]} == {"unsure"}


def test_a_task_that_sqs_never_lists_is_not_called_done(use: Use, capsys: Said) -> None:
    sqs = MovingSqs(Queues(*BODIES))
    sqs.start = lambda words: {"TaskHandle": str(words)}  # type: ignore[method-assign]
    use(sqs)
    assert main(["redrive"]) == 1
    assert "SQS does not list the task" in capsys.readouterr().err


def test_a_task_that_moves_nothing_any_more_is_not_waited_for(use: Use, capsys: Said) -> None:
    sqs = MovingSqs(Queues(*BODIES))
    use(sqs)
    moving = sqs._go_on

    def stuck() -> None:
        if not sqs.tasks or sqs.tasks[0]["ApproximateNumberOfMessagesMoved"] < 2:
            moving()
        assert sqs.calls.count("list_message_move_tasks") < 400

    sqs._go_on = stuck  # type: ignore[method-assign]
    assert main(["redrive", "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["moved"] == 2
    assert "SQS moves nothing any more; its task goes on by itself" in shown.err


def test_who_stops_watching_does_not_stop_the_task(use: Use, capsys: Said) -> None:
    sqs = MovingSqs(Queues(*BODIES))

    def after_the_start(number: int) -> None:
        if (
            sqs.calls[-1:] == ["list_message_move_tasks"]
            and "start_message_move_task" in sqs.calls
        ):
            interrupt()

    sqs.before = after_the_start
    use(sqs)
    assert main(["redrive"]) == 130
    error = "monthend: stopped: SQS goes on moving the letters; nothing is lost, and the same"
    assert capsys.readouterr().err.startswith(error)


def test_a_letter_that_comes_back_ends_the_look(
    use: Use, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "HOLD_SECONDS", 0)
    queues = use(Sqs(Queues(*BODIES))).queues
    assert main(["redrive", "--dry-run", "--json"]) == 0
    assert len(said_json(capsys)["letters"]) == 4
    assert queues.on_dead() == sorted(BODIES)


def test_letters_that_somebody_else_holds_are_told_of(use: Use, capsys: Said) -> None:
    queues = use(Sqs(Queues(*BODIES))).queues
    queues.client.receive_message(QueueUrl=queues.dead, VisibilityTimeout=60)
    assert main(["redrive"]) == 0
    shown = capsys.readouterr().out
    assert "3 given back, 0 left in the dead-letter queue. About 1 mo" in shown


def test_what_would_outlast_the_hold_is_left_for_another_go(
    use: Use, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = use(Sqs(Queues(*BODIES)))
    monkeypatch.setattr(dead_letters, "MARGIN_SECONDS", dead_letters.HOLD_SECONDS)
    assert main(["redrive", "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.err == "monthend: there were too many for one go: run the same command again\n"
    assert shown.out.count('"result": "left"') == 4
    assert (sqs.queues.on_dead(), sqs.queues.hidden()) == (sorted(BODIES), 0)


def test_of_very_many_letters_the_first_are_shown(
    use: Use, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_redrive, "MOST_ROWS", 1)
    use(Sqs(Queues(*BODIES)))
    assert main(["redrive", "--dry-run"]) == 0
    assert "3 more; --json has all" in capsys.readouterr().out


def test_a_stack_without_the_output_is_exit_three(
    tables: Stack, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_options, "connect", lambda _: STACK)
    assert main(["redrive"]) == 3
    error = "monthend: stack test: no output RollupDeadLetterQueueUrl: deploy it anew\n"
    assert capsys.readouterr().err == error


def test_the_age_is_in_the_two_largest_units() -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    ages = {0: "0 min", 59: "59 min", 61: "1 h 1 min", 1439: "23 h 59 min", 4565: "3 d 4 h"}
    for minutes, text in ages.items():
        assert age(now - timedelta(minutes=minutes), now) == text
