"""The good device keeps to the conventions, whatever it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.device.simulator.behavior import Message, ModelDevice, merge
from harness.dtdl import check_value

from .models import capabilities

CAPABILITIES = capabilities()
BY_PATH = {c.path: c for c in CAPABILITIES}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def device(said: list[str]) -> ModelDevice:
    return ModelDevice(CAPABILITIES, said.append)


def started(device: ModelDevice, **desired: object) -> dict[str, Any]:
    return device.initial_report({"$version": 1, **desired})


def test_every_telemetry_is_in_every_round(device: ModelDevice) -> None:
    for _ in range(3):
        seen = {(m.component, name) for m in device.telemetry() for name in m.values}
        assert seen == {(None, "level"), (None, "samples"), ("pump1", "flow"), ("pump2", "flow")}


def test_telemetry_is_valid_and_its_body_is_json_without_the_component(device: ModelDevice) -> None:
    for message in device.telemetry():
        for name, value in json.loads(message.payload).items():
            path = name if message.component is None else f"{message.component}.{name}"
            assert check_value(BY_PATH[path].element, value) == []


def test_telemetry_says_what_it_is(device: ModelDevice) -> None:
    assert {(m.content_type, m.content_encoding) for m in device.telemetry()} == {("application/json", "utf-8")}


def test_two_runs_are_alike_and_two_rounds_differ() -> None:
    one, two = ModelDevice(CAPABILITIES), ModelDevice(CAPABILITIES)
    first = one.telemetry()
    assert first == two.telemetry()
    assert first != one.telemetry()
    assert started(one) == started(two)


def test_the_initial_report_has_every_property(device: ModelDevice) -> None:
    report = started(device)
    assert report.keys() == {"installed", "label", "limits", "pump1", "pump2"}
    assert report["pump1"].keys() == {"__t", "serial", "speed"}
    assert report["pump1"]["__t"] == "c"
    assert check_value(BY_PATH["installed"].element, report["installed"]) == []
    assert check_value(BY_PATH["pump1.serial"].element, report["pump1"]["serial"]) == []


def test_writable_properties_begin_as_the_devices_own(device: ModelDevice) -> None:
    label = started(device)["label"]
    assert (label["ac"], label["av"]) == (203, 0)
    assert check_value(BY_PATH["label"].element, label["value"]) == []


def test_what_is_desired_at_start_is_answered_in_the_initial_report(device: ModelDevice) -> None:
    report: Any = device.initial_report({"$version": 7, "label": "north", "pump2": {"__t": "c", "speed": 3}})
    assert report["label"] == {"value": "north", "ac": 200, "av": 7, "ad": "accepted"}
    assert report["pump2"]["speed"] == {"value": 3, "ac": 200, "av": 7, "ad": "accepted"}
    assert report["pump1"]["speed"]["ac"] == 203


def test_a_desired_change_is_acknowledged_with_its_version_and_nothing_else_is_said(
    device: ModelDevice,
) -> None:
    started(device)
    assert device.on_desired({"label": "south", "$version": 2}) == {
        "label": {"value": "south", "ac": 200, "av": 2, "ad": "accepted"}
    }


def test_one_patch_over_several_components_is_answered_property_by_property(device: ModelDevice) -> None:
    started(device)
    patch: Any = device.on_desired(
        {"$version": 2, "label": "x", "pump1": {"__t": "c", "speed": 1}, "pump2": {"speed": 2}}
    )
    assert patch["label"]["value"] == "x"
    assert patch["pump1"] == {"__t": "c", "speed": {"value": 1, "ac": 200, "av": 2, "ad": "accepted"}}
    assert patch["pump2"] == {"__t": "c", "speed": {"value": 2, "ac": 200, "av": 2, "ad": "accepted"}}


def test_an_invalid_value_is_refused_and_the_value_in_use_kept(device: ModelDevice) -> None:
    started(device, label="in use")
    answer: Any = device.on_desired({"label": 12, "$version": 2})["label"]
    assert (answer["value"], answer["ac"], answer["av"]) == ("in use", 400, 2)
    assert "string" in answer["ad"]


def test_a_value_wrapped_as_on_azures_payload_page_is_understood(device: ModelDevice) -> None:
    started(device)
    answer: Any = device.on_desired({"pump1": {"speed": {"value": 4}}, "$version": 2})["pump1"]
    assert answer["speed"]["value"] == 4


def test_a_desired_object_merges_as_the_twin_does(device: ModelDevice) -> None:
    started(device, limits={"low": 1.0})
    answer: Any = device.on_desired({"limits": {"high": 2.0}, "$version": 2})["limits"]
    assert answer["value"] == {"low": 1.0, "high": 2.0}
    answer = device.on_desired({"limits": {"low": None}, "$version": 3})["limits"]
    assert answer["value"] == {"high": 2.0}


def test_a_whole_object_is_accepted_after_one_that_was_refused(device: ModelDevice) -> None:
    started(device)
    refused: Any = device.on_desired({"limits": {"low": "x", "middle": 1}, "$version": 2})["limits"]
    assert refused["ac"] == 400
    answer: Any = device.on_desired({"limits": {"low": 1.5, "middle": None}, "$version": 3})["limits"]
    assert (answer["ac"], answer["value"]) == (200, {"low": 1.5})


def test_null_gives_the_property_back_to_the_device(device: ModelDevice) -> None:
    started(device, label="in use")
    answer: Any = device.on_desired({"label": None, "$version": 2})["label"]
    assert (answer["value"], answer["ac"], answer["av"]) == ("in use", 203, 0)


def test_null_for_a_component_gives_back_its_properties(device: ModelDevice) -> None:
    started(device)
    answer: Any = device.on_desired({"pump1": None, "$version": 2})["pump1"]
    assert answer.keys() == {"__t", "speed"}
    assert answer["speed"]["ac"] == 203


@pytest.mark.parametrize("version", [1, 4])
def test_a_patch_that_the_twin_read_at_start_already_held_is_ignored(
    device: ModelDevice, said: list[str], version: int
) -> None:
    device.initial_report({"$version": 4})
    assert device.on_desired({"label": "old", "$version": version}) == {}
    assert "not newer" in said[-1]


def test_an_older_patch_of_the_same_property_is_ignored(device: ModelDevice) -> None:
    started(device)
    assert device.on_desired({"label": "newer", "$version": 5})
    assert device.on_desired({"label": "old", "$version": 4}) == {}
    assert device.on_desired({"label": "again", "$version": 5}) == {}


def test_patches_that_overtake_each_other_are_both_answered(device: ModelDevice) -> None:
    started(device)
    assert device.on_desired({"limits": {"low": 1.0}, "$version": 3})
    assert device.on_desired({"label": "x", "$version": 2})


@pytest.mark.parametrize(
    "desired",
    [
        {"unheardOf": 1},
        {"pump9": {"__t": "c", "speed": 1}},
        {"pump1": {"unheardOf": 1}},
        {"pump1": 5},
        {"installed": "2024-01-01"},
        {"level": 1.0},
    ],
)
def test_what_the_model_does_not_let_the_service_write_is_ignored(
    device: ModelDevice, said: list[str], desired: dict[str, object]
) -> None:
    started(device)
    assert device.on_desired({**desired, "$version": 2}) == {}
    assert "ignored" in said[-1]


@pytest.mark.parametrize("desired", [None, [], "x", {}, {"label": "x"}, {"label": "x", "$version": "2"}])
def test_a_notification_without_a_version_is_ignored(device: ModelDevice, desired: object) -> None:
    assert device.on_desired(desired) == {}


def test_commands_are_answered_with_their_response(device: ModelDevice) -> None:
    reply = device.on_command("pump1*prime", 5)
    assert reply.status == 200
    response = BY_PATH["pump1.prime"].response
    assert response is not None
    assert check_value(response, reply.payload) == []


@pytest.mark.parametrize("payload", [None, {}, "whatever"])
def test_a_command_without_request_and_response_takes_anything_and_answers_nothing(
    device: ModelDevice, payload: object
) -> None:
    reply = device.on_command("drain", payload)
    assert (reply.status, reply.payload) == (200, None)


@pytest.mark.parametrize("payload", [None, "5", 5.5, [], {}])
def test_an_invalid_request_is_refused(device: ModelDevice, payload: object) -> None:
    assert device.on_command("pump1*prime", payload).status == 400


@pytest.mark.parametrize("name", ["prime", "pump9*prime", "pump1.prime", "pump1*flow", "", "*"])
def test_an_unknown_command_is_not_found(device: ModelDevice, name: str) -> None:
    assert device.on_command(name, None).status == 404


def test_large_telemetry_goes_in_several_messages() -> None:
    from harness.device.simulator.limits import pack

    bodies = list(pack({f"n{i}": "x" * 30 for i in range(20)}, limit=100))
    assert {name for body in bodies for name in body} == {f"n{i}" for i in range(20)}
    assert all(len(Message(None, body).payload) <= 100 for body in bodies)
    assert list(pack({"big": "x" * 200, "small": 1}, limit=100)) == [{"big": "x" * 200}, {"small": 1}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["label", "limits", "installed", "pump1", "pump2", "speed", "serial", "__t", "value"])
DESIRED = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=4), max_size=5)


@given(st.lists(DESIRED, max_size=4))
@settings(max_examples=150, deadline=None)
def test_whatever_is_desired_every_answer_is_an_acknowledgement_of_a_valid_value(patches: list[Any]) -> None:
    device = ModelDevice(CAPABILITIES)
    device.initial_report({"$version": 1})
    for version, patch in enumerate(patches, start=2):
        for name, answer in device.on_desired({**patch, "$version": version}).items():
            assert isinstance(answer, dict)
            component = answer.pop("__t", None)
            answers = {f"{name}.{n}": a for n, a in answer.items()} if component else {name: answer}
            for path, each in answers.items():
                assert each.keys() == {"value", "ac", "av", "ad"}
                assert (each["ac"], each["av"]) in {(200, version), (400, version), (203, 0)}
                assert check_value(BY_PATH[path].element, each["value"]) == []


@given(JSON, JSON)
@settings(max_examples=100, deadline=None)
def test_merging_is_idempotent_and_keeps_no_null(target: Any, patch: Any) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once
    if isinstance(patch, dict):
        assert all(name not in once for name, value in patch.items() if value is None)  # type: ignore[operator]
