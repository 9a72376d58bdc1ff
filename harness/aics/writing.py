"""Writes the test cases of a model in the shape that AICS answered, for a maker to edit.

An unedited file asks for what a run without a file asks for: the same values are set and sent, telemetry that is not
seen is a warning (`isMandatory` false), everything else that is not observed a failure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.aics.document import Document
from harness.aics.tables import DEFAULT_COMPONENT
from harness.dtdl import Capability, Model, NotInstantiable, sample
from harness.dtdl.model import Element

UPLOADED, GLOBAL = "UserUploads", "GlobalRepository"
"""Where a model came from: the maker, or the public repository."""

_UNKNOWN = "Unknown"
_PRIMITIVES = frozenset({"Boolean", "Date", "DateTime", "Double", "Duration", "Float", "Integer", "Long", "String"})
_PRIMITIVES |= {"Time"}
_DEEPEST = 8
"""Levels of a schema that are written out; what is deeper is `Unknown`, as every kind is that AICS had no name for."""
_TELEMETRY, _PROPERTIES, _COMMANDS = 60, 30, 30
"""Seconds for `validationTimeout`; the first also for properties that are only reported."""


def generate(
    model: Model,
    model_id: str,
    documents: Mapping[str, Any],
    published: Iterable[str] = (),
) -> Document:
    """The test cases of a device with this model id. `documents` are the model's texts by DTMI, `published` those of
    them that are in the public repository."""
    public = frozenset(published)
    snapshots = [
        {"interfaceId": dtmi, "content": _text(content), "resolutionSource": _source(dtmi, public)}
        for dtmi, content in documents.items()
        if dtmi != model_id
    ]
    snapshot = {
        "id": model_id,
        "content": _text(documents.get(model_id, {})),
        "resolutionSource": _source(model_id, public),
        "interfaceSnapshots": snapshots,
    }
    tests = [_interface(model, model_id, component, public) for component in _components(model, model_id)]
    return Document(({"type": "Pnp", "modelDefinitionSnapshot": snapshot, "interfaceTests": tests},))


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _source(dtmi: str, public: frozenset[str]) -> str:
    return GLOBAL if dtmi in public else UPLOADED


def _components(model: Model, model_id: str) -> list[Element | None]:
    return [None, *(c for c in model.contents(model_id).values() if c.kind == "Component")]


def _interface(model: Model, model_id: str, component: Element | None, public: frozenset[str]) -> dict[str, Any]:
    name = component.name if component else None
    dtmi = component.schema.id if component and component.schema else model_id
    named = component or model.interface(model_id)
    everything = model.capabilities(model_id)
    own = [c for c in everything if c.component == name]
    order = {c.path: number for number, c in enumerate((c for c in everything if c.kind == "command"), 1)}
    return {
        "id": dtmi,
        "componentName": name or DEFAULT_COMPONENT,
        "displayName": next(iter(named.display_name.values()), None),
        "resolutionSource": _source(dtmi, public),
        "isMandatory": True,
        "shouldValidate": True,
        "propertyTests": [_property(c) for c in own if c.kind == "property"],
        "commandTests": [_command(c, order[c.path]) for c in own if c.kind == "command"],
        "telemetryTests": [_telemetry(c) for c in own if c.kind == "telemetry"],
    }


def _telemetry(capability: Capability) -> dict[str, Any]:
    return {
        "telemetry": {**_named(capability.element), **_schema_of(capability.schema)},
        "expectedResult": None,
        "messageCount": 1,
        **_common(_TELEMETRY, mandatory=False),
    }


def _property(capability: Capability) -> dict[str, Any]:
    writable = capability.writable
    return {
        "property": {**_named(capability.element), **_schema_of(capability.schema), "writable": writable},
        "valueToWrite": _sample(capability.element, f"write {capability.path}", twin=True) if writable else None,
        "valueToReport": None,
        **_common(_PROPERTIES if writable else _TELEMETRY),
    }


def _command(capability: Capability, priority: int) -> dict[str, Any]:
    request, response = capability.request, capability.response
    kind = str(capability.element.get("commandType") or "synchronous")
    return {
        "command": {
            **_named(capability.element),
            "requestSchema": {**_named(request), **_schema_of(request.schema)} if request else None,
            "responseSchema": {**_named(response), **_schema_of(response.schema)} if response else None,
            "commandExecutionType": kind[:1].upper() + kind[1:],
        },
        "payload": _sample(request, f"command {capability.path}") if request else None,
        "expectedResult": None,
        "priority": priority,
        **_common(_COMMANDS),
    }


def _common(timeout: int, *, mandatory: bool = True) -> dict[str, Any]:
    return {"validationTimeout": timeout, "isMandatory": mandatory, "shouldValidate": True}


def _named(element: Element) -> dict[str, Any]:
    """What every object of the model carries, and the semantic types of this one."""
    description = element.get("description")
    row: dict[str, Any] = {
        "name": element.name,
        "id": element.id,
        "comment": element.get("comment"),
        "displayName": dict(element.display_name),
        "description": dict(description) if isinstance(description, Mapping) else {},
        "languageVersion": element.dtdl_version,
    }
    if element.types:
        values = {k: v.id if isinstance(v, Element) else v for k, v in element.supplemental.items()}
        row |= {"supplementalTypes": list(element.types), "supplementalProperties": values}
    return row


def _schema_of(schema: Element | None) -> dict[str, Any]:
    return {"schema": _schema(schema, _DEEPEST)}


def _schema(schema: Element | None, levels: int) -> Any:
    """A primitive by its name, any other schema as an object."""
    if schema is None or not levels:
        return _UNKNOWN
    kind, inner = schema.kind, levels - 1
    if kind in _PRIMITIVES:
        return kind
    if kind == "Array":
        return {"schemaType": kind, "elementSchema": _schema(schema.element("elementSchema"), inner)}
    if kind == "Enum":
        values = [{"name": v.name, "value": v.get("enumValue")} for v in schema.elements("enumValues")]
        return {"schemaType": kind, "enumValues": values, "valueSchema": _schema(schema.element("valueSchema"), inner)}
    if kind == "Object":
        fields = [{"name": f.name, "schema": _schema(f.schema, inner)} for f in schema.elements("fields")]
        return {"schemaType": kind, "fields": fields}
    if kind == "Map":
        key, value = schema.element("mapKey"), schema.element("mapValue")
        return {
            "schemaType": kind,
            "keySchema": _schema(key.schema if key else None, inner),
            "valueSchema": _schema(value.schema if value else None, inner),
        }
    return _UNKNOWN


def _sample(schema: Element, seed: str, *, twin: bool = False) -> str | None:
    """A valid value as the string of JSON that AICS kept; None where no value can be made."""
    try:
        return json.dumps(sample(schema, seed=seed, twin=twin), ensure_ascii=False)
    except NotInstantiable:
        return None
