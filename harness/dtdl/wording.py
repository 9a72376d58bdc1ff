"""A schema in words, on one line."""

from __future__ import annotations

from harness.dtdl.model import Capability, Element

_DEEPEST = 3


def capability_text(capability: Capability, most: int | None = None) -> str:
    """Its schema (see `schema_text`); of a command, that of its request and of its response."""
    if capability.kind != "command":
        return schema_text(capability.schema, most)
    sides = (capability.request, capability.response)
    request, response = ("nothing" if each is None else schema_text(each.schema, most) for each in sides)
    return f"{request} → {response}"


def schema_text(schema: Element | None, most: int | None = None, depth: int = 0) -> str:
    """A schema on one line: `double`, `array of string`, `object {a: double}`, `enum of integer: on=1, off=2`; with
    `most`, no more fields and enum values than that, and the values without their names."""
    if schema is None:
        return "not known"
    if schema.id.startswith(("dtmi:standard:", "dtmi:iotcentral:")):
        return term(schema.id)
    if depth > _DEEPEST:
        return "…"
    if schema.kind == "Array":
        return f"array of {schema_text(schema.element('elementSchema'), most, depth + 1)}"
    if schema.kind == "Map":
        value = schema.element("mapValue")
        return f"map of {schema_text(value.schema if value is not None else None, most, depth + 1)}"
    if schema.kind == "Object":
        fields = [f"{field.name}: {schema_text(field.schema, most, depth + 1)}" for field in schema.elements("fields")]
        return f"object {{{_listed(fields, most)}}}"
    if schema.kind == "Enum":
        named = most is None
        values = [f"{each.name}=" * named + str(each.get("enumValue")) for each in schema.elements("enumValues")]
        return f"enum of {schema_text(schema.element('valueSchema'))}: {_listed(values, most)}"
    return schema.kind[:1].lower() + schema.kind[1:]


def _listed(items: list[str], most: int | None) -> str:
    shown = ", ".join(items[:most])
    return shown if most is None or len(items) <= most else f"{shown}, … ({len(items)} in all)"


def term(dtmi: str) -> str:
    """The last part of an id, as a model in the language's own words has it."""
    return dtmi.partition(";")[0].rpartition(":")[2]
