"""Elements made by hand from DTDL written as JSON, so that payload tests stand without the parser."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from harness.dtdl.model import Draft, Element

PRIMITIVES = (
    *("boolean", "byte", "bytes", "date", "dateTime", "decimal", "double", "duration", "float", "integer", "long"),
    *("short", "string", "time", "unsignedByte", "unsignedInteger", "unsignedLong", "unsignedShort", "uuid"),
)
_PREDEFINED = {
    **{
        name: f"dtmi:standard:schema:geospatial:{name};2"
        for name in ("point", "multiPoint", "lineString", "multiLineString", "polygon", "multiPolygon")
    },
    "geopoint": "dtmi:iotcentral:schema:geopoint;2",
    "vector": "dtmi:iotcentral:schema:vector;2",
    "scaledDecimal": "dtmi:standard:schema:scaledDecimal;4",
}
PREDEFINED = tuple(_PREDEFINED)
_numbers = count(1)


def element(
    kind: str, dtmi: str | None = None, name: str | None = None, types: tuple[str, ...] = (), **members: Any
) -> Element:
    draft = Draft()
    draft.id = dtmi or f"dtmi:test:element{next(_numbers)};1"
    draft.kind = kind
    draft.dtdl_version = 4
    draft.name = name
    draft.members = members
    draft.types = types
    draft.supplemental = {}
    draft.defined_in = draft.child_of = None
    draft.pointer = ""
    draft.document = 0
    return draft.seal()


def schema(written: str | Mapping[str, Any]) -> Element:
    """The element of a schema written as in DTDL: a term, or an Array, Map, Object or Enum."""
    if isinstance(written, str):
        if written in _PREDEFINED:
            return element("Object", _PREDEFINED[written])
        return element(written[0].upper() + written[1:], f"dtmi:dtdl:instance:Schema:{written};2")
    kind, dtmi = written["@type"], written.get("@id")
    if kind == "Array":
        return element(kind, dtmi, elementSchema=schema(written["elementSchema"]))
    if kind == "Map":
        return element(
            kind, dtmi, mapKey=holder("MapKey", written["mapKey"]), mapValue=holder("MapValue", written["mapValue"])
        )
    if kind == "Object":
        return element(kind, dtmi, fields=tuple(holder("Field", field) for field in written.get("fields", ())))
    values = tuple(
        element("EnumValue", name=value["name"], enumValue=value["enumValue"])
        for value in written.get("enumValues", ())
    )
    return element(kind, dtmi, valueSchema=schema(written["valueSchema"]), enumValues=values)


def holder(kind: str, written: Mapping[str, Any]) -> Element:
    """A Field, Telemetry, payload …: something with a name and a schema."""
    types = written.get("@type", ())
    members = {key: value for key, value in written.items() if key in ("writable", "nullable")}
    return element(
        kind,
        name=written["name"],
        types=(types,) if isinstance(types, str) else tuple(types),
        schema=schema(written["schema"]),
        **members,
    )
