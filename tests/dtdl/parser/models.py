"""Models written by the tests: as little of a document as a test is about."""

from __future__ import annotations

from typing import Any

from harness.dtdl import Model, ModelError, ParsingError, parse

Json = dict[str, Any]


def interface(*contents: Json, dtmi: str = "dtmi:test:it;1", version: int = 3, **members: Any) -> Json:
    """An Interface; `context` among the members adds extensions to the version."""
    context = [f"dtmi:dtdl:context;{version}", *members.pop("context", ())]
    document = {"@context": context, "@id": dtmi, "@type": "Interface", **members}
    return document | ({"contents": list(contents)} if contents else {})


def telemetry(name: str = "t", schema: Any = "double", *types: str, **members: Any) -> Json:
    return {"@type": ["Telemetry", *types], "name": name, "schema": schema, **members}


def property_(name: str = "p", schema: Any = "double", *types: str, **members: Any) -> Json:
    return {"@type": ["Property", *types], "name": name, "schema": schema, **members}


def component(name: str, schema: Any) -> Json:
    return {"@type": "Component", "name": name, "schema": schema}


def object_(*fields: tuple[str, Any]) -> Json:
    return {"@type": "Object", "fields": [{"name": name, "schema": schema} for name, schema in fields]}


def enum(*values: Any, schema: str = "integer") -> Json:
    rows = [{"name": f"v{index}", "enumValue": value} for index, value in enumerate(values)]
    return {"@type": "Enum", "valueSchema": schema, "enumValues": rows}


def array(schema: Any) -> Json:
    return {"@type": "Array", "elementSchema": schema}


def nested(levels: int) -> Any:
    """A schema of so many Arrays in each other."""
    schema: Any = "double"
    for _ in range(levels):
        schema = array(schema)
    return schema


def errors(*documents: Any, **options: Any) -> list[ParsingError]:
    """What is wrong with documents; nothing where they are right."""
    try:
        parse(list(documents), **options)
    except ModelError as error:
        return list(error.errors)
    return []


def codes(*documents: Any, **options: Any) -> list[str]:
    return [error.code for error in errors(*documents, **options)]


def model(*documents: Any, **options: Any) -> Model:
    return parse(list(documents), **options)
