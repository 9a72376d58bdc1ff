"""How many telemetry messages a second are judged, from raw bytes to verdict: `python -m tests.bench.payload`.

Beside it plain use of the usual tools on the same messages (`json.loads` and a prepared `jsonschema` validator), which
sees fewer faults: no duplicate names, no NaN, no integer written 1.0, and dates only where told to check formats.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter

from jsonschema import Draft202012Validator

from harness.dtdl.payload import check_value, decode, json_schema
from tests.dtdl.payload.elements import schema

ROUNDS = 3
SECONDS = 1.0

POSITION = {"@type": "Object", "fields": [{"name": name, "schema": "double"} for name in ("lat", "lon", "alt")]}
MODE = {
    "@type": "Enum",
    "valueSchema": "string",
    "enumValues": [{"name": name, "enumValue": name} for name in ("idle", "run")],
}
DECLARED = {
    "temperature": schema("double"),
    "humidity": schema("integer"),
    "at": schema("dateTime"),
    "mode": schema(MODE),
    "position": schema(POSITION),
}
MESSAGES = {
    "one number": b'{"temperature": 21.5}',
    "three values": b'{"temperature": 21.5, "humidity": 48, "at": "2025-06-30T12:00:00.123Z"}',
    "five, one of them an object": b'{"temperature": 21.5, "humidity": 48, "at": "2025-06-30T12:00:00Z", '
    b'"mode": "run", "position": {"lat": 47.4, "lon": 8.5, "alt": 408.0}}',
    "a wrong value": b'{"temperature": "21.5", "humidity": 48}',
}


def rate(call: Callable[[], object]) -> float:
    """Calls a second, the best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        count, start = 0, perf_counter()
        while (elapsed := perf_counter() - start) < SECONDS / ROUNDS:
            for _ in range(100):
                call()
            count += 100
        best = max(best, count / elapsed)
    return best


def main() -> int:
    plain = Draft202012Validator(
        {
            "type": "object",
            "properties": {name: json_schema(each) for name, each in DECLARED.items()},
            "additionalProperties": False,
        }
    )

    def ours(raw: bytes) -> bool:
        value, problems = decode(raw)
        assert isinstance(value, dict)
        return not problems and not any(check_value(DECLARED[name], each) for name, each in value.items())

    def theirs(raw: bytes) -> bool:
        return not list(plain.iter_errors(json.loads(raw)))

    print(f"{'messages a second, one core':32}{'preflight':>12}{'jsonschema':>12}{'ratio':>8}")
    for name, raw in MESSAGES.items():
        assert ours(raw) == theirs(raw)
        here, there = rate(lambda raw=raw: ours(raw)), rate(lambda raw=raw: theirs(raw))  # type: ignore[misc]
        print(f"{name:32}{here:12,.0f}{there:12,.0f}{here / there:8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
