"""Both twins, DeviceInformation, the model's language, and messages to the device."""

from __future__ import annotations

from typing import Any

import pytest

from harness.dtdl import parse
from harness.expectations import Device, Expectations
from harness.record import events as ev
from harness.verdict import Outcome
from tests.checks.story import DEVICE, ROOT, Story, at_work
from tests.checks.words import codes

# --- digital twin and device twin --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "view", "found"),
    [
        ({"hours": 3}, {"hours": 3}, []),
        ({"speed": {"value": 3, "ac": 200, "av": 1}}, {"speed": 3}, []),
        ({"part1": {"__t": "c", "serial": "x"}}, {"part1": {"serial": "x", "$metadata": {}}}, []),
        ({"part1": {"serial": "x"}}, {"part1": {"serial": "x"}}, ["error property-not-in-digital-twin"]),
        ({"part1": {"__t": "c", "serial": "x"}}, {}, ["error property-not-in-digital-twin"]),
        ({"hours": 3}, {}, ["error property-not-in-digital-twin"]),
        ({"hours": 3}, {"hours": 4}, ["error twins-differ"]),
        ({}, {"hours": 4}, []),
    ],
)
def test_twins(reported: Any, view: Any, found: list[str]) -> None:
    story = at_work()
    twin = {"properties": {"reported": reported, "desired": {}}}
    story.tell(ev.TwinRead(DEVICE, twin), ev.DigitalTwinRead(DEVICE, view), ev.TwinRead(DEVICE, twin))
    result = story.judge("twins_agree")
    assert codes(result) == found
    assert (result.outcome is Outcome.NOT_OBSERVABLE) == (not reported), "nothing could be compared"


def test_what_changes_while_the_twins_are_read_is_not_compared() -> None:
    story = at_work()
    one, two = ({"properties": {"reported": {"hours": n}}} for n in (1, 2))
    story.tell(ev.TwinRead(DEVICE, one), ev.DigitalTwinRead(DEVICE, {"hours": 9}), ev.TwinRead(DEVICE, two))
    assert story.judge("twins_agree").outcome is Outcome.NOT_OBSERVABLE


def test_twins_that_were_not_read_again_are_blocked() -> None:
    story = at_work()
    story.tell(ev.DigitalTwinRead(DEVICE, {}), ev.TwinRead(DEVICE, {}))
    assert story.judge("twins_agree").outcome is Outcome.BLOCKED


# --- DeviceInformation -------------------------------------------------------------------------------

INFO = "dtmi:azure:DeviceManagement:DeviceInformation;1"
AS_PUBLISHED = {
    "manufacturer": "string",
    "model": "string",
    "swVersion": "string",
    "osName": "string",
    "totalStorage": "double",
    "totalMemory": "double",
}


def informing(schemas: dict[str, str], interface: str = INFO, writable: bool = False) -> Story:
    contents = [{"@type": "Property", "name": n, "schema": s, "writable": writable} for n, s in schemas.items()]
    shared = {"@context": "dtmi:dtdl:context;2", "@type": "Interface"}
    root = {**shared, "@id": ROOT, "contents": [{"@type": "Component", "name": "info", "schema": interface}]}
    model = parse([root, {**shared, "@id": interface, "contents": contents}])
    return Story(model=model).opened().registered().connected()


@pytest.mark.parametrize(
    ("story", "found"),
    [
        (informing(AS_PUBLISHED), ["info device-info-wording"]),
        (informing({"manufacturer": "string"}), []),
        (informing({"manufacturer": "string"}, writable=True), ["error device-info-writable"]),
        (informing({"manufacturer": "integer"}), ["error device-info-schema"]),
        (informing({"colour": "string"}), ["error device-info-schema"]),
        (informing(AS_PUBLISHED, "dtmi:vendor:DeviceInformation;1"), ["warning device-info-variant"]),
    ],
)
def test_device_information(story: Story, found: list[str]) -> None:
    assert codes(story.judge("device_information")) == found


def test_totals_with_a_unit_do_not_fit() -> None:
    story = informing(AS_PUBLISHED)
    story.reported({"info": {"__t": "c", "totalMemory": "64 GB", "osName": None}})
    for path in ("info.totalMemory", "info.osName"):
        result = story.judge("read_only_property", path)
        assert codes(result) == ["error property-invalid"]
        assert result.requirement == "IoTPnP.DeviceInfoInterface"


def test_device_information_that_the_model_does_not_have() -> None:
    story = at_work()
    assert codes(story.judge("device_information")) == []
    story.reported({"deviceInformation": {"__t": "c", **dict.fromkeys(AS_PUBLISHED, "x")}})
    assert codes(story.judge("device_information")) == ["error device-info-not-in-model"]


# --- the model's language ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "found"),
    [
        ("dtmi:dtdl:context;2", []),
        (["dtmi:dtdl:context;2", "dtmi:iotcentral:context;2"], []),
        ("dtmi:dtdl:context;3", ["warning model-version-newer"]),
        (["dtmi:dtdl:context;4"], ["warning model-version-newer"]),
    ],
)
def test_the_version_of_dtdl(context: object, found: list[str]) -> None:
    story = at_work()
    story.tell(ev.ModelResolved(ROOT, "here", {ROOT: {"@context": context}}))
    assert codes(story.judge("model_is_dtdl_v2")) == found


# --- messages to the device --------------------------------------------------------------------------


def listening() -> Story:
    story = at_work()
    story.tell(ev.Subscribed(DEVICE, None, ((f"devices/{DEVICE}/messages/devicebound/#", 1, 1),)))
    return story


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        ("Success", []),
        (None, ["error c2d-not-acknowledged"]),
        ("Expired", ["error c2d-not-acknowledged"]),
    ],
)
def test_a_message_to_the_device(outcome: str | None, found: list[str]) -> None:
    story = listening()
    story.tell(ev.C2dSent(DEVICE, "m1", b"hello"))
    if outcome:
        story.tell(ev.C2dSettled(DEVICE, "m1", outcome, 1))
    assert codes(story.ended().judge("receives_c2d")) == found


def test_feedback_stands_where_the_wire_cannot_be_seen() -> None:
    story = at_work()
    story.tell(ev.C2dSent(DEVICE, "m1", b"hello"), ev.C2dFeedback(DEVICE, "m1", "Success"))
    assert codes(story.judge("receives_c2d")) == []


@pytest.mark.parametrize(
    ("stated", "found"), [(None, ["info c2d-not-subscribed"]), (True, ["error c2d-not-subscribed"]), (False, None)]
)
def test_a_device_that_takes_no_messages(stated: bool | None, found: list[str] | None) -> None:
    story = at_work().ended()
    story.evidence.expectations = Expectations(device=Device(c2d=stated))
    result = story.judge("receives_c2d")
    assert codes(result) == (found or [])
    assert (result.outcome is Outcome.NOT_CHOSEN) == (found is None)
