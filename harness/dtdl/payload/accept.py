"""The quick yes: a JSON Schema of `schema` as one Python predicate.

Most messages of a healthy device conform, and `jsonschema` takes some hundred microseconds to say so. The
predicate says yes or no to the same values (a property test holds the two together); the reasons for a no are
`jsonschema`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .formats import FORMATS
from .schema import JsonSchema
from .strict import NegativeZero

Predicate = Callable[[Any], bool]


def predicate(schema: JsonSchema) -> Predicate:
    """Whether a value conforms to `schema`, one that `json_schema` made. May raise RecursionError on a value
    that nests without bound (a decoded payload does not)."""
    return _Compiler(schema.get("$defs", {})).of(schema)


def is_integer(value: object) -> bool:
    """A number token without fraction or exponent, as decoded."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """A finite number; NaN and infinities are no JSON numbers."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_unsigned(value: object) -> bool:
    """The token has no sign: -0 is no unsigned number."""
    return not isinstance(value, NegativeZero)


def is_closed(ring: object) -> bool:
    """The ring of a GeoJSON polygon ends where it began."""
    return not isinstance(ring, list) or not ring or bool(ring[0] == ring[-1])


class _Compiler:
    """Makes each part of a schema once, however often it is shared."""

    def __init__(self, definitions: dict[str, JsonSchema]) -> None:
        self._definitions = definitions
        self._made: dict[int, Predicate] = {}

    def of(self, schema: JsonSchema) -> Predicate:
        made = self._made.get(id(schema))
        if made is None:
            made = self._made[id(schema)] = self._make(schema)
        return made

    def _make(self, schema: JsonSchema) -> Predicate:
        if "$ref" in schema:
            definition = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
            return lambda value: self.of(definition)(value)
        if "anyOf" in schema:
            options = [self.of(option) for option in schema["anyOf"]]
            return lambda value: any(option(value) for option in options)
        maker = _MAKERS.get(schema.get("type", ""))
        return maker(schema, self) if maker is not None else _anything


def _anything(value: object) -> bool:
    return True


def _null(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    return lambda value: value is None


def _boolean(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    return lambda value: value is True or value is False


def _integer(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    if "enum" in schema:
        members = frozenset(schema["enum"])
        return lambda value: is_integer(value) and value in members
    low, high = schema["minimum"], schema["maximum"]
    if schema.get("format") == "unsigned":
        return lambda value: is_integer(value) and low <= value <= high and is_unsigned(value)
    return lambda value: is_integer(value) and low <= value <= high


def _number(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    if "maximum" in schema:
        low, high = schema["minimum"], schema["maximum"]
        return lambda value: is_number(value) and low <= value <= high
    low, high = schema["exclusiveMinimum"], schema["exclusiveMaximum"]
    return lambda value: is_number(value) and low < value < high


def _string(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    if "enum" in schema:
        members = frozenset(schema["enum"])
        return lambda value: isinstance(value, str) and value in members
    test = FORMATS.get(schema.get("format", ""))
    if test is None:
        return lambda value: isinstance(value, str)
    return lambda value: isinstance(value, str) and test(value)


def _array(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    item = compiler.of(schema["items"])
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    closed = schema.get("format") == "closedRing"

    def accept(value: Any) -> bool:
        if not isinstance(value, list) or not low <= len(value) <= high or (closed and not is_closed(value)):
            return False
        return all(item(each) for each in value)

    return accept


def _object(schema: JsonSchema, compiler: _Compiler) -> Predicate:
    members = {name: compiler.of(each) for name, each in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    rest = compiler.of(schema["additionalProperties"]) if schema["additionalProperties"] is not False else None

    def accept(value: Any) -> bool:
        if not isinstance(value, dict) or not required <= value.keys():
            return False
        for name, each in value.items():
            member = members.get(name, rest)
            if member is None or not member(each):
                return False
        return True

    return accept


_MAKERS: dict[str, Callable[[JsonSchema, _Compiler], Predicate]] = {
    "null": _null,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "array": _array,
    "object": _object,
}
