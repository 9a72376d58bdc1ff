"""How places and values are written in a problem: JSON pointers and short quotations."""

from __future__ import annotations

import json
from collections.abc import Iterable

_LIMIT = 60


def pointer_of(path: Iterable[str | int]) -> str:
    """RFC 6901 pointer of a path of names and indexes."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def quote(text: str) -> str:
    """`text` as a JSON string in ASCII-safe form, shortened to what fits a line."""
    return json.dumps(text if len(text) <= _LIMIT else text[:_LIMIT] + "…", ensure_ascii=not _printable(text))


def describe(value: object) -> str:
    """A value and its JSON kind, short whatever its size."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true (boolean)" if value else "false (boolean)"
    if isinstance(value, str):
        return f"{quote(value)} (string)"
    if isinstance(value, int | float):
        return f"{_number(value)} (number)"
    if isinstance(value, list):
        return f"an array of {len(value)}" if value else "an empty array"
    if isinstance(value, dict):
        names = ", ".join(quote(str(name)) for name in list(value)[:4])
        return f"an object with {names}{' …' if len(value) > 4 else ''}" if value else "an empty object"
    return f"a {type(value).__name__}, which is no JSON value"


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) >= 10**40:
        return f"an integer of {value.bit_length()} bits"
    return repr(int(value)) if isinstance(value, int) else repr(value)


def _printable(text: str) -> bool:
    return text[: _LIMIT + 1].isprintable()
