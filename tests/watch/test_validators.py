"""What Microsoft's own validators found, `preflight validate` finds; what they found wrongly, it does not.

A row for each finding of `az iot central diagnostics validate-messages` and `validate-properties` (the Azure IoT CLI
extension), and for each false alarm and blind spot known of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.record import events as ev
from tests.watch.model import BARE, Rig

JSON = "application/json"


def sent(body: Any, component: str | None = None, model: str | None = None, **more: Any) -> list[str]:
    rig = Rig(model) if model else Rig()
    return rig.telemetry(body, component, **more).codes()


def reported(*patches: Any, model: str | None = None, **known: Any) -> list[str]:
    rig = Rig(model, **known) if model else Rig(**known)
    for patch in patches:
        rig.reported(patch)
    return rig.codes()


FOUND: dict[str, tuple[list[str], str]] = {
    "no device id": (
        Rig().tell(ev.TelemetryReceived("", None, None, b"{}", JSON, "utf-8")).codes(),
        "error device-id-missing",
    ),
    "no content encoding": (sent({"d": 1}, content_encoding=None), "warning encoding-missing"),
    "another encoding than UTF-8": (sent({"d": 1}, content_encoding="ascii"), "warning encoding-unsupported"),
    "no content type": (sent({"d": 1}, content_type=None), "warning content-type-missing"),
    "another content type": (sent({"d": 1}, content_type="text/plain"), "warning content-type-mismatch"),
    "a property that is no UTF-8": (sent({"d": 1}, properties={"a": "\ufffd"}), "warning message-property-unreadable"),
    "invalid JSON": (sent(b'{"d": 1'), "error payload-malformed"),
    "a name that no model can declare": (sent({"9d": 1}), "error name-illegal 9d"),
    "an unknown component": (sent({"heat": 1}, "middle"), "warning telemetry-of-unknown-component middle"),
    "a component where the model has none": (
        sent({"d": 1}, "left", BARE),
        "warning telemetry-of-unknown-component left",
    ),
    "an undeclared name": (sent({"pressure": 1}), "warning telemetry-undeclared pressure"),
    "an undeclared name in a component": (sent({"d": 1}, "left"), "warning telemetry-undeclared left.d"),
    "a value of another type": (sent({"d": "1"}), "error telemetry-invalid d"),
    "an undeclared property": (reported({"colour": 1}), "warning property-undeclared colour"),
    "an undeclared property of a component": (
        reported({"left": {"__t": "c", "colour": 1}}),
        "warning property-undeclared left.colour",
    ),
    "a property of an unknown component": (
        reported({"middle": {"__t": "c", "wear": 1}}),
        "warning component-undeclared middle",
    ),
    "a component's property sent to the root": (reported({"wear": 1}), "warning property-undeclared wear"),
}
"""What the validators say, and our finding for it."""

NO_ALARM: dict[str, list[str]] = {
    "an escaped path": sent({"s": "C:\\network\\reports"}),
    "line ends": sent({"s": "a\nb\r\n"}),
    "a duration of nothing": sent({"span": "PT0S"}),
    "a duration of no days": sent({"span": "P0D"}),
    "a map": sent({"map": {"a": 1.0}}),
    "an array": sent({"list": [1, 2]}),
    "a geospatial point": sent({"where": {"type": "Point", "coordinates": [9.9, 53.5]}}),
    "a schema by reference": sent({"shared": {"a": 1}}),
    "a component declared with a list of types": sent({"heat": 1.0}, "right"),
    "a content type with a charset": sent({"d": 1}, content_type=f"{JSON};charset=utf-8"),
    "the encoding as the C SDK writes it": sent({"d": 1}, content_encoding="utf8"),
    "an object without all its fields": sent({"thing": {"x": 1.0}}),
    "a component whose marker came before": reported({"left": {"__t": "c", "wear": 1}}, {"left": {"wear": 2}}),
    "a marker of before the watch": reported({"left": {"wear": 2}}, reported={"left": {"__t": "c", "wear": 1}}),
}
"""What the validators called an error, and is none."""

BLIND: dict[str, tuple[list[str], str]] = {
    "UTF-16": (sent('{"s": "x"}'.encode("utf-16")), "payload-"),
    "Latin-1": (sent('{"s": "grünes"}'.encode("latin-1")), "payload-"),
    "a byte order mark": (sent(b'\xef\xbb\xbf{"d": 1}'), "payload-"),
    "NaN": (sent(b'{"d": NaN}'), "payload-not-finite"),
    "a name twice": (sent(b'{"d": 1, "d": 2}'), "payload-"),
    "a number as the whole message": (sent(b"21.5"), "payload-"),
    "true for an integer": (sent({"i": True}), "telemetry-invalid i"),
    "a fraction for a long": (sent({"l": 1.5}), "telemetry-invalid l"),
    "more than 32 bits": (sent({"i": 2**31}), "telemetry-invalid i"),
    "a year for a date": (sent({"day": "2020"}), "telemetry-invalid day"),
    "a time without seconds": (sent({"clock": "12:30"}), "telemetry-invalid clock"),
    "true for an enum": (sent({"mode": True}), "telemetry-invalid mode"),
    "null for telemetry": (sent({"d": None}), "telemetry-invalid d"),
    "a command's name as telemetry": (sent({"reboot": 1}), "telemetry-undeclared reboot"),
    "a property's name as telemetry": (sent({"serial": "x"}), "telemetry-undeclared serial"),
    "a property of another type": (reported({"serial": 5}), "property-invalid serial"),
    "a writable property without acknowledgement": (reported({"target": 5}), "ack-incomplete target"),
    "a deleted property": (reported({"serial": None}), "property-deleted serial"),
    "a component's marker under a model without components": (
        reported({"left": {"__t": "c", "wear": 1}}, model=BARE),
        "component-undeclared left",
    ),
    "a name that IoT Central drops": (sent({"EventHub": "x"}), "info "),
}
"""What the validators did not see, or fell over."""


@pytest.mark.parametrize("case", FOUND)
def test_what_they_find_is_found(case: str) -> None:
    codes, expected = FOUND[case]
    assert codes == [expected]


@pytest.mark.parametrize("case", NO_ALARM)
def test_their_false_alarms_are_not_raised(case: str) -> None:
    assert NO_ALARM[case] == []


@pytest.mark.parametrize("case", BLIND)
def test_what_they_miss_is_found(case: str) -> None:
    codes, expected = BLIND[case]
    assert len(codes) == 1
    assert expected in codes[0]


def test_the_wrong_field_of_an_object_is_named() -> None:
    (found,) = Rig().telemetry({"thing": {"x": "fast", "y": "ok"}}).found
    assert "/x" in found.message


def test_declared_telemetry_that_never_came_is_found() -> None:
    assert "warning telemetry-not-seen d" in Rig(BARE).over().codes()
