"""What the maker states, as the checks judge by it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from harness.checks import waiving
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import CaseResult, Outcome, Severity, roll_up
from tests.checks.story import DEVICE, Story, at_work

DAY = "2026-05-01T12:00:00.000+00:00"


def stated(profile: str = "standard", **tables: Any) -> Story:
    """A connected device about which something was stated."""
    story = Story()
    story.tell(ev.RunStarted(DAY, {"profile": profile}, {}), ev.ExpectationsStated(tables))
    return story.opened().registered().connected()


def flows(story: Story, times: Sequence[float], value: Any = 1.5) -> None:
    """Telemetry `flow` at these seconds."""
    for t in times:
        at(story, t, ev.TelemetryReceived(DEVICE, None, None, f'{{"flow": {value}}}'.encode()))


def at(story: Story, t: float, event: ev.Event) -> None:
    """An event at a time of its own."""
    n = (story.evidence.last.n if story.evidence.last else 0) + 1
    story.evidence.add(Entry(n, t, event))


def over(story: Story, t: float, reason: str = "window-elapsed") -> Story:
    at(story, t, ev.ObservationEnded(reason, t))
    return story


def codes(result: CaseResult) -> list[tuple[str, str]]:
    return [(f.code, f.severity.value) for f in result.findings]


# --- elements that are left alone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "path", "check"),
    [
        ("telemetry", "flow", "telemetry"),
        ("properties", "hours", "read_only_property"),
        ("properties", "speed", "writable_property"),
        ("commands", "stop", "command"),
    ],
)
def test_what_is_not_implemented_is_a_warning_and_what_is_not_judged_is_skipped(
    table: str, path: str, check: str
) -> None:
    absent: dict[str, Any] = {table: {path: {"implemented": False}}}
    result = stated(**absent).over().judge(check, path)
    assert (result.outcome, codes(result)) == (Outcome.WARNING, [("element-not-implemented", "warning")])
    alone: dict[str, Any] = {table: {path: {"judged": False}}}
    result = stated(**alone).over().judge(check, path)
    assert result.outcome is Outcome.NOT_CHOSEN
    assert "judged = false" in result.reason


def test_a_run_of_which_nothing_was_chosen_has_not_passed() -> None:
    result = stated(telemetry={"flow": {"judged": False}}).over().judge("telemetry", "flow")
    assert roll_up([result]).value == "failed"


def test_what_is_said_not_to_be_implemented_but_seen_is_told() -> None:
    story = stated(telemetry={"flow": {"implemented": False}})
    flows(story, [1])
    assert story.judge("telemetry", "flow").findings[0].actual == "seen all the same"


# --- telemetry ----------------------------------------------------------------------------------------


def test_required_telemetry_that_is_not_seen_fails() -> None:
    story = stated(telemetry={"flow": {"required": True, "trigger": "press the button"}}).over()
    result = story.judge("telemetry", "flow")
    assert codes(result) == [("telemetry-not-seen", "error")]
    assert "press the button" in result.findings[0].remedy


@pytest.mark.parametrize(("required", "severity"), [(False, "warning"), (True, "error")])
def test_fewer_messages_than_stated(required: bool, severity: str) -> None:
    story = stated(telemetry={"flow": {"count": 3, "required": required}})
    flows(story, [1, 2])
    assert codes(over(story, 60).judge("telemetry", "flow")) == [("telemetry-fewer-than-stated", severity)]
    flows(story, [61])
    assert story.judge("telemetry", "flow").outcome is Outcome.PASSED


def test_the_smoke_profile_is_content_with_one_message() -> None:
    story = stated("smoke", telemetry={"flow": {"count": 3, "interval": 5}}, device={"messages": 9, "within": 5})
    flows(story, [1])
    over(story, 2, "complete")
    assert story.judge("telemetry", "flow").outcome is Outcome.PASSED
    assert story.judge("messages_as_stated").outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("times", "end", "found"),
    [
        ([1, 6, 11], 12, []),
        ([1, 4, 11], 12, []),
        ([1, 2, 7], 12, ["telemetry-interval"]),
        ([1, 6, 15], 16, ["telemetry-interval"]),
        ([1, 6], 60, ["telemetry-interval"]),
        ([1], 5, ["telemetry-interval-not-measured"]),
    ],
)
def test_the_interval_is_judged_by_the_gaps(times: list[float], end: float, found: list[str]) -> None:
    story = stated(telemetry={"flow": {"interval": 5, "tolerance": 0.5}})
    flows(story, times)
    result = over(story, end).judge("telemetry", "flow")
    assert [f.code for f in result.findings] == found
    assert result.outcome is (Outcome.WARNING if found == ["telemetry-interval"] else Outcome.PASSED)


def test_the_measured_figures_are_told() -> None:
    story = stated(telemetry={"flow": {"interval": 5, "tolerance": 0.2}})
    flows(story, [1, 2, 12])
    finding = over(story, 13).judge("telemetry", "flow").findings[0]
    assert "2 of 2 gaps" in finding.message
    assert finding.expected == "every 5 s, 20% more or less"
    assert finding.actual == "gaps from 1.0 s to 10.0 s, 5.5 s on average"


def test_a_gap_across_a_lost_connection_is_not_the_intervals_fault() -> None:
    story = stated(telemetry={"flow": {"interval": 5}})
    flows(story, [1, 6])
    at(story, 7, ev.HubDisconnected(DEVICE, None, "device", ""))
    flows(story, [30, 35])
    assert over(story, 36).judge("telemetry", "flow").outcome is Outcome.PASSED


def test_values_out_of_the_stated_range_and_never_as_stated() -> None:
    story = stated(telemetry={"flow": {"minimum": 0, "maximum": 10, "expected": 5}})
    flows(story, [1], 11)
    flows(story, [2], -3)
    result = over(story, 3).judge("telemetry", "flow")
    assert codes(result) == [("telemetry-out-of-range", "error"), ("telemetry-not-as-expected", "error")]
    assert result.findings[0].expected == "from 0 to 10"
    assert result.findings[0].actual == "from -3 to 11"
    good = stated(telemetry={"flow": {"minimum": 0, "maximum": 10, "expected": 5}})
    flows(good, [1], 5.0)
    flows(good, [2], 6)
    assert over(good, 3).judge("telemetry", "flow").outcome is Outcome.PASSED


# --- number and frequency of messages -----------------------------------------------------------------


def test_messages_as_stated() -> None:
    story = stated(device={"messages": 3, "within": 10})
    flows(story, [1, 20, 25])
    result = over(story, 60).judge("messages_as_stated")
    assert codes(result) == [("messages-fewer-than-stated", "error")]
    assert result.findings[0].expected == "3 messages in 10 s"
    assert result.findings[0].actual == "2"
    flows(story, [61, 65, 69])
    assert story.judge("messages_as_stated").outcome is Outcome.PASSED


def test_no_telemetry_at_all_fails_unless_all_of_it_is_triggered() -> None:
    assert codes(at_work().over().judge("messages_as_stated")) == [("no-telemetry", "error")]
    triggered = {"flow": {"trigger": "press"}, "part1.heat": {"trigger": "warm it"}}
    assert codes(stated(telemetry=triggered).over().judge("messages_as_stated")) == [("no-telemetry", "warning")]
    alone = {"flow": {"implemented": False}, "part1.heat": {"judged": False}}
    assert stated(telemetry=alone).over().judge("messages_as_stated").outcome is Outcome.PASSED
    assert at_work().judge("messages_as_stated").outcome is Outcome.BLOCKED


# --- whether it fits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"telemetry": {"flwo": {}}}, "telemetry flwo, which the model does not declare (did you mean `flow`?)"),
        ({"properties": {"part1.seriall": {}}}, "did you mean `part1.serial`?"),
        ({"commands": {"flow": {}}}, "flow is stated as a command, but the model declares it as telemetry."),
        ({"commands": {"prime": {"payload": "x"}}}, "Command prime does not take the stated payload"),
        ({"commands": {"stop": {"payload": 5}}}, "Command stop declares no request."),
        ({"commands": {"prime": {"response": 5}}}, "the stated response 5"),
        ({"properties": {"speed": {"values": [1, "x"]}}}, 'the stated values "x"'),
        ({"properties": {"hours": {"values": [1]}}}, "Property hours is read-only"),
        ({"properties": {"hours": {"reported": "x"}}}, "the stated reported"),
        ({"properties": {"part1.serial": {"minimum": 1}}}, "is no number"),
        ({"telemetry": {"flow": {"expected": "x"}}}, "Telemetry flow does not take the stated expected"),
    ],
)
def test_what_does_not_fit_the_model_is_an_error(tables: dict[str, Any], message: str) -> None:
    result = stated(**tables).judge("expectations_fit_model")
    assert result.outcome is Outcome.FAILED
    assert [message in f.message for f in result.findings] == [True], result.findings


def test_what_fits_passes() -> None:
    story = stated(
        telemetry={"flow": {"expected": 1, "minimum": 0}, "part1.heat": {"interval": 5}},
        properties={"speed": {"values": [1, 2]}, "part1.serial": {"reported": "x"}},
        commands={"prime": {"payload": 5, "response": True}, "stop": {"payload": None, "when": "never"}},
    )
    assert story.judge("expectations_fit_model").outcome is Outcome.PASSED


# --- waivers ------------------------------------------------------------------------------------------


def waiver(expires: str = "2026-05-01", **more: str) -> dict[str, str]:
    return {"finding": "telemetry-invalid", "owner": "QA", "reason": "known", "expires": expires, **more}


def test_a_waived_finding_is_a_note_with_the_owners_words() -> None:
    story = stated(waivers=[waiver()])
    flows(story, [1], '"x"')
    result = story.judge("telemetry", "flow")
    assert result.outcome is Outcome.PASSED
    assert codes(result) == [("telemetry-invalid", "info")]
    assert "waived by QA until 2026-05-01: known" in result.findings[0].message


def test_what_is_not_waived_still_counts_and_comes_first() -> None:
    story = stated(waivers=[waiver()], telemetry={"flow": {"count": 2}})
    flows(story, [1], '"x"')
    result = over(story, 60).judge("telemetry", "flow")
    assert result.outcome is Outcome.WARNING
    assert codes(result) == [("telemetry-fewer-than-stated", "warning"), ("telemetry-invalid", "info")]


def test_a_waiver_for_another_element_does_not_waive() -> None:
    story = stated(waivers=[waiver(element="part1.heat")])
    flows(story, [1], '"x"')
    assert story.judge("telemetry", "flow").outcome is Outcome.FAILED


def test_an_expired_waiver_does_not_waive_and_fails_itself() -> None:
    story = stated(waivers=[waiver("2026-04-30", element="flow")])
    flows(story, [1], '"x"')
    assert story.judge("telemetry", "flow").outcome is Outcome.FAILED
    result = story.judge("waivers_are_in_force")
    assert codes(result) == [("waiver-expired", "error")]
    assert "The waiver of telemetry-invalid of flow, for which QA answers, expired on 2026-04-30" in str(result)


def test_a_waiver_that_met_nothing_is_a_note() -> None:
    story = stated(waivers=[waiver()])
    flows(story, [1])
    assert codes(over(story, 60).judge("waivers_are_in_force")) == [("waiver-unused", "info")]
    used = stated(waivers=[waiver()])
    flows(used, [1], '"x"')
    assert codes(over(used, 60).judge("waivers_are_in_force")) == []


def test_an_expired_waiver_cannot_be_waived() -> None:
    rows = [waiver("2026-04-30"), {**waiver(), "finding": waiving.EXPIRED}]
    result = stated(waivers=rows).judge("waivers_are_in_force")
    assert [s for _, s in codes(result)] == ["error"]


def test_a_record_without_its_day_has_no_waiver_in_force() -> None:
    story = Story()
    story.tell(ev.ExpectationsStated({"waivers": [waiver()]}))
    assert waiving.in_force(story.evidence) == ()
    assert story.evidence.expectations.waivers[0].expires == datetime.date(2026, 5, 1)
    assert Severity.INFO.value == "info"
