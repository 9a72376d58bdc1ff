"""Plain objects of the cores as JSON and back, so that an emulator can keep its state over a restart.

Every dataclass of `emulator.dps` and `emulator.hub` is written field by field, and read back by the names its
class has then: fields that came later get their defaults, fields that went are left out. What is of the moment
(connections, timers, call-backs) has no such form and is not kept.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Collection, Mapping
from enum import Enum
from importlib import import_module
from typing import Any

_HOMES = ("harness.emulator.dps.", "harness.emulator.hub.")
_TAG = "$kind"
_MADE_BY_HAND: dict[str, tuple[str, ...]] = {
    "harness.emulator.hub.twins:Section": ("values", "metadata", "version", "_dated")
}
"""Classes that are no dataclasses, and what of them is kept."""


class NotKept(Exception):
    """The value is of the moment."""


class Damaged(ValueError):
    """A document is not one of these, or names a class that is not there."""


def pack(value: Any, without: Collection[str] = ()) -> Any:
    """Return a value as JSON has it, an object without these fields of its own. Raises NotKept."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Enum):
        return {_TAG: "enum", "class": _name(type(value)), "value": value.value}
    if isinstance(value, bytes):
        return {_TAG: "bytes", "value": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, (tuple, set, frozenset)):
        kind = next(kind for kind, cls in _SEQUENCES.items() if isinstance(value, cls))
        return {_TAG: kind, "items": [pack(item) for item in value]}
    if isinstance(value, Mapping):
        if _TAG not in value and all(type(key) is str for key in value):
            return {key: pack(item) for key, item in value.items()}
        return {_TAG: "mapping", "items": [[pack(key), pack(item)] for key, item in value.items()]}
    return _pack_object(value, without)


def unpack(document: Any) -> Any:
    """Return what was packed. Raises Damaged."""
    if isinstance(document, list):
        return [unpack(item) for item in document]
    if not isinstance(document, dict):
        return document
    kind = document.get(_TAG)
    try:
        if kind is None:
            return {key: unpack(value) for key, value in document.items()}
        if kind == "bytes":
            return base64.b64decode(document["value"])
        if kind == "enum":
            return _class(document["class"])(document["value"])
        if kind == "mapping":
            return {unpack(key): unpack(value) for key, value in document["items"]}
        if kind in _SEQUENCES:
            return _SEQUENCES[kind](unpack(item) for item in document["items"])
        return _unpack_object(_class(document["class"]), document["fields"])
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(f"{kind}: {error}") from None


_SEQUENCES: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def _pack_object(value: Any, without: Collection[str]) -> Any:
    name = _name(type(value))
    if name in _MADE_BY_HAND:
        names = _MADE_BY_HAND[name]
    elif dataclasses.is_dataclass(value) and name.startswith(_HOMES):
        names = tuple(field.name for field in dataclasses.fields(value) if field.init)
    else:
        raise NotKept(name)
    fields = {}
    for field_name in names:
        if field_name in without:
            continue
        try:
            fields[field_name] = pack(getattr(value, field_name))
        except NotKept:
            continue
    return {_TAG: "object", "class": name, "fields": fields}


def _unpack_object(cls: Any, packed: Any) -> Any:
    values = {name: unpack(value) for name, value in packed.items()}
    if _name(cls) in _MADE_BY_HAND:
        made = cls.__new__(cls)
        for name in _MADE_BY_HAND[_name(cls)]:
            setattr(made, name, values[name])
        return made
    known = {field.name for field in dataclasses.fields(cls) if field.init}
    return cls(**{name: value for name, value in values.items() if name in known})


def _name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _class(name: str) -> Any:
    module, _, qualified = name.partition(":")
    if not name.startswith(_HOMES):
        raise Damaged(f"{name} is not a class of the emulator")
    found = getattr(import_module(module), qualified, None)
    if not isinstance(found, type) or not (
        dataclasses.is_dataclass(found) or issubclass(found, Enum) or name in _MADE_BY_HAND
    ):
        raise Damaged(f"{name} is not a class of the emulator")
    return found
