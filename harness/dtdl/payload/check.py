"""Payload checks: does this text, this value, this telemetry message conform to what the model declares?"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from .accept import predicate
from .decode import decode
from .problem import NotInstantiable, Problem
from .schema import SCHEMA_KINDS, JsonSchema, json_schema

if TYPE_CHECKING:
    from ..model import Element


def check_instance(element: Element, text: str | bytes) -> list[Problem]:
    """What is wrong with JSON `text` as an instance of a schema element; empty where it conforms.

    Raises NotInstantiable where `element` is no schema: contents, payloads and fields are checked against their
    schema (`check_value` follows it), an Interface has no instance.
    """
    if element.kind not in SCHEMA_KINDS:
        schema = f"; check against its schema {element.schema.id}" if element.schema is not None else ""
        article = "an" if element.kind[0] in "AEIOU" else "a"
        raise NotInstantiable(
            f"{element.id} is {article} {element.kind}, which no JSON value is an instance of{schema}"
        )
    value, problems = decode(text)
    return list(problems) or check_value(element, value)


def check_value(schema: Element, value: object) -> list[Problem]:
    """What is wrong with a decoded value; empty where it conforms or where the schema is of a kind that is not
    checked. `schema` is a schema, or a Telemetry, Property, payload or field whose schema is meant."""
    return _compiled(schema).check(value)


class _Compiled:
    """A schema ready to check values; made once, kept by `_compiled`."""

    def __init__(self, schema: JsonSchema) -> None:
        self.schema = schema
        self.accepts = predicate(schema)

    @cached_property
    def validator(self) -> Any:
        from .explain import validator

        return validator(self.schema)

    def check(self, value: object) -> list[Problem]:
        if self.accepts(value):
            return []
        from .explain import problems

        return problems(self.validator, value)


@lru_cache(maxsize=4096)
def _compiled(schema: Element) -> _Compiled:
    return _Compiled(json_schema(schema))
