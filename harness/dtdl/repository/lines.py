"""From a JSON pointer to the line of the text, so that an error in a model says where to look."""

from __future__ import annotations

import json
from collections.abc import Sequence

_SPACE = " \t\n\r"
_scan = json.JSONDecoder(strict=False).raw_decode


def line_of(text: str, pointer: str) -> int:
    """The line (from 1) on which the value at `pointer` begins, for a member that of its name; as far as the
    pointer leads. `text` is valid JSON. Takes time in proportion to what comes before."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return text.count("\n", 0, _offset(text, steps)) + 1


def _offset(text: str, steps: Sequence[str]) -> int:
    offset = shown = _skip(text, 0)
    for step in steps:
        found = _member(text, offset, step) if text[offset] == "{" else _item(text, offset, step)
        if found is None:
            break
        shown, offset = found
    return shown


def _member(text: str, offset: int, name: str) -> tuple[int, int] | None:
    """Offsets of a member's name and of its value in the object that begins at `offset`."""
    at = _skip(text, offset + 1)
    while text[at] == '"':
        key, after = _scan(text, at)
        value = _skip(text, _skip(text, after) + 1)
        if key == name:
            return at, value
        at = _next(text, value)
    return None


def _item(text: str, offset: int, index: str) -> tuple[int, int] | None:
    if text[offset] != "[" or not index.isdecimal():
        return None
    at = _skip(text, offset + 1)
    for _ in range(int(index)):
        if text[at] == "]":
            return None
        at = _next(text, at)
    return None if text[at] == "]" else (at, at)


def _next(text: str, value: int) -> int:
    """The beginning of what follows the value at `value`: the next member or item, or the closing bracket."""
    at = _skip(text, _scan(text, value)[1])
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, offset: int) -> int:
    while offset < len(text) and text[offset] in _SPACE:
        offset += 1
    return offset
