"""From JSON pointers to the lines of the text, so that an error in a model says where to look."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Path = tuple[str, ...]
Tree = dict[str, Any]
"""Steps wanted below a place, each with its own tree."""

_scan = json.JSONDecoder(strict=False).raw_decode


def lines_of(text: str, pointers: Iterable[str]) -> dict[str, int]:
    """For each pointer the line (from 1) on which its value begins, for a member that of its name; as far as the
    pointer leads. `text` is valid JSON; it is gone through once, whatever the number of pointers."""
    wanted = {pointer: _steps(pointer) for pointer in pointers}
    tree: Tree = {}
    for steps in wanted.values():
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
    start = _skip(text, 0)
    found: dict[Path, int] = {(): start}
    _walk(text, start, tree, (), found)
    offsets = {pointer: _deepest(steps, found) for pointer, steps in wanted.items()}
    lines = _lines(text, set(offsets.values()))
    return {pointer: lines[offset] for pointer, offset in offsets.items()}


def line_of(text: str, pointer: str) -> int:
    """As `lines_of`, for one pointer."""
    return lines_of(text, [pointer])[pointer]


def _steps(pointer: str) -> Path:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _deepest(steps: Path, found: dict[Path, int]) -> int:
    while steps not in found:
        steps = steps[:-1]
    return found[steps]


def _lines(text: str, offsets: set[int]) -> dict[int, int]:
    lines, line, last = {}, 1, 0
    for offset in sorted(offsets):
        line += text.count("\n", last, offset)
        lines[offset] = line
        last = offset
    return lines


def _walk(text: str, at: int, tree: Tree, path: Path, found: dict[Path, int]) -> int:
    """Notes the offsets of what `tree` wants in the value at `at`; the offset after the value."""
    opening = text[at]
    if not tree or opening not in "{[":
        return _scan(text, at)[1]
    at, index = _skip(text, at + 1), 0
    while text[at] not in "}]":
        step, value = str(index), at
        if opening == "{":
            step, after = _scan(text, at)
            value = _skip(text, _skip(text, after) + 1)
        below = tree.get(step)
        if below is not None:
            here = (*path, step)
            found[here] = at
            after = _walk(text, value, below, here, found)
        else:
            after = _scan(text, value)[1]
        at, index = _skip(text, after), index + 1
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1


def _skip(text: str, offset: int) -> int:
    while offset < len(text) and text[offset] in " \t\n\r":
        offset += 1
    return offset
