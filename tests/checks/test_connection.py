"""The connection: transport, user name, rules of MQTT, and that it holds."""

from __future__ import annotations

import pytest

from harness.record import events as ev
from harness.verdict import Outcome
from tests.checks.story import DEVICE, PLANT, ROOT, Story, at_work, plant_at_work
from tests.checks.words import codes


@pytest.mark.parametrize(
    ("transport", "found"), [("mqtt", []), ("websocket", []), ("amqp", ["error transport-not-mqtt"])]
)
def test_the_transport(transport: str, found: list[str]) -> None:
    story = Story().opened().registered().connected(transport=transport)
    assert codes(story.judge("transport_is_mqtt")) == found


def test_a_device_that_comes_over_https_only() -> None:
    story = Story().opened().registered()
    assert story.judge("transport_is_mqtt").outcome is Outcome.BLOCKED
    story.telemetry({"flow": 1})
    assert codes(story.judge("transport_is_mqtt")) == ["error transport-not-mqtt"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("api-version=2021-04-12&model-id=dtmi:test:Pump;1&DeviceClientType=azure-iot-device%2F1.2%20(x64)", []),
        ("api-version=2021-04-12&DeviceClientType=py%2f3.0%28Linux%3bx86%29&model-id=dtmi%3Atest%3APump%3B1", []),
        ("api-version=2021-04-12&DeviceClientType=my device/1.0", ["warning user-name-not-encoded"]),
        ("api-version=2021-04-12&DeviceClientType=50%", ["warning user-name-not-encoded"]),
    ],
)
def test_the_user_name(query: str, found: list[str]) -> None:
    story = Story().opened().registered().connected(raw_user_name=f"hub/{DEVICE}/?{query}")
    assert codes(story.judge("user_name_is_encoded")) == found


@pytest.mark.parametrize(
    ("version", "model", "found"),
    [
        ("2020-09-30", ROOT, []),
        ("2021-04-12", ROOT, []),
        ("2018-06-30", None, []),
        ("2019-10-01", ROOT, ["error api-version-too-old"]),
        ("", ROOT, ["error api-version-too-old"]),
    ],
)
def test_the_api_version(version: str, model: str | None, found: list[str]) -> None:
    story = Story().opened().registered().connected(model, api_version=version)
    assert codes(story.judge("api_version_knows_models")) == found


@pytest.mark.parametrize(("closed", "severity"), [(True, "error"), (False, "warning")])
def test_rules_of_mqtt(closed: bool, severity: str) -> None:
    story = at_work()
    assert codes(story.judge("keeps_mqtt_rules")) == []
    for _ in range(2):
        story.tell(ev.ProtocolViolation(DEVICE, None, "qos-2", "a PUBLISH with QoS 2", closed))
    story.tell(ev.ProtocolViolation(DEVICE, None, "dps-poll-too-early", "early", False))
    result = story.judge("keeps_mqtt_rules")
    assert codes(result) == [f"{severity} mqtt-qos-2"]
    assert "2 times" in result.findings[0].actual
    assert "MQTT" in result.findings[0].clause


def test_a_keep_alive_that_is_not_kept() -> None:
    story = at_work().gone("hub", "nothing heard for 90 s (keep-alive)", 404104)
    assert codes(story.judge("keeps_mqtt_rules")) == ["error mqtt-keep-alive"]


def test_a_refused_request_over_https() -> None:
    story = at_work()
    story.tell(ev.DeviceRequestRefused(DEVICE, "POST", "/devices/dev1/files", 403, 403006, "ten uploads are open"))
    assert codes(story.judge("keeps_mqtt_rules")) == ["warning device-request-refused"]


@pytest.mark.parametrize(
    ("times", "found"), [(0, []), (1, ["warning second-connection"]), (3, ["error second-connection"])]
)
def test_a_second_client_of_the_same_identity(times: int, found: list[str]) -> None:
    story = at_work()
    for _ in range(times):
        story.gone("hub", "a newer connection of the same identity replaced it", 400027).connected()
    assert codes(story.judge("one_connection_for_an_identity")) == found
    assert codes(story.judge("connection_holds")) == [], "that is found once"


@pytest.mark.parametrize(
    ("drops", "back", "found"),
    [
        (0, True, []),
        (1, True, ["info device-reconnected"]),
        (3, True, ["warning device-reconnected"]),
        (1, False, ["error device-disconnected"]),
    ],
)
def test_whether_the_connection_holds(drops: int, back: bool, found: list[str]) -> None:
    story = at_work()
    for left in reversed(range(drops)):
        story.gone()
        if left or back:
            story.connected()
    assert codes(story.ended().judge("connection_holds")) == found


def test_a_program_that_ends_in_the_middle_is_one_finding_and_blocks_what_comes_later() -> None:
    story = at_work().gone()
    story.tell(ev.DeviceExited(1, False, ("Traceback",)))
    story.over("device-gone", 2).ended()
    result = story.judge("connection_holds")
    assert codes(result) == ["error device-ended"]
    assert "Traceback" in result.findings[0].actual
    for name, path in (("command", "prime"), ("writable_property", "speed"), ("read_only_property", "hours")):
        assert story.judge(name, path).outcome is Outcome.BLOCKED
    assert story.judge("unknown_command").outcome is Outcome.BLOCKED


def test_a_device_that_dies_of_something_is_found_where_that_is_judged() -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    story.gone()
    story.tell(ev.DeviceExited(7, False, ("Traceback", "ValueError: 5")))
    story.over("device-gone", 2).ended()
    (found,) = story.judge("writable_property", "speed").findings
    assert (found.code, "exit code 7" in found.message, "ValueError: 5" in found.message) == (
        "property-not-acknowledged",
        True,
        True,
    )
    holds = story.judge("connection_holds")
    assert holds.outcome is Outcome.BLOCKED
    assert "writable_property[speed]" in holds.reason
    assert "exit code 7" in story.judge("command", "prime").reason


def test_a_device_that_is_reset_without_a_word_is_no_second_client() -> None:
    story = plant_at_work()
    story.asked("reboot", "exercise", 200)
    story.gone("hub", "a newer connection of the same identity replaced it", 400027).connected(PLANT)
    assert codes(story.judge("one_connection_for_an_identity")) == []
    assert codes(story.judge("command", "reboot")) == []
