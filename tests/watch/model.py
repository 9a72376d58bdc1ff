"""A model with one telemetry of every schema, two components and both kinds of properties, and what a device says."""

from __future__ import annotations

import functools
import json
from typing import Any

from harness.dtdl import Model, parse
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Finding
from harness.watch.judging import Judge

ROOT = "dtmi:test:Rig;1"
BARE = "dtmi:test:Bare;1"
PART = "dtmi:test:Part;1"
DEVICE = "rig-1"

SCHEMAS: dict[str, Any] = {
    "b": "boolean",
    "i": "integer",
    "l": "long",
    "d": "double",
    "s": "string",
    "day": "date",
    "at": "dateTime",
    "clock": "time",
    "span": "duration",
    "where": "point",
    "list": {"@type": "Array", "elementSchema": "integer"},
    "map": {
        "@type": "Map",
        "mapKey": {"name": "k", "schema": "string"},
        "mapValue": {"name": "v", "schema": "double"},
    },
    "thing": {
        "@type": "Object",
        "fields": [{"name": "x", "schema": "double"}, {"name": "y", "schema": "string"}],
    },
    "mode": {
        "@type": "Enum",
        "valueSchema": "integer",
        "enumValues": [{"name": "off", "enumValue": 0}, {"name": "on", "enumValue": 1}],
    },
    "shared": "dtmi:test:shared;1",
    "EventHub": "string",
}

DOCUMENTS: list[dict[str, Any]] = [
    {
        "@context": "dtmi:dtdl:context;2",
        "@id": ROOT,
        "@type": "Interface",
        "extends": "dtmi:test:Base;1",
        "contents": [
            *({"@type": "Telemetry", "name": name, "schema": schema} for name, schema in SCHEMAS.items()),
            {"@type": "Property", "name": "serial", "schema": "string"},
            {"@type": "Property", "name": "target", "schema": "double", "writable": True},
            {"@type": "Command", "name": "reboot"},
            {"@type": "Component", "name": "left", "schema": PART},
            {"@type": ["Component"], "name": "right", "schema": PART},
        ],
        "schemas": [
            {
                "@id": "dtmi:test:shared;1",
                "@type": "Object",
                "fields": [{"name": "a", "schema": "integer"}],
            }
        ],
    },
    {
        "@context": "dtmi:dtdl:context;2",
        "@id": "dtmi:test:Base;1",
        "@type": "Interface",
        "contents": [{"@type": "Telemetry", "name": "inherited", "schema": "double"}],
    },
    {
        "@context": "dtmi:dtdl:context;2",
        "@id": PART,
        "@type": "Interface",
        "contents": [
            {"@type": "Telemetry", "name": "heat", "schema": "double"},
            {"@type": "Property", "name": "wear", "schema": "double"},
            {"@type": "Property", "name": "limit", "schema": "double", "writable": True},
        ],
    },
    {
        "@context": "dtmi:dtdl:context;2",
        "@id": BARE,
        "@type": "Interface",
        "contents": [{"@type": "Telemetry", "name": "d", "schema": "double"}],
    },
]


@functools.cache
def rig_model() -> Model:
    return parse(DOCUMENTS)


class Rig:
    """A device whose every word is judged as it comes; `found` collects what is found."""

    def __init__(self, model_id: str | None = ROOT, **known: Any) -> None:
        self.judge = Judge(model_id, rig_model() if model_id else None, **({"desired_version": 1} | known))
        self.found: list[Finding] = []
        self._n = 0
        self.t = 0.0

    def telemetry(self, body: Any, component: str | None = None, **more: Any) -> Rig:
        headers = {"content_type": "application/json", "content_encoding": "utf-8"} | more
        return self.tell(ev.TelemetryReceived(DEVICE, None, component, _bytes(body), **headers))

    def reported(self, patch: Any, status: int = 204) -> Rig:
        return self.tell(ev.ReportedPatched(DEVICE, None, "1", _bytes(patch), status))

    def desired(self, patch: dict[str, Any], version: int) -> Rig:
        return self.tell(ev.DesiredChanged(DEVICE, None, version, patch, True))

    def over(self, seconds: float = 60.0, *, whole: bool = True) -> Rig:
        self.t += seconds
        self.found += self.judge.ended(self.t, seconds, whole=whole)
        return self

    def codes(self) -> list[str]:
        """`severity code element` of each finding, in order."""
        return [" ".join(filter(None, (f.severity.value, f.code, f.element))) for f in self.found]

    def tell(self, event: ev.Event) -> Rig:
        """An event as the source brings it."""
        self._n += 1
        self.t += 0.1
        self.found += self.judge.arrived(Entry(self._n, self.t, event))
        return self


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
