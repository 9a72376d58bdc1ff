"""Negative tests: an error, and the device lives on."""

from __future__ import annotations

import pytest

from harness.checks.invalid import invalid_requests, invalid_values
from harness.dtdl import parse
from harness.expectations import Command, Expectations, Property
from harness.verdict import Outcome
from tests.checks.story import Story, plant_at_work
from tests.checks.words import codes


def set_wrongly(answer: object | None, *, revived: bool = True, error: str = "") -> Story:
    story = plant_at_work()
    story.wrote_together({"speed": "5"}, 3, "negative", error)
    if answer is not None:
        story.reported({"speed": answer})
    story.wrote_together({"speed": 5}, 4, "revived")
    if revived:
        story.acked("speed", 5, 4)
    return story


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"value": 3, "ac": 400, "av": 3, "ad": "no integer"}, []),
        ({"value": 3, "ac": 500, "av": 3}, []),
        ({"value": 3, "ac": 200, "av": 3}, []),  # it took another value, and says which
        ({"value": "5", "ac": 200, "av": 3}, ["warning invalid-value-accepted"]),
        ({"value": "5", "ac": 400, "av": 3}, []),
        (None, ["warning invalid-value-ignored"]),
    ],
)
def test_an_invalid_value(answer: object, found: list[str]) -> None:
    assert codes(set_wrongly(answer).judge("rejects_invalid_value", "speed")) == found


def test_a_device_that_dies_of_an_invalid_value_fails() -> None:
    result = set_wrongly(None, revived=False).judge("rejects_invalid_value", "speed")
    assert codes(result) == ["error dead-after-invalid-input"]
    result = set_wrongly(None, revived=False).gone().judge("rejects_invalid_value", "speed")
    assert "lost its connection" in result.findings[0].message


def test_a_property_that_was_dead_before_is_blocked() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 4}, 2, "revived")
    story.wrote_together({"speed": "5"}, 3, "negative")
    story.wrote_together({"speed": 5}, 4, "revived")
    assert story.judge("rejects_invalid_value", "speed").outcome is Outcome.BLOCKED


def test_a_value_that_the_twin_refuses_is_not_the_devices_fault() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 2**60}, 3, "negative", "400004: out of range")
    assert codes(story.judge("rejects_invalid_value", "speed")) == []


HUB_FAILED = "500001: the service is unavailable"


def test_a_call_that_fails_for_want_of_the_service_is_no_dead_device() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": "5"}, 3, "negative")
    story.wrote_together({"speed": 5}, None, "revived", HUB_FAILED)
    result = story.judge("rejects_invalid_value", "speed")
    assert result.outcome is Outcome.BLOCKED
    assert HUB_FAILED in result.reason
    story = plant_at_work()
    story.wrote_together({"speed": "5"}, None, "negative", HUB_FAILED)
    assert story.judge("rejects_invalid_value", "speed").outcome is Outcome.BLOCKED


@pytest.mark.parametrize("fails", ["again", "negative"])
def test_a_command_that_the_service_could_not_send_is_no_dead_device(fails: str) -> None:
    story = plant_at_work()
    story.asked("valve1.open", "exercise", 200, True)
    for purpose, status in (("negative", 400), ("again", 200)):
        if purpose == fails:
            story.asked("valve1.open", purpose, None, error=HUB_FAILED, error_code=500001)
        else:
            story.asked("valve1.open", purpose, status, True)
    result = story.judge("rejects_invalid_request", "valve1.open")
    assert result.outcome is Outcome.BLOCKED
    assert HUB_FAILED in result.reason


def test_opting_out() -> None:
    story = plant_at_work()
    story.evidence.expectations = Expectations(
        property_of={"speed": Property(negative=False)}, command_of={"valve1.open": Command(negative=False)}
    )
    assert story.judge("rejects_invalid_value", "speed").outcome is Outcome.NOT_CHOSEN
    assert story.judge("rejects_invalid_request", "valve1.open").outcome is Outcome.NOT_CHOSEN
    assert story.judge("rejects_invalid_request", "reboot").outcome is Outcome.NOT_CHOSEN


@pytest.mark.parametrize(
    ("status", "again", "found"),
    [
        (400, 200, []),
        (404, 200, []),
        (200, 200, ["warning invalid-request-accepted"]),
        (None, 200, ["warning invalid-request-not-answered"]),
        (None, None, ["error dead-after-invalid-input"]),
        (400, None, ["error dead-after-invalid-input"]),
    ],
)
def test_an_invalid_request(status: int | None, again: int | None, found: list[str]) -> None:
    story = plant_at_work()
    story.asked("valve1.open", "exercise", 200, True)
    story.asked("valve1.open", "negative", status)
    story.asked("valve1.open", "again", again, True)
    assert codes(story.judge("rejects_invalid_request", "valve1.open")) == found


@pytest.mark.parametrize(
    "schema", ["boolean", "integer", "long", "float", "double", "string", "date", "dateTime", "time", "duration"]
)
def test_what_is_sent_is_plainly_wrong(schema: str) -> None:
    interface = {
        "@context": "dtmi:dtdl:context;2",
        "@id": "dtmi:test:One;1",
        "@type": "Interface",
        "contents": [
            {"@type": "Property", "name": "p", "schema": schema, "writable": True},
            {"@type": "Command", "name": "c", "request": {"name": "r", "schema": schema}},
        ],
    }
    p, c = parse([interface]).capabilities("dtmi:test:One;1")
    for value in invalid_values(p):
        assert value is not None
        assert not isinstance(value, (dict, list))
        assert not (schema in ("integer", "long") and isinstance(value, float))
    assert invalid_values(p)
    assert None in invalid_requests(c)
