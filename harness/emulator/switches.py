"""The fields of `EmulatorOptions` by name and text, for the command line and the documentation."""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from typing import Any

from harness.emulator.options import EmulatorOptions


@dataclass(frozen=True, slots=True)
class Switch:
    """One field. `help` is its docstring, in one line; `unsure` when it stands for what no source settles."""

    name: str
    default: Any
    help: str
    unsure: bool


@cache
def switches() -> dict[str, Switch]:
    """Return every field of EmulatorOptions, in order."""
    helps = _docstrings()
    result = {}
    for field in fields(EmulatorOptions):
        text = " ".join(helps.get(field.name, "").split())
        result[field.name] = Switch(field.name, field.default, text, "unsure" in text.lower())
    return result


def read(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the values of texts like `retry_after=3`. Raises ValueError with a sentence."""
    values = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise ValueError(f"--set {pair}: write NAME=VALUE.")
        if name not in switches():
            near = difflib.get_close_matches(name, switches(), 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "docs/emulator-limits.md lists them."
            raise ValueError(f"--set {pair}: there is no switch {name}; {hint}")
        values[name] = _value(name, text.strip())
    return values


def _value(name: str, text: str) -> Any:
    hint = typing.get_type_hints(EmulatorOptions)[name]
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = [typing.get_origin(kind) or kind for kind in allowed]
    if str in kinds:
        return text
    try:
        value = json.loads(text.lower().replace("none", "null"))
    except ValueError:
        value = text
    if tuple in kinds:
        return _several(name, text, next(kind for kind in allowed if typing.get_origin(kind) is tuple))
    if value is None and types.NoneType in kinds:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        if bool in kinds and isinstance(value, bool):
            return value
    elif float in kinds:
        return float(value)
    elif int in kinds and isinstance(value, int):
        return value
    names = " or ".join("true or false" if kind is bool else _WORDS.get(kind, "none") for kind in kinds)
    raise ValueError(f"--set {name}={text}: {names} is expected.")


def _several(name: str, text: str, kind: Any) -> tuple[Any, ...]:
    members = [part.strip() for part in text.split(",") if part.strip()]
    wanted = typing.get_args(kind)
    try:
        if wanted[-1] is Ellipsis:
            return tuple(wanted[0](member) for member in members)
        return tuple(cls(member) for cls, member in zip(wanted, members, strict=True))
    except ValueError:
        raise ValueError(f"--set {name}={text}: values with commas between them are expected.") from None


_WORDS = {int: "a whole number", float: "a number"}


def _docstrings() -> dict[str, str]:
    """The strings below the fields, which Python itself does not keep."""
    tree = ast.parse(inspect.getsource(EmulatorOptions))
    body = typing.cast("ast.ClassDef", tree.body[0]).body
    found = {}
    for statement, follower in pairwise(body):
        is_field = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        is_text = isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant)
        if is_field and is_text:
            found[statement.target.id] = str(follower.value.value)  # type: ignore[attr-defined]
    return found
