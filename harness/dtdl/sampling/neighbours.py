"""Values just outside a schema, and why: what a validator and a device must reject."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..payload.schema import JsonSchema

_PER_MEMBER = 3
"""Neighbours taken from each field, element or map value; the rest would only repeat what a leaf has shown."""

_TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    "date": (
        ("no such day", "2023-02-29"),
        ("the basic format", "20200517"),
        ("the order of another country", "17/05/2020"),
        ("a date with a time", "2020-05-17T00:00:00Z"),
    ),
    "date-time": (
        ("the offset is missing", "2020-08-30T19:16:13"),
        ("a space in place of the T", "2020-08-30 19:16:13Z"),
        ("the seconds are missing", "2020-08-30T19:16Z"),
        ("hour 24", "2020-08-30T24:00:00Z"),
        ("a leap second", "2016-12-31T23:59:60Z"),
        ("a date without a time", "2020-08-30"),
    ),
    "time": (
        ("the offset is missing", "19:16:13"),
        ("the seconds are missing", "19:16Z"),
        ("hour 24", "24:00:00Z"),
        ("a leading T", "T19:16:13Z"),
    ),
    "duration": (
        ("no component", "PT"),
        ("words", "15 minutes"),
        ("the T is missing", "P8H9M"),
        ("weeks with years", "P1Y2W"),
        ("a fraction in a component that is not the last", "P1.5DT3H"),
    ),
    "base64": (
        ("the padding is missing", "SGVsbG8"),
        ("the URL-safe alphabet", "-_-_"),
        ("a character outside base64", "SGV*bG8="),
    ),
    "decimal": (("an exponent", "1e3"), ("a leading zero", "01.5"), ("a comma", "1,5"), ("nothing", "")),
    "uuid": (
        ("braces", "{00a185be-a3a4-465a-9dac-cfa24bc7b923}"),
        ("no hyphens", "00a185bea3a4465a9daccfa24bc7b923"),
        ("one digit short", "00a185be-a3a4-465a-9dac-cfa24bc7b92"),
    ),
}


class Neighbours:
    """The neighbours of one schema; `root` is the schema that holds the definitions."""

    def __init__(self, root: JsonSchema) -> None:
        self._definitions = root.get("$defs", {})

    def around(self, schema: JsonSchema, base: Any) -> Iterator[tuple[str, Any]]:
        """Candidates near the valid value `base`; a candidate that happens to be valid is the caller's to drop."""
        if "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
        if not schema:
            return
        kind = schema["type"]
        if kind == "array":
            yield from self._array(schema, base or [])
        elif kind == "object":
            yield from self._object(schema, base or {})
        elif "enum" in schema:
            yield from _enum(schema)
        elif kind == "boolean":
            yield from (("a string in place of a boolean", "true"), ("a number in place of a boolean", 1))
        elif kind == "integer":
            yield from _integer(schema)
        elif kind == "number":
            yield from _number(schema)
        else:
            yield from _text(schema)
        yield "null", None

    def _array(self, schema: JsonSchema, base: Any) -> Iterator[tuple[str, Any]]:
        element = base[0] if base else None
        for why, value in islice(self.around(schema["items"], element), _PER_MEMBER):
            yield f"element 0: {why}", [value, *base[1:]]
        yield "a single element in place of an array", element
        yield "an object in place of an array", {"value": base}
        if schema.get("minItems"):
            yield "too few elements", base[: schema["minItems"] - 1]

    def _object(self, schema: JsonSchema, base: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        members = schema.get("properties")
        if members is None:
            for why, value in islice(self.around(schema["additionalProperties"], _first(base)), _PER_MEMBER):
                yield f"a value of the map: {why}", {**base, "key1": value}
        else:
            yield "an undeclared field", {**base, _unused(members): 1}
            for name in schema.get("required", ()):
                yield f"the required field {name} is missing", {key: base[key] for key in base if key != name}
            for name, member in members.items():
                for why, value in islice(self.around(member, base.get(name)), _PER_MEMBER):
                    yield f"field {name}: {why}", {**base, name: value}
                yield f"field {name}: null", {**base, name: None}
        yield "an array in place of an object", [base]
        yield "a string in place of an object", "{}"


def _enum(schema: JsonSchema) -> Iterator[tuple[str, Any]]:
    values = schema["enum"]
    for name in schema.get("x-enumNames", ())[:1]:
        yield "the name of an enum value in place of the value", name
    if schema["type"] == "string":
        yield "no enum value", _unused(values)
        for value in values[:1]:
            yield "an enum value in other letters", str(value).swapcase()
        yield "a number in place of a string", 1
    else:
        yield "no enum value", max(values, default=0) + 1
        for value in values[:1]:
            yield "an enum value in quotes", str(value)
            yield "an enum value with a fraction", float(value)


def _integer(schema: JsonSchema) -> Iterator[tuple[str, Any]]:
    yield "above the range", schema["maximum"] + 1
    yield "below the range", schema["minimum"] - 1
    yield "a fraction", 1.5
    yield "a whole number written with a fraction", 1.0
    yield "a number in quotes", "1"
    yield "a boolean in place of a number", True


def _number(schema: JsonSchema) -> Iterator[tuple[str, Any]]:
    yield "a number in quotes", "21.5"
    yield "a boolean in place of a number", True
    yield "above the range", 10**309 if "maximum" in schema else 3.5e38
    yield "below the range", -(10**309) if "maximum" in schema else -3.5e38
    yield "an array in place of a number", [21.5]


def _text(schema: JsonSchema) -> Iterator[tuple[str, Any]]:
    yield from _TEXTS.get(schema.get("format", ""), ())
    yield "a number in place of a string", 1598814973
    yield "a boolean in place of a string", True
    yield "an object in place of a string", {"value": ""}


def _first(base: dict[str, Any]) -> Any:
    return next(iter(base.values()), None)


def _unused(taken: Any) -> str:
    name = "undeclared"
    while name in taken:
        name += "X"
    return name
