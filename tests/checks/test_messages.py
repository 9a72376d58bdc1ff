"""How telemetry is carried, and reported properties with it."""

from __future__ import annotations

import pytest

from harness.record import events as ev
from tests.checks.story import DEVICE, at_work
from tests.checks.words import codes


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"flow": 1', "payload-malformed"),
        (b'{"flow": 1}\x00', "payload-malformed"),
        (b'{"flow": "\xff"}', "payload-not-utf-8"),
        (b'\xef\xbb\xbf{"flow": 1}', "payload-byte-order-mark"),
        (b'{"flow": NaN}', "payload-not-finite"),
        (b'{"flow": 1, "flow": 2}', "payload-duplicate-name"),
        (b"1.5", "payload-not-an-object"),
        (b"[1]", "payload-not-an-object"),
        (b"[]", "payload-not-an-object"),
        (b"", "payload-empty"),
    ],
)
def test_each_fault_of_the_bytes_has_its_code(body: bytes, code: str) -> None:
    story = at_work()
    story.telemetry(body)
    assert codes(story.judge("payloads_are_json_objects")) == [f"error {code}"]


def test_legal_backslashes_are_tolerated() -> None:
    story = at_work()
    story.telemetry(b'{"flow": 1.5, "note": "C:\\\\network\\\\reports \\n"}')
    assert codes(story.judge("payloads_are_json_objects")) == []


def test_an_array_of_objects_is_read_and_noted() -> None:
    story = at_work()
    n = story.telemetry([{"flow": 1.5}, {"flow": "2"}])
    assert [r.n for r in story.evidence.telemetry["flow"]] == [n, n]
    assert codes(story.judge("one_object_a_message")) == ["warning telemetry-batched"]
    assert codes(story.judge("payloads_are_json_objects")) == []
    assert codes(story.judge("telemetry", "flow")) == ["error telemetry-invalid"]


def test_a_component_in_the_body_fails() -> None:
    story = at_work()
    story.telemetry({"part1": {"__t": "c", "heat": 30}})
    assert codes(story.judge("telemetry_by_component")) == ["error telemetry-nested"]
    assert codes(story.judge("no_undeclared_telemetry")) == []


def test_several_fields_of_a_component_in_one_message_are_tolerated() -> None:
    story = at_work()
    story.telemetry({"heat": 30, "more": 1}, "part1")
    assert codes(story.judge("telemetry_by_component")) == []


def test_an_unknown_component_is_a_warning_and_its_telemetry_is_recognised() -> None:
    story = at_work()
    story.telemetry({"heat": 30}, "part9")
    assert codes(story.judge("telemetry_by_component")) == ["warning telemetry-of-unknown-component"]
    assert codes(story.over().judge("telemetry", "part1.heat")) == ["error telemetry-misnamed"]


def test_telemetry_of_the_root_sent_as_a_components_is_recognised() -> None:
    story = at_work()
    story.telemetry({"flow": 1.5}, "default")
    assert "Leave out" in story.over().judge("telemetry", "flow").findings[0].remedy


@pytest.mark.parametrize(
    ("content_type", "encoding", "found"),
    [
        ("application/json", "utf-8", []),
        ("Application/JSON", "UTF-8", []),
        ("application/json", "utf8", []),
        ("application/json;charset=utf-8", None, []),
        ('application/json; charset="UTF-8"', "utf-8", []),
        ("application/json", None, ["warning encoding-missing"]),
        ("application/json", "utf-16", ["warning encoding-unsupported"]),
        ("application/json;charset=latin-1", None, ["warning encoding-unsupported"]),
        ("text/plain", "utf-8", ["warning content-type-mismatch"]),
        (None, "utf-8", ["warning content-type-missing"]),
        (None, None, ["warning content-type-missing", "warning encoding-missing"]),
    ],
)
def test_content_type_and_encoding(content_type: str | None, encoding: str | None, found: list[str]) -> None:
    story = at_work()
    for _ in range(2):
        story.tell(ev.TelemetryReceived(DEVICE, None, None, b'{"flow": 1}', content_type, encoding))
    assert codes(story.judge("messages_name_their_content")) == found


def test_a_last_will_is_no_telemetry() -> None:
    story = at_work()
    properties = {"iothub-MessageType": "Will"}
    story.tell(ev.TelemetryReceived(DEVICE, None, None, b"gone", properties=properties))
    assert codes(story.judge("payloads_are_json_objects")) == []
    assert codes(story.judge("messages_name_their_content")) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *((name, ["error name-illegal"]) for name in ("flow rate", "1st", "extra_", "x" * 65)),
        *((name, []) for name in ("extra", "ex_tra", "x" * 64)),
    ],
)
def test_names_that_no_model_can_declare(name: str, found: list[str]) -> None:
    story = at_work()
    story.telemetry({name: 1})
    assert codes(story.judge("names_are_legal")) == found


def test_a_property_that_begins_with_an_underscore() -> None:
    story = at_work()
    story.reported({"_hidden": 1})
    assert codes(story.judge("names_are_legal")) == ["warning name-begins-with-underscore"]


@pytest.mark.parametrize(
    ("count", "found"),
    [(50, []), (500, ["warning telemetry-flood"]), (3000, ["error telemetry-flood"])],
)
def test_a_flood(count: int, found: list[str]) -> None:
    story = at_work()
    story.recorder._clock = lambda: story.recorder._began + 1.0
    for _ in range(count):
        story.telemetry({"flow": 1})
    assert codes(story.judge("rate_is_bearable")) == found


def test_a_flood_that_the_machine_slows_down() -> None:
    story = at_work()
    moment = [story.recorder._began + 1.0]
    story.recorder._clock = lambda: moment[0]
    for _ in range(1500):
        story.telemetry({"flow": 1})
        moment[0] += 0.005
    assert codes(story.judge("rate_is_bearable")) == ["error telemetry-flood"]


def test_a_name_with_a_dot_is_no_component() -> None:
    story = at_work()
    story.telemetry({"pressure.max": 3, "_raw.bits": 1})
    assert codes(story.judge("telemetry_by_component")) == []
    assert codes(story.judge("names_are_legal")) == ["error name-illegal"] * 2
    assert "'pressure.max'" in story.judge("names_are_legal").findings[0].message


def test_a_component_joined_to_its_name_by_a_dot_is_not_declared_telemetry() -> None:
    story = at_work()
    story.telemetry({"part1.heat": 30.0})
    result = story.over().judge("telemetry", "part1.heat")
    assert codes(result) == ["error telemetry-misnamed"]
    assert "name with a dot" in result.findings[0].message
    assert "$.sub" in result.findings[0].remedy


def test_a_property_joined_to_its_component_by_a_dot_is_not_the_declared_one() -> None:
    story = at_work()
    story.reported({"part1.serial": "A1"})
    assert "'part1.serial'" in story.judge("names_are_legal").findings[0].message
