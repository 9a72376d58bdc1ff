"""The fields that may be stated, by table and by their name in preflight.toml, and how each value is read.

A reader returns the value as the dataclass holds it, or raises ValueError with what is expected.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from harness.expectations.expectations import Command, Device, Property, Telemetry, Waiver, When
from harness.expectations.words import nearest

Read = Callable[[Any], Any]

_LONGEST = 1e6
"""Seconds (eleven days): more is a slip of the pen."""


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value.strip()


def _said(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    return value.strip()


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a number is expected")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < _LONGEST:
        raise ValueError("a number of seconds above 0 is expected")
    return float(value)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e3:
        raise ValueError("a share of the interval is expected, such as 0.2 for a fifth more or less")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")
    return value


def _counting(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError("a whole number from 1 is expected")
    return value


def _statuses(value: Any) -> tuple[int, ...]:
    given = value if isinstance(value, (list, tuple)) else [value]
    if not given or any(isinstance(each, bool) or not isinstance(each, int) or each < 0 for each in given):
        raise ValueError("status codes are expected, such as [200, 202]")
    return tuple(given)


def _when(value: Any) -> When:
    words = [each.value for each in When]
    if not isinstance(value, str) or value.lower() not in words:
        near = nearest(value, words) if isinstance(value, str) else ""
        raise ValueError(f"{', '.join(words[:-1])} or {words[-1]} is expected{near}")
    return When(value.lower())


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise ValueError("a date is expected, without quotes and time, such as 2030-01-31")
    return value


def json_value(value: Any) -> Any:
    """A payload. TOML's dates and times become the text that DTDL's schemas take; what JSON cannot say is refused."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if isinstance(value, Mapping):
        return {str(name): json_value(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(each) for each in value]
    return value


def _values(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError("a list of values is expected, such as [18, 21.5]")
    return tuple(json_value(each) for each in value)


_READERS: Mapping[str, Read] = {
    "implemented": _flag,
    "judged": _flag,
    "required": _flag,
    "negative": _flag,
    "restarts": _flag,
    "c2d": _flag,
    "interval": _seconds,
    "timeout": _seconds,
    "within": _seconds,
    "tolerance": _share,
    "minimum": _number,
    "maximum": _number,
    "count": _counting,
    "messages": _counting,
    "priority": _whole,
    "statuses": _statuses,
    "when": _when,
    "expected": json_value,
    "reported": json_value,
    "payload": json_value,
    "response": json_value,
    "values": _values,
    "trigger": _text,
    "name": _text,
    "firmware": _text,
    "gateway": _text,
    "c2d-message": _text,
    "finding": _said,
    "owner": _said,
    "reason": _said,
    "element": _text,
    "expires": _date,
}


def _of(cls: type) -> Mapping[str, Read]:
    names = [field.name.replace("_", "-") for field in fields(cls)]
    return MappingProxyType({name: _READERS[name] for name in names})


CLASSES: Mapping[str, type] = MappingProxyType({"telemetry": Telemetry, "properties": Property, "commands": Command})
"""The tables that hold a table for each element, and what one of them becomes."""

DEVICE, WAIVERS = "device", "waivers"
TABLES = (DEVICE, *CLASSES, WAIVERS)
"""The tables that state expectations, by their name in preflight.toml."""

FIELDS: Mapping[str, Mapping[str, Read]] = MappingProxyType(
    {DEVICE: _of(Device), WAIVERS: _of(Waiver), **{table: _of(cls) for table, cls in CLASSES.items()}}
)
"""By table: its keys, and how the value of each is read."""

PAYLOADS = frozenset({"expected", "reported", "payload", "response"})
"""Fields whose value may be a table itself."""
