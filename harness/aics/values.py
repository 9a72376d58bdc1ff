"""Values in AICS test cases: strings that hold JSON, once encoded or twice, read by the schema they are for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TEXTS = frozenset({"string", "date", "datetime", "time", "duration"})
_NUMBERS = frozenset({"boolean", "double", "float", "integer", "long"})
_CONTAINERS = frozenset({"object", "map", "array"})


def is_given(value: Any) -> bool:
    """Null and the empty text say nothing, as absence does."""
    return value is not None and value != ""


def schema_type(schema: Any) -> str:
    """The kind of a schema in lower case (`double`, `object`, …), written as a text or as an object; empty where
    the file does not say."""
    if isinstance(schema, Mapping):
        kind = schema.get("schemaType")
        if isinstance(kind, str) and kind.lower() == "enum":
            return schema_type(schema.get("valueSchema"))
        schema = kind
    if not isinstance(schema, str):
        return ""
    kind = schema.rpartition(":")[2].partition(";")[0].lower()
    return kind if kind in _TEXTS | _NUMBERS | _CONTAINERS else ""


def decoded(value: Any, schema: Any = None) -> Any:
    """The value that a test case means. A string is taken for JSON and decoded as often as the schema asks for;
    for a text schema, what is not JSON is that text. Raises ValueError with what is expected."""
    if not isinstance(value, str):
        return value
    kind = schema_type(schema)
    if kind in _TEXTS:
        return _text(value)
    try:
        found = _json(value)
    except ValueError:
        if kind:
            raise ValueError(f"JSON for the schema {kind} is expected") from None
        return value
    if isinstance(found, str):
        again = _again(found)
        if kind or isinstance(again, (Mapping, list)):
            return again
    return found


def _text(value: str) -> str:
    """`on`, `"on"` and `"\\"on\\""` are the text on; `21` is the text 21."""
    for _ in range(2):
        inner = _again(value)
        if not isinstance(inner, str) or inner == value:
            return value
        value = inner
    return value


def _again(text: str) -> Any:
    try:
        return _json(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")
