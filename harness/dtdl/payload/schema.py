"""The one reading of DTDL schemas as JSON: each schema element becomes a JSON Schema (draft 2020-12).

Everything else that deals with values (the fast acceptance, the problems, the sample values) works from this,
so a kind of schema is described once. Where JSON Schema is too weak, `format` names a test of `formats` or
`unsigned`/`closedRing` below, and the word "integer" means a token without fraction or exponent (see `check`).
Annotations: `title` is what the schema expects, in words; `x-enumNames` are the names of an Enum's values;
`x-kind` is the DTDL kind. A schema that this module does not know becomes `{}`: everything is accepted,
which reads "not checked".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model import Element

JsonSchema = dict[str, Any]

FLOAT_LIMIT = 3.4028235677973366e38
"""The smallest magnitude that rounds to infinity in single precision."""

_INTEGERS: Mapping[str, tuple[str, int, int]] = {
    "Byte": ("byte", -(2**7), 2**7 - 1),
    "Short": ("short", -(2**15), 2**15 - 1),
    "Integer": ("integer", -(2**31), 2**31 - 1),
    "Long": ("long", -(2**63), 2**63 - 1),
    "UnsignedByte": ("unsignedByte", 0, 2**8 - 1),
    "UnsignedShort": ("unsignedShort", 0, 2**16 - 1),
    "UnsignedInteger": ("unsignedInteger", 0, 2**32 - 1),
    "UnsignedLong": ("unsignedLong", 0, 2**64 - 1),
}

_TEXTS: Mapping[str, tuple[str, str]] = {
    "Date": ("date", 'date: an RFC 3339 full-date such as "2020-05-17"'),
    "DateTime": ("date-time", 'dateTime: an RFC 3339 date-time with offset such as "2020-08-30T19:16:13.853Z"'),
    "Time": ("time", 'time: an RFC 3339 full-time with offset such as "19:16:13Z"'),
    "Duration": ("duration", 'duration: ISO 8601 such as "PT10H24M6.169S"'),
    "Bytes": ("base64", 'bytes: base64 with padding such as "SGVsbG8="'),
    "Decimal": ("decimal", 'decimal: a decimal number in a string such as "-12.50"'),
    "Uuid": ("uuid", 'uuid: hexadecimal groups of 8-4-4-4-12 such as "00a185be-a3a4-465a-9dac-cfa24bc7b923"'),
}


def _primitives() -> dict[str, JsonSchema]:
    table: dict[str, JsonSchema] = {
        "Boolean": {"type": "boolean", "title": "boolean: true or false"},
        "String": {"type": "string", "title": "string"},
        "Double": {
            "type": "number",
            "minimum": -sys.float_info.max,
            "maximum": sys.float_info.max,
            "title": "double: a finite number",
        },
        "Float": {
            "type": "number",
            "exclusiveMinimum": -FLOAT_LIMIT,
            "exclusiveMaximum": FLOAT_LIMIT,
            "title": "float: a finite number of single precision (up to ±3.4028235e38)",
        },
    }
    for kind, (term, low, high) in _INTEGERS.items():
        table[kind] = {
            "type": "integer",
            "minimum": low,
            "maximum": high,
            "title": f"{term}: a whole number from {low} to {high}, written without fraction or exponent",
        }
        if low == 0:
            table[kind]["format"] = "unsigned"
    for kind, (name, title) in _TEXTS.items():
        table[kind] = {"type": "string", "format": name, "title": title}
    for kind, schema in table.items():
        schema["x-kind"] = kind
    return table


_PRIMITIVES = _primitives()


def _geometry(name: str, coordinates: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "properties": {"type": {"enum": [name], "type": "string", "title": f'"{name}"'}, "coordinates": coordinates},
        "required": ["type", "coordinates"],
        "additionalProperties": False,
        "title": f'a GeoJSON {name}: {{"type": "{name}", "coordinates": […]}}',
        "x-kind": name,
    }


def _several(items: JsonSchema, at_least: int, title: str, **more: object) -> JsonSchema:
    return {"type": "array", "items": items, "minItems": at_least, "title": title, **more}


def _numbers(required: tuple[str, ...], optional: tuple[str, ...], kind: str, title: str) -> JsonSchema:
    return {
        "type": "object",
        "properties": dict.fromkeys(required + optional, _PRIMITIVES["Double"]),
        "required": list(required),
        "additionalProperties": False,
        "title": title,
        "x-kind": kind,
    }


def _predefined() -> dict[str, JsonSchema]:
    """By the last segment of their DTMI; GeoJSON per RFC 7946, whose order of longitude and latitude nobody keeps."""
    position = _several(_PRIMITIVES["Double"], 2, "a position: an array of two or three numbers", maxItems=3)
    position["x-kind"] = "Position"
    positions = _several(position, 0, "an array of positions")
    line = _several(position, 2, "an array of at least two positions")
    ring = _several(
        position, 4, "a closed ring: at least four positions, the last equal to the first", format="closedRing"
    )
    rings = _several(ring, 0, "an array of rings")
    return {
        "point": _geometry("Point", position),
        "multiPoint": _geometry("MultiPoint", positions),
        "lineString": _geometry("LineString", line),
        "multiLineString": _geometry("MultiLineString", _several(line, 0, "an array of lines")),
        "polygon": _geometry("Polygon", rings),
        "multiPolygon": _geometry("MultiPolygon", _several(rings, 0, "an array of polygons")),
        "geopoint": _numbers(("lat", "lon"), ("alt",), "geopoint", 'a geopoint: {"lat": …, "lon": …, "alt": …}'),
        "vector": _numbers(("x", "y", "z"), (), "vector", 'a vector: {"x": …, "y": …, "z": …}'),
        "scaledDecimal": {
            "type": "object",
            "properties": {"scale": _PRIMITIVES["Short"], "value": _PRIMITIVES["Decimal"]},
            "additionalProperties": False,
            "title": 'a scaledDecimal: {"scale": …, "value": …}',
            "x-kind": "scaledDecimal",
        },
    }


_PREDEFINED = _predefined()
_PREDEFINED_PREFIXES = ("dtmi:standard:schema:", "dtmi:iotcentral:schema:")

HOLDERS = frozenset(
    ["Telemetry", "Property", "CommandPayload", "CommandRequest", "CommandResponse", "Field", "MapKey", "MapValue"]
)
"""Kinds that carry a value by way of their `schema`."""


@lru_cache(maxsize=4096)
def json_schema(element: Element) -> JsonSchema:
    """JSON Schema of the values of a schema element, or of the schema that an element of `HOLDERS` names.

    Treat it as frozen: parts are shared. `{}` where the kind is not known, and for a content without schema.
    """
    nullable = False
    while element.kind in HOLDERS:
        nullable = nullable or element.get("nullable") is True
        if element.schema is None:
            return {}
        element = element.schema
    builder = _Builder()
    schema = builder.build(element)
    if builder.recursive:
        schema = {**schema, "$defs": builder.recursive}
    if nullable:
        schema = {"anyOf": [{"type": "null"}, schema], "title": f"null, or {schema.get('title', 'any value')}"}
    return schema


class _Builder:
    """One tree of schemas; what refers back to itself (DTDL v4 allows it) goes to `recursive` under its DTMI."""

    def __init__(self) -> None:
        self.recursive: dict[str, JsonSchema] = {}
        self._built: dict[str, JsonSchema] = {}
        self._open: set[str] = set()

    def build(self, element: Element | None) -> JsonSchema:
        if element is None:
            return {}
        if element.id in self._open:
            self.recursive[element.id] = {}
            return {"$ref": f"#/$defs/{element.id}"}
        if element.id not in self._built:
            self._open.add(element.id)
            schema = self._schema(element)
            self._open.discard(element.id)
            if element.id in self.recursive:
                self.recursive[element.id] = schema
                schema = {"$ref": f"#/$defs/{element.id}"}
            self._built[element.id] = schema
        return self._built[element.id]

    def _schema(self, element: Element) -> JsonSchema:
        if element.kind in _PRIMITIVES:
            return _PRIMITIVES[element.kind]
        if element.id.startswith(_PREDEFINED_PREFIXES):
            known = _PREDEFINED.get(element.id.partition(";")[0].rpartition(":")[2])
            if known is not None:
                return known
        complex_kind = _COMPLEX.get(element.kind)
        return {} if complex_kind is None else {**complex_kind(self, element), "x-kind": element.kind}

    def _array(self, element: Element) -> JsonSchema:
        items = self.build(element.element("elementSchema"))
        return {"type": "array", "items": items, "title": "an array"}

    def _map(self, element: Element) -> JsonSchema:
        value = element.element("mapValue")
        values = self.build(value.schema if value is not None else None)
        return {"type": "object", "additionalProperties": values, "title": "a map: an object with any names"}

    def _object(self, element: Element) -> JsonSchema:
        fields = element.elements("fields")
        names = [str(field.name) for field in fields]
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        schema: JsonSchema = {
            "type": "object",
            "properties": {str(field.name): self.build(field.schema) for field in fields},
            "additionalProperties": False,
            "title": f"an object with the fields {listed}" if names else "an object without fields",
        }
        required = [str(field.name) for field in fields if _is_required(field)]
        return {**schema, "required": required} if required else schema

    def _enum(self, element: Element) -> JsonSchema:
        values = element.elements("enumValues")
        value_schema = element.element("valueSchema")
        of_text = value_schema is not None and value_schema.kind == "String"
        listed = [value.get("enumValue") for value in values]
        shown = ", ".join(f'"{each}"' if of_text else str(each) for each in listed[:12])
        return {
            "type": "string" if of_text else "integer",
            "enum": listed,
            "title": f"one of the enum values {shown}{', …' if len(listed) > 12 else ''}",
            "x-enumNames": [str(value.name) for value in values],
        }


_COMPLEX: Mapping[str, Callable[[_Builder, Element], JsonSchema]] = {
    "Array": _Builder._array,
    "Map": _Builder._map,
    "Object": _Builder._object,
    "Enum": _Builder._enum,
}

SCHEMA_KINDS = frozenset({*_PRIMITIVES, *_COMPLEX})
"""Kinds whose elements have instances."""


def _is_required(field: Element) -> bool:
    """Co-typed `Required` (feature extension `requirement`), as a term or as the DTMI of the type."""
    return any(written.partition(";")[0].rpartition(":")[2] == "Required" for written in field.types)
