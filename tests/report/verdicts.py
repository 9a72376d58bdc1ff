"""A short recorded run for each verdict."""

from __future__ import annotations

from harness.record import events as ev
from tests.checks.story import DEVICE, ROOT
from tests.report.stories import Tale


def passed() -> Tale:
    """Everything that the smoke profile asks for."""
    tale = Tale().begun("smoke").connected()
    named = {"content_type": "application/json", "content_encoding": "utf-8"}
    for i in range(3):
        tale.telemetry(2.0 + i, {"flow": 20 + i}, **named)
        tale.telemetry(2.1 + i, {"heat": 40.5}, "part1", **named)
    tale.reported(3.0, {"speed": {"value": 1, "ac": 203, "av": 0}, "hours": 12, "part1": {"__t": "c", "serial": "A"}})
    tale.set(4.0, "speed", 7, 2, {"value": 7, "ac": 200, "av": 2, "ad": "done"})
    tale.invoked(5.0, "prime", 3, 200, True)
    tale.invoked(6.0, "stop", None, 200)
    tale.at(6.5, ev.DigitalTwinRead(DEVICE, {"$dtId": DEVICE, "$metadata": {"$model": ROOT}}))
    return tale.ended(7.0, "complete")


def warned() -> Tale:
    """The same with telemetry that the model does not declare."""
    tale = passed()
    tale.telemetry(6.9, {"pressure": 3}, content_type="application/json", content_encoding="utf-8")
    return tale
