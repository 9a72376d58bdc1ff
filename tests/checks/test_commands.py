"""Commands: what happens besides the first right answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.checks.commands import UNKNOWN_COMMAND
from harness.checks.disruptive import COMING_BACK, is_disruptive, restarts
from harness.expectations import Command, Expectations, When
from harness.record import events as ev
from harness.verdict import Outcome
from tests.checks.story import PLANT, at_work, plant_at_work
from tests.checks.words import codes


def expecting(**of_command: Command) -> Expectations:
    return Expectations(command_of=of_command)


@pytest.mark.parametrize(
    ("stated", "status", "payload", "found"),
    [
        (Command(), 202, None, []),
        (Command(), 200, "true", ["error command-response-invalid"]),
        (Command(statuses=(404,)), 404, {"error": "none"}, []),
        (Command(statuses=(404,)), 200, True, ["error command-status"]),
        (Command(response=False), 200, True, ["error command-response-unexpected"]),
        (Command(response=True), 200, True, []),
    ],
)
def test_answers_against_what_is_stated(stated: Command, status: int, payload: object, found: list[str]) -> None:
    story = at_work()
    story.evidence.expectations = expecting(prime=stated)
    story.answered("prime", status, payload)
    assert codes(story.judge("command", "prime")) == found


@pytest.mark.parametrize("path", ["prime", "stop"], ids=["a response declared", "none"])
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"OK", True),
        (b"\xef\xbb\xbf1", True),
        (b"\xff", True),
        (b"NaN", True),
        (b" ", False),
        (b'{"a":1,"a":1}', False),
    ],
)
def test_an_answer_that_is_no_json(path: str, body: bytes, wrong: bool) -> None:
    story = at_work()
    story.tell(ev.CommandSent("dev1", None, path, 1, True, "exercise"))
    story.tell(ev.MethodAnswered("dev1", None, "1", path, 200, body))
    story.tell(ev.CommandReturned("dev1", None, path, 200, "OK", "exercise", 0.1))
    assert ("error command-response-no-json" in codes(story.judge("command", path))) is wrong


def test_the_bytes_of_another_answer_do_not_count() -> None:
    story = at_work()
    story.tell(ev.MethodAnswered("dev1", None, "0", "prime", 200, b"OK"))
    story.tell(ev.CommandSent("dev1", None, "prime", 1, True, "exercise"))
    story.tell(ev.MethodAnswered("dev1", None, "1", "prime", 200, b"OK", late=True))
    story.tell(ev.MethodAnswered("dev1", None, "2", "stop", 200, b"OK"))
    story.tell(ev.MethodAnswered("dev1", None, "3", "prime", 200, b"true"))
    story.tell(ev.CommandReturned("dev1", None, "prime", 200, True, "exercise", 0.1))
    assert codes(story.judge("command", "prime")) == []


def test_a_command_that_is_not_required_may_go_unanswered_with_a_warning() -> None:
    story = at_work()
    story.evidence.expectations = expecting(prime=Command(required=False))
    story.asked("prime", "exercise", None, error_code=404103, error="no handler")
    story.ended()
    assert codes(story.judge("command", "prime")) == ["warning command-no-handler"]
    assert story.judge("command_again", "prime").outcome is Outcome.NOT_CHOSEN
    assert story.judge("rejects_invalid_request", "prime").outcome is Outcome.NOT_CHOSEN


def test_json_in_a_string_is_looked_into() -> None:
    story = at_work()
    story.answered("prime", 200, "true")
    assert "serialised twice" in story.judge("command", "prime").findings[0].message
    story = at_work()
    story.answered("prime", 200, "[5]")
    assert "does not fit either" in story.judge("command", "prime").findings[0].message


def test_a_command_that_is_never_invoked_is_not_judged() -> None:
    story = at_work()
    story.evidence.expectations = expecting(prime=Command(when=When.NEVER))
    assert story.judge("command", "prime").outcome is Outcome.NOT_CHOSEN


def test_a_device_that_disconnects_instead_of_answering_is_one_finding() -> None:
    story = at_work()
    story.tell(ev.CommandSent("dev1", None, "prime", 1, True, "exercise"))
    story.gone()
    story.answered("prime", None, error_code=504101, error="timed out")
    assert codes(story.judge("command", "prime")) == ["error command-disconnected"]
    story.asked("stop", "exercise", None, error_code=404103, error="not online")
    assert story.judge("command", "stop").outcome is Outcome.BLOCKED
    holds = story.judge("connection_holds")
    assert holds.outcome is Outcome.BLOCKED, "one cause, one finding"
    assert "command[prime]" in holds.reason


def test_answers_that_go_wrong_later_are_found() -> None:
    story = at_work()
    story.answered("prime", 200, True)
    story.asked("prime", "again", 200, True)
    assert codes(story.judge("command_again", "prime")) == []
    story.asked("prime", "again", 500)
    result = story.judge("command_again", "prime")
    assert codes(result) == ["error command-status"]
    assert "though not at first" in result.findings[0].message
    assert codes(story.judge("command", "prime")) == []


@pytest.mark.parametrize(
    ("stated", "setting", "took", "found"),
    [
        (3.0, 30.0, 2.5, []),
        (3.0, 30.0, 3.5, ["error command-timed-out"]),
        (None, 2.0, 3.5, ["error command-timed-out"]),
        (4.0, 2.0, 3.5, []),
        (None, None, 3.5, []),
        (5.0, 30.0, 6.0, []),  # the hub has waited so long for the answer, and before that for the device
    ],
)
def test_a_time_shorter_than_the_hub_waits_is_judged_by_the_time_it_took(
    stated: float | None, setting: float | None, took: float, found: list[str]
) -> None:
    story = at_work()
    if setting is not None:
        story.tell(ev.RunStarted("2026-01-01T00:00:00Z", {"command-timeout": setting}, {}))
    story.evidence.expectations = expecting(prime=Command(timeout=stated))
    story.tell(ev.CommandReturned("dev1", None, "prime", 200, True, "exercise", took))
    assert codes(story.judge("command", "prime")) == found


@pytest.mark.parametrize(("stated", "said"), [(600.0, True), (300.0, False), (None, False)])
def test_a_time_longer_than_the_hub_waits_is_said_so(stated: float | None, said: bool) -> None:
    story = at_work()
    story.evidence.expectations = expecting(prime=Command(timeout=stated))
    story.answered("prime", None, error_code=504101, error="timed out")
    (found,) = story.judge("command", "prime").findings
    assert found.code == "command-timed-out"
    assert ("IoT Hub waits 300 s at most" in found.message) is said


@pytest.mark.parametrize(
    ("status", "code", "found"),
    [
        (404, None, []),
        (500, None, []),
        (200, None, ["warning unknown-command-accepted"]),
        (None, 504101, ["warning unknown-command-not-answered"]),
    ],
)
def test_an_unknown_command(status: int | None, code: int | None, found: list[str]) -> None:
    story = at_work()
    story.asked(UNKNOWN_COMMAND, "unknown", status, error_code=code)
    assert codes(story.judge("unknown_command")) == found


def test_a_reboot_that_ends_in_a_new_connection_passes() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.gone().connected(PLANT).ended()
    assert codes(story.judge("command", "reboot")) == []
    assert codes(story.judge("connection_holds")) == []


def test_a_reboot_from_which_nothing_returns_fails_once() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.gone().ended()
    assert codes(story.judge("command", "reboot")) == ["error command-no-return"]
    assert codes(story.judge("connection_holds")) == []


def test_a_device_that_reboots_before_it_answers_fails_once() -> None:
    story = plant_at_work()
    story.tell(ev.CommandSent("dev1", None, "reboot", 1, True, "exercise"))
    story.gone().connected(PLANT)
    story.tell(ev.CommandReturned("dev1", None, "reboot", None, None, "exercise", 30.0, 504101, "timed out"))
    story.ended()
    assert codes(story.judge("command", "reboot")) == ["error command-disconnected"]
    assert codes(story.judge("connection_holds")) == []


def test_a_connection_lost_after_another_command_was_not_asked_for() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.gone().connected(PLANT)
    story.asked("valve1.open", "again", 200, True)
    story.gone().ended()
    assert codes(story.judge("connection_holds")) == ["error device-disconnected"]


def test_a_command_that_is_only_left_to_the_end_excuses_no_loss() -> None:
    story = plant_at_work()
    story.evidence.expectations = Expectations(command_of={"valve1.open": Command(when=When.LAST)})
    story.asked("valve1.open", "exercise", 200, True)
    story.gone().ended()
    assert codes(story.judge("connection_holds")) == ["error device-disconnected"]


def test_the_end_of_the_run_is_no_loss_of_the_connection() -> None:
    story = plant_at_work().ended().gone()
    story.tell(ev.DeviceExited(-15, True))
    assert story.evidence.lost is None


@pytest.mark.parametrize(
    ("name", "comes_back"),
    [
        *((name, True) for name in ("reboot", "rebootDevice", "systemRestart", "factoryReset", "performFactoryReset")),
        *((name, True) for name in ("factory_reset_device", "triggerHardReset", "restoreFactoryDefaults")),
        *((name, False) for name in ("shutdown", "powerOffDevice", "shutDownDevice", "systemPowerOff")),
    ],
)
def test_commands_that_are_left_to_the_end(name: str, comes_back: bool) -> None:
    evidence = plant_at_work().evidence
    capability = replace(evidence.by_path["reboot"], name=name)
    assert is_disruptive(evidence, capability)
    assert restarts(evidence, capability) is comes_back


@pytest.mark.parametrize(
    "name", ["reset", "resetCounters", "getMaxMinReport", "haltingProblem2", "start", "setPower", "power"]
)
def test_commands_that_only_sound_so(name: str) -> None:
    evidence = plant_at_work().evidence
    assert not is_disruptive(evidence, replace(evidence.by_path["reboot"], name=name))


def test_what_disturbs_is_known_by_name_or_by_statement() -> None:
    evidence = plant_at_work().evidence
    assert is_disruptive(evidence, evidence.by_path["reboot"])
    assert restarts(evidence, evidence.by_path["reboot"])
    assert not is_disruptive(evidence, evidence.by_path["valve1.open"])
    evidence.expectations = Expectations(command_of={"valve1.open": Command(restarts=True)})
    assert is_disruptive(evidence, evidence.by_path["valve1.open"])


def test_a_command_that_dies_of_an_invalid_request_is_one_finding() -> None:
    story = at_work()
    story.asked("prime", "exercise", 200, True)
    story.asked("prime", "negative", None, error_code=504101, error="timed out")
    story.asked("prime", "again", None, error_code=504101, error="timed out")
    assert codes(story.ended().judge("rejects_invalid_request", "prime")) == ["error dead-after-invalid-input"]
    again = story.judge("command_again", "prime")
    assert again.outcome is Outcome.BLOCKED
    assert "rejects_invalid_request[prime]" in again.reason


def test_a_device_reset_without_a_word_that_stays_silent_has_not_come_back() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.tell(ev.WaitEnded(COMING_BACK.format("reboot"), False, 60, 60, "no sign of life"))
    assert codes(story.judge("command", "reboot")) == ["error command-no-return"]


def test_an_answer_that_is_noted_does_not_hide_that_it_stays_away() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200, {"rebooting": True})
    story.gone().ended()
    found = codes(story.judge("command", "reboot"))
    assert found == ["info command-response-undeclared", "error command-no-return"]


def test_a_device_that_was_back_and_goes_for_another_reason_has_come_back() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.gone().connected(PLANT).gone()
    assert codes(story.judge("command", "reboot")) == []


def test_an_answer_that_was_noted_at_first_is_looked_at_again() -> None:
    story = at_work()
    story.asked("stop", "exercise", 200, {"stopped": True})
    assert codes(story.judge("command", "stop")) == ["info command-response-undeclared"]
    story.asked("stop", "again", 200, {"stopped": True})
    assert codes(story.judge("command_again", "stop")) == []
    story.asked("stop", "again", 500)
    assert codes(story.judge("command_again", "stop")) == ["error command-status"]


@pytest.mark.parametrize(
    ("status", "again", "found"),
    [
        (200, 200, []),
        (400, 200, []),
        (None, 200, ["warning invalid-request-not-answered"]),
        (None, None, ["error dead-after-invalid-input"]),
    ],
)
def test_a_request_that_a_command_does_not_take(status: int | None, again: int | None, found: list[str]) -> None:
    story = at_work()
    story.asked("stop", "exercise", 200)
    story.asked("stop", "negative", status)
    story.asked("stop", "again", again)
    assert codes(story.ended().judge("rejects_invalid_request", "stop")) == found
