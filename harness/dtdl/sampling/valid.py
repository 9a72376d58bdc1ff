"""Valid values from the JSON Schemas of `payload.schema`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from ..payload.problem import NotInstantiable
from ..payload.schema import HOLDERS, JsonSchema
from .hints import number_range, text_for

if TYPE_CHECKING:
    from ..model import Element

TWIN_LOW, TWIN_HIGH = -(2**52), 2**52 - 1
"""Integers that device twins accept (IoT Hub developer guide, device twins)."""

_LEAVES = 2_000
"""Leaves of one value after which optional parts are left out, so that wide and deep schemas stay small."""

_DEEPEST = 40
_SHALLOW = 6
"""Levels after which optional parts are left out (only DTDL v4's recursive schemas come that deep)."""

_START = datetime(2025, 1, 1)


def hint_of(element: Element) -> str:
    """Words that tell what a value means: the name of a content or field and its semantic types."""
    if element.kind not in HOLDERS:
        return ""
    types = [each.partition(";")[0].rpartition(":")[2] for each in element.types]
    return " ".join([*types, element.name or ""])


class Maker:
    """Makes values of one schema. `owner` is the id to name when there are none."""

    def __init__(self, schema: JsonSchema, rng: Random, hint: str, twin: bool, owner: str) -> None:
        self._schema = schema
        self._definitions = schema.get("$defs", {})
        self._rng = rng
        self._hint = hint
        self._twin = twin
        self._owner = owner
        self._left = _LEAVES

    def plausible(self) -> Any:
        self._left = _LEAVES
        return self._value(self._schema, self._hint, 0, False)

    def varied(self) -> Any:
        """A mixture of plausible values and edges, with optional fields absent now and then."""
        self._left = _LEAVES
        return self._value(self._schema, self._hint, 0, True)

    def edges(self) -> Iterator[Any]:
        """The edges of a leaf; of an array none, one and several elements; of an object or map as little as may be."""
        schema = self._resolve(self._schema)
        if schema.get("type") == "array":
            for length in (0, 1, 3):
                yield self._array(schema, self._hint, 0, True, length)
        elif schema.get("type") == "object":
            if "properties" in schema:
                yield {
                    name: self._value(schema["properties"][name], name, 1, False) for name in schema.get("required", ())
                }
            else:
                yield {}
        else:
            yield from self._leaf_edges(schema)

    def _resolve(self, schema: JsonSchema) -> JsonSchema:
        if "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
        return schema

    def _value(self, schema: JsonSchema, hint: str, depth: int, varied: bool) -> Any:
        if varied and "anyOf" in schema and self._rng.random() < 0.25:
            return None
        schema = self._resolve(schema)
        if depth > _DEEPEST:
            raise NotInstantiable(f"{self._owner} has no finite value: a required field leads back to itself")
        if schema.get("type") == "array":
            return self._array(schema, hint, depth, varied, None)
        if schema.get("type") == "object":
            return self._object(schema, hint, depth, varied)
        self._left -= 1
        if varied and self._rng.random() < 0.5:
            return self._rng.choice(list(self._leaf_edges(schema)))
        return self._leaf(schema, hint)

    def _sparing(self, depth: int) -> bool:
        return depth >= _SHALLOW or self._left <= 0

    def _array(self, schema: JsonSchema, hint: str, depth: int, varied: bool, length: int | None) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 8)
        if length is None:
            length = 0 if self._sparing(depth) else self._rng.choice((0, 1, 2, 5)) if varied else 3
        if schema.get("x-kind") == "Position":
            return self._position(varied)
        if schema["items"].get("format") == "closedRing":
            length = 1  # more rings would be holes, which must lie inside of the first
        if schema.get("format") == "closedRing":
            ring = [self._value(schema["items"], hint, depth + 1, False) for _ in range(3)]
            return [*ring, list(ring[0])]
        length = min(max(length, least), most)
        return [self._value(schema["items"], hint, depth + 1, varied) for _ in range(length)]

    def _position(self, varied: bool) -> list[float]:
        position = [round(self._rng.uniform(5.0, 15.0), 5), round(self._rng.uniform(45.0, 55.0), 5)]
        return [*position, round(self._rng.uniform(0.0, 500.0), 1)] if varied else position

    def _object(self, schema: JsonSchema, hint: str, depth: int, varied: bool) -> dict[str, Any]:
        if "properties" not in schema:
            few = 0 if self._sparing(depth) else self._rng.choice((0, 1, 3)) if varied else 2
            keys = [f"key{number}" for number in range(1, few + 1)]
            return {key: self._value(schema["additionalProperties"], hint, depth + 1, varied) for key in keys}
        required = schema.get("required", ())
        value: dict[str, Any] = {}
        for name, member in schema["properties"].items():
            optional = name not in required
            if optional and (self._sparing(depth) or (varied and self._rng.random() < 0.25)):
                continue
            if member or not optional:
                value[name] = self._value(member, name, depth + 1, varied)
        return value

    def _leaf(self, schema: JsonSchema, hint: str) -> Any:
        if "enum" in schema:
            if not schema["enum"]:
                raise NotInstantiable(f"{self._owner} has no value: it needs one of an Enum without values")
            return self._rng.choice(schema["enum"])
        if schema.get("type") == "integer":
            low, high = self._bounds(schema)
            first, last, _ = number_range(hint) or (0, 100, 0)
            first, last = max(low, int(first)), min(high, int(last))
            return self._rng.randint(first, last) if first <= last else self._rng.randint(max(low, 0), min(high, 100))
        if schema.get("type") == "number":
            first, last, digits = number_range(hint) or (0.0, 100.0, 2)
            return round(self._rng.uniform(first, last), digits or 1)
        maker = _TEXTS.get(schema.get("format", "text") if schema.get("type") == "string" else schema.get("type", ""))
        if maker is None:
            raise NotInstantiable(f"{self._owner} needs a value of a schema whose kind is unknown here")
        return maker(self._rng, hint)

    def _bounds(self, schema: JsonSchema) -> tuple[int, int]:
        low, high = schema["minimum"], schema["maximum"]
        return (max(low, TWIN_LOW), min(high, TWIN_HIGH)) if self._twin else (low, high)

    def _leaf_edges(self, schema: JsonSchema) -> Iterator[Any]:
        if "enum" in schema:
            yield from schema["enum"]
        elif schema.get("type") == "integer":
            low, high = self._bounds(schema)
            yield from dict.fromkeys(each for each in (low, -1, 0, 1, high) if low <= each)
        elif schema.get("type") == "number":
            largest = schema.get("maximum", 3.4028234663852886e38)
            yield from (0, 0.0, -1.5, 3, 1e-7, largest, -largest)
        elif schema.get("type") == "boolean":
            yield from (True, False)
        else:
            yield from _TEXT_EDGES.get(schema.get("format", "text"), ())


def _moment(rng: Random) -> datetime:
    return _START + timedelta(seconds=rng.randrange(365 * 86400))


def _base64(rng: Random, hint: str) -> str:
    return base64.b64encode(bytes(rng.randrange(256) for _ in range(6))).decode("ascii")


def _uuid(rng: Random, hint: str) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_TEXTS: dict[str, Callable[[Random, str], Any]] = {
    "boolean": lambda rng, hint: rng.random() < 0.5,
    "text": lambda rng, hint: text_for(hint, rng),
    "date": lambda rng, hint: _moment(rng).date().isoformat(),
    "date-time": lambda rng, hint: _moment(rng).isoformat() + f".{rng.randrange(1000):03d}Z",
    "time": lambda rng, hint: _moment(rng).time().isoformat() + "Z",
    "duration": lambda rng, hint: f"PT{rng.randrange(1, 60)}M{rng.randrange(60)}S",
    "base64": _base64,
    "decimal": lambda rng, hint: f"{rng.randrange(1000)}.{rng.randrange(100):02d}",
    "uuid": _uuid,
}

_TEXT_EDGES: dict[str, tuple[str, ...]] = {
    "text": ("", "Zürich 21 °C", 'quote " backslash \\ newline \n', "日本語 😀", "x" * 256),
    "date": ("0001-01-01", "2024-02-29", "9999-12-31"),
    "date-time": (
        "2024-02-29T23:59:59Z",
        "2025-06-30T12:00:00+05:30",
        "2025-06-30T12:00:00.1234567-08:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ),
    "time": ("00:00:00Z", "23:59:59Z", "12:00:00.1234567-08:00", "06:00:00+05:30"),
    "duration": ("PT0S", "P0D", "P1W", "PT0.001S", "P3Y6M4DT12H30M5S", "P0.5Y", "PT36H"),
    "base64": ("", "AA==", "AAA=", "+/+/"),
    "decimal": ("0", "-0.5", "+12.", "123456789012345678901234567890.12345"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF"),
}
