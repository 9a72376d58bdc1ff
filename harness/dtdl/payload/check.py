"""Payload checks: does this text, this value, this telemetry message conform to what the model declares?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from .accept import predicate
from .decode import decode
from .problem import NotInstantiable, Problem
from .schema import SCHEMA_KINDS, JsonSchema, json_schema
from .text import describe, pointer_of, quote

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


def check_named(declared: Mapping[str, Element | None], value: object) -> list[Problem]:
    """What is wrong with an object of named values, such as a telemetry message: each name must be one of
    `declared` (code `undeclaredName`, with the name that was probably meant), each value conform to its schema
    (None = not checked). Pointers begin with the name. A value that is no object gives the one code
    `notAnObject`. Names not sent are no problem here."""
    if not isinstance(value, dict):
        expected = "an object of named values"
        message = f"The body is {describe(value)}; send {expected}, such as {{name: value}}."
        return [Problem("", "notAnObject", message, expected, describe(value))]
    problems: list[Problem] = []
    for name, each in value.items():
        if name not in declared:
            problems.append(_undeclared(name, declared))
            continue
        schema = declared[name]
        if schema is not None:
            compiled = _compiled(schema)
            if not compiled.accepts(each):
                problems += compiled.problems(each, pointer_of([name]))
    return problems


def is_checked(schema: Element) -> bool:
    """False where values of this schema are taken unseen, because its kind is none of DTDL v2 to v4."""
    return bool(json_schema(schema))


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
        return [] if self.accepts(value) else self.problems(value, "")

    def problems(self, value: object, prefix: str) -> list[Problem]:
        from .explain import problems

        return problems(self.validator, value, prefix)


@lru_cache(maxsize=4096)
def _compiled(schema: Element) -> _Compiled:
    return _Compiled(json_schema(schema))


def _undeclared(name: str, declared: Mapping[str, Element | None]) -> Problem:
    from .explain import near

    meant = near(name, list(declared))
    hint = f" Did you mean {quote(meant)}?" if meant is not None else ""
    listed = ", ".join(list(declared)[:12]) + (", …" if len(declared) > 12 else "")
    return Problem(
        pointer_of([name]),
        "undeclaredName",
        f"The model declares nothing named {quote(name)} here.{hint}",
        f"one of {listed}" if listed else "no names at all",
        quote(name),
    )
