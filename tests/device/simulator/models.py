"""A small model for the simulator's tests: every kind of capability, at the root and in two components."""

from __future__ import annotations

from harness.dtdl import Capability, parse

PUMP = {
    "@context": "dtmi:dtdl:context;2",
    "@id": "dtmi:test:Pump;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Telemetry", "name": "flow", "schema": "double"},
        {"@type": "Property", "name": "serial", "schema": "string"},
        {"@type": "Property", "name": "speed", "schema": "integer", "writable": True},
        {
            "@type": "Command",
            "name": "prime",
            "request": {"name": "seconds", "schema": "integer"},
            "response": {
                "name": "result",
                "schema": {"@type": "Object", "fields": [{"name": "ok", "schema": "boolean"}]},
            },
        },
    ],
}
STATION = {
    "@context": "dtmi:dtdl:context;2",
    "@id": "dtmi:test:Station;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Telemetry", "name": "level", "schema": "double"},
        {"@type": "Telemetry", "name": "samples", "schema": {"@type": "Array", "elementSchema": "integer"}},
        {"@type": "Property", "name": "installed", "schema": "date"},
        {"@type": "Property", "name": "label", "schema": "string", "writable": True},
        {
            "@type": "Property",
            "name": "limits",
            "writable": True,
            "schema": {
                "@type": "Object",
                "fields": [{"name": "low", "schema": "double"}, {"name": "high", "schema": "double"}],
            },
        },
        {"@type": "Command", "name": "drain"},
        {"@type": "Relationship", "name": "feeds"},
        {"@type": "Component", "name": "pump1", "schema": "dtmi:test:Pump;1"},
        {"@type": "Component", "name": "pump2", "schema": "dtmi:test:Pump;1"},
    ],
}


def capabilities() -> tuple[Capability, ...]:
    return parse([STATION, PUMP]).capabilities("dtmi:test:Station;1")
