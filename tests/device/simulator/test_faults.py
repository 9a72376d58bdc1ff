"""Each fault changes its one thing and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from harness.device.simulator.behavior import Behavior, ModelDevice, Reply
from harness.device.simulator.faults import FAULTS, FaultError, choose, misbehaving
from harness.device.simulator.plan import Plan, Reach, announcing
from harness.dtdl import check_value

from .models import capabilities

CAPABILITIES = capabilities()
MODEL_ID = "dtmi:test:Station;1"


def faulty(*names: str) -> Behavior:
    return misbehaving(ModelDevice(CAPABILITIES), [choose(n) for n in names], CAPABILITIES)


def plan(*names: str) -> Plan:
    result = announcing(MODEL_ID)
    for name in names:
        result = choose(name).change(result)
    return result


def telemetry(device: Behavior) -> dict[str, object]:
    values = {}
    for message in device.telemetry():
        for name, value in message.values.items():
            values[name if message.component is None else f"{message.component}.{name}"] = value
    return values


def _answer(device: Behavior, name: str) -> Reply:
    reply = device.on_command(name, 1)
    assert reply is not None
    return reply


def report(device: Behavior) -> dict[str, Any]:
    return device.initial_report({"$version": 1})


GOOD_TELEMETRY = telemetry(faulty())
GOOD_REPORT = report(faulty())


def test_without_a_fault_the_model_is_announced_twice_and_the_device_is_good() -> None:
    assert plan() == Plan({"modelId": MODEL_ID}, MODEL_ID, Reach.HUB)
    assert GOOD_TELEMETRY.keys() == {"level", "samples", "pump1.flow", "pump2.flow"}


def test_missing_telemetry() -> None:
    device = faulty("missing-telemetry=pump1.flow")
    assert telemetry(device) == {p: v for p, v in GOOD_TELEMETRY.items() if p != "pump1.flow"}
    assert all(message.values for message in device.telemetry())
    assert report(device) == GOOD_REPORT


def test_wrong_type_of_a_telemetry() -> None:
    assert telemetry(faulty("wrong-type=level")) == {**GOOD_TELEMETRY, "level": str(GOOD_TELEMETRY["level"])}


def test_wrong_type_of_a_property() -> None:
    device = faulty("wrong-type=pump2.speed")
    speed = GOOD_REPORT["pump2"]["speed"]
    wrong = {**speed, "value": str(speed["value"])}
    assert report(device) == {**GOOD_REPORT, "pump2": {**GOOD_REPORT["pump2"], "speed": wrong}}
    answer: Any = device.on_desired({"pump2": {"speed": 3}, "$version": 2})
    assert answer["pump2"]["speed"]["value"] == "3"
    assert report(faulty("wrong-type=installed")) == {**GOOD_REPORT, "installed": 4711}


def test_wrong_type_of_a_response() -> None:
    device = faulty("wrong-type=pump1.prime")
    good, wrong = _answer(device, "pump2*prime"), _answer(device, "pump1*prime")
    response = CAPABILITIES[-1].response
    assert response is not None
    assert check_value(response, good.payload) == []
    assert wrong.status == 200
    assert check_value(response, wrong.payload)
    assert device.on_command("pump1*prime", "x") == faulty().on_command("pump1*prime", "x")


def test_missing_property() -> None:
    device = faulty("missing-property=pump1.serial")
    assert report(device) == {
        **GOOD_REPORT,
        "pump1": {n: v for n, v in GOOD_REPORT["pump1"].items() if n != "serial"},
    }
    device = faulty("missing-property=label")
    assert "label" not in report(device)
    assert device.on_desired({"label": "x", "$version": 2}) == {}


def test_a_component_without_properties_left_is_not_reported() -> None:
    device = faulty("missing-property=pump1.serial", "missing-property=pump1.speed")
    assert report(device) == {n: v for n, v in GOOD_REPORT.items() if n != "pump1"}


def test_bare_ack() -> None:
    device = faulty("bare-ack")
    assert report(device)["label"] == GOOD_REPORT["label"]["value"]
    assert device.on_desired({"label": "x", "pump1": {"speed": 2}, "$version": 2}) == {
        "label": "x",
        "pump1": {"__t": "c", "speed": 2},
    }


def test_command_error() -> None:
    device = faulty("command-error=pump1.prime")
    assert _answer(device, "pump1*prime").status == 500
    assert _answer(device, "pump2*prime").status == 200


def test_faults_of_the_connection() -> None:
    assert plan("no-dps-model-id") == Plan(None, MODEL_ID)
    assert plan("no-hub-model-id") == Plan({"modelId": MODEL_ID}, None)
    assert plan("silent").reach is Reach.NOWHERE
    assert plan("no-hub").reach is Reach.PROVISIONED
    assert plan("exit-early").ends


def test_faults_combine() -> None:
    device = faulty("missing-telemetry=level", "wrong-type=pump1.flow")
    assert telemetry(device).keys() == GOOD_TELEMETRY.keys() - {"level"}
    assert isinstance(telemetry(device)["pump1.flow"], str)
    assert plan("no-dps-model-id", "no-hub-model-id") == Plan(None, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("missing", "missing-telemetry"),
        ("missing-telemetry", "missing-telemetry=PATH"),
        ("silent=x", "without a path"),
        ("", "silent"),
    ],
)
def test_an_unknown_fault_is_answered_with_the_known_ones(text: str, says: str) -> None:
    with pytest.raises(FaultError, match=says):
        choose(text)


@pytest.mark.parametrize("text", ["missing-telemetry=label", "command-error=level", "missing-property=nothing"])
def test_a_path_the_model_does_not_have_is_answered_with_those_it_has(text: str) -> None:
    with pytest.raises(FaultError, match=r"It has: .*\w"):
        faulty(text)


def test_every_fault_changes_something() -> None:
    for fault in FAULTS.values():
        assert [fault.plan, fault.behavior, fault.conduct].count(None) == 2
