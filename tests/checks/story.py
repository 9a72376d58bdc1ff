"""A record told event by event, for tests of checks: a device with one component, that does everything right."""

from __future__ import annotations

import functools
import json
from typing import Any

from harness.checks import CHECKS, Evidence, Judgement, cases, judge
from harness.dtdl import Model, parse
from harness.record import Recorder
from harness.record import events as ev
from harness.verdict import CaseResult

ROOT = "dtmi:test:Pump;1"
DEVICE = "dev1"

_PART = {
    "@context": "dtmi:dtdl:context;2",
    "@id": "dtmi:test:Part;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Telemetry", "name": "heat", "schema": "double"},
        {"@type": "Property", "name": "serial", "schema": "string"},
    ],
}
_PUMP = {
    "@context": "dtmi:dtdl:context;2",
    "@id": ROOT,
    "@type": "Interface",
    "contents": [
        {"@type": "Telemetry", "name": "flow", "schema": "double"},
        {"@type": "Property", "name": "speed", "schema": "integer", "writable": True},
        {"@type": "Property", "name": "hours", "schema": "long"},
        {
            "@type": "Command",
            "name": "prime",
            "request": {"name": "seconds", "schema": "integer"},
            "response": {"name": "primed", "schema": "boolean"},
        },
        {"@type": "Command", "name": "stop"},
        {"@type": "Component", "name": "part1", "schema": "dtmi:test:Part;1"},
    ],
}


PLANT = "dtmi:test:Plant;1"
_VALVE = {
    "@context": "dtmi:dtdl:context;2",
    "@id": "dtmi:test:Valve;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Property", "name": "trim", "schema": "double", "writable": True},
        {
            "@type": "Command",
            "name": "open",
            "request": {"name": "share", "schema": "double"},
            "response": {"name": "opened", "schema": "boolean"},
        },
    ],
}
_LEVEL = {
    "@type": "Object",
    "fields": [{"name": "low", "schema": "double"}, {"name": "high", "schema": "double"}],
}
_PLANT = {
    "@context": "dtmi:dtdl:context;2",
    "@id": PLANT,
    "@type": "Interface",
    "contents": [
        {"@type": "Property", "name": "speed", "schema": "integer", "writable": True},
        {"@type": "Property", "name": "level", "schema": _LEVEL, "writable": True},
        {"@type": "Property", "name": "hours", "schema": "long"},
        {"@type": "Property", "name": "batch", "schema": "string"},
        {"@type": "Command", "name": "reboot", "request": {"name": "delay", "schema": "integer"}},
        {"@type": "Component", "name": "valve1", "schema": "dtmi:test:Valve;1"},
    ],
}
"""Several writable properties, also of a component, and a command that restarts the device."""


@functools.cache
def pump_model() -> Model:
    return parse([_PUMP, _PART])


@functools.cache
def plant_model() -> Model:
    return parse([_PLANT, _VALVE])


class Story:
    """Each method tells one thing that happened; `judge` says what a check makes of it all."""

    def __init__(self, *, known: bool = True, model_id: str = ROOT, model: Model | None = None) -> None:
        self.recorder = Recorder()
        self.evidence = Evidence(model_id, model or (pump_model() if known else None))
        self.recorder.follow(self.evidence.add)

    def tell(self, *events: ev.Event) -> int:
        """Add events; the number of the last."""
        return [self.recorder.emit(event).n for event in events][-1]

    def opened(self, *observes: str) -> Story:
        self.tell(ev.TargetOpened("local", {}, observes or ("wire", "dps-payload", "telemetry", "twin", "commands")))
        return self

    def registered(self, body: bytes = json.dumps({"payload": {"modelId": ROOT}}).encode()) -> Story:
        self.tell(ev.RegistrationRequested(DEVICE, "1", body), ev.DeviceAssigned(DEVICE, "hub", DEVICE))
        return self

    def connected(self, model_id: str | None = ROOT, return_code: int = 0, **more: Any) -> Story:
        fields: dict[str, Any] = {
            "device_id": DEVICE,
            "module_id": None,
            "return_code": return_code,
            "model_id": model_id,
            "api_version": "2021-04-12",
            "client_type": "test",
            "keep_alive": 60,
            "clean_session": False,
            "session_present": False,
            "transport": "mqtt",
            "authentication": "sas",
            "raw_user_name": f"hub/{DEVICE}/?api-version=2021-04-12",
        }
        self.tell(ev.HubConnected(**{**fields, **more}))
        return self

    def telemetry(self, body: Any, component: str | None = None) -> int:
        return self.tell(ev.TelemetryReceived(DEVICE, None, component, _bytes(body), "application/json", "utf-8"))

    def reported(self, patch: Any, status: int = 204) -> int:
        return self.tell(ev.ReportedPatched(DEVICE, None, "1", _bytes(patch), status))

    def wrote(self, name: str, value: Any, version: int | None = 2, purpose: str = "exercise") -> int:
        """Answers are those told after this."""
        after = len(self.recorder.entries)
        return self.tell(ev.PropertyWritten(DEVICE, None, name, value, version, purpose, after=after))

    def answered(self, name: str, status: int | None, payload: Any = None, **more: Any) -> int:
        return self.tell(ev.CommandReturned(DEVICE, None, name, status, payload, "exercise", 0.1, **more))

    def wrote_together(self, values: dict[str, Any], version: int | None, purpose: str, error: str = "") -> int:
        """Several in one patch, by path."""
        after = len(self.recorder.entries)
        writes = []
        for path, value in values.items():
            component, _, name = path.rpartition(".")
            fields = (DEVICE, component or None, name, value, version, purpose, error, after)
            writes.append(ev.PropertyWritten(*fields))
        return self.tell(*writes)

    def acked(self, path: str, value: Any, version: int, code: int = 200) -> int:
        """A device's answer to a desired change, marked where it is of a component."""
        component, _, name = path.rpartition(".")
        answer = {name: {"value": value, "ac": code, "av": version}}
        return self.reported({component: {"__t": "c", **answer}} if component else answer)

    def asked(self, path: str, purpose: str, status: int | None, payload: Any = None, **more: Any) -> int:
        """A command was sent, and returned with this."""
        component, _, name = path.rpartition(".")
        self.tell(ev.CommandSent(DEVICE, component or None, name, None, True, purpose))
        return self.tell(ev.CommandReturned(DEVICE, component or None, name, status, payload, purpose, 0.1, **more))

    def gone(self, by: str = "network", reason: str = "the socket died", code: int | None = None) -> Story:
        self.tell(ev.HubDisconnected(DEVICE, None, by, reason, code))
        return self

    def ended(self) -> Story:
        self.tell(ev.ExerciseEnded(1.0))
        return self

    def over(self, reason: str = "window-elapsed", seconds: float = 60) -> Story:
        self.tell(ev.ObservationEnded(reason, seconds))
        return self

    def judge(self, name: str, path: str = "") -> CaseResult:
        capability = self.evidence.by_path[path] if path else None
        return judge(Judgement(CHECKS[name], capability), self.evidence)

    def judge_all(self, profile: str = "standard") -> list[CaseResult]:
        return [judge(case, self.evidence) for case in cases(self.evidence, profile)]


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def at_work() -> Story:
    """A story up to the connected device."""
    return Story().opened().registered().connected()


def plant_at_work() -> Story:
    """The same with the plant."""
    story = Story(model_id=PLANT, model=plant_model())
    return story.opened().registered(json.dumps({"payload": {"modelId": PLANT}}).encode()).connected(PLANT)
