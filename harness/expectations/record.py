"""Expectations as JSON, for the event `ExpectationsStated`, and laid over one another.

The JSON has the tables of preflight.toml. Only what differs from the defaults is in it; dates are ISO 8601 texts.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import Any

from harness.expectations.expectations import ABSENT, Expectations
from harness.expectations.fields import CLASSES, DEVICE, WAIVERS
from harness.expectations.reading import Reading, read


def to_json(expectations: Expectations) -> dict[str, Any]:
    """The tables that state these expectations; empty where nothing was said."""
    by_table = {
        "telemetry": expectations.telemetry_of,
        "properties": expectations.property_of,
        "commands": expectations.command_of,
    }
    found: dict[str, Any] = {
        DEVICE: _stated(expectations.device),
        **{table: {path: _stated(said) for path, said in by_table[table].items()} for table in CLASSES},
        WAIVERS: [_stated(waiver) for waiver in expectations.waivers],
    }
    return {table: content for table, content in found.items() if content}


def from_json(tables: Mapping[str, Any]) -> Expectations:
    """What a journal holds. What this version cannot read (of a newer one, or damaged) is left out."""
    waivers = tables.get(WAIVERS)
    if isinstance(waivers, (list, tuple)):
        tables = {**tables, WAIVERS: [_dated(waiver) for waiver in waivers]}
    return read(tables).expectations


def overlaid(base: Expectations, tables: Mapping[str, Any]) -> Reading:
    """`base` with `tables` over it: what these state about an element wins, field by field; the rest stays."""
    merged = to_json(base)
    merged[WAIVERS] = [_dated(waiver) for waiver in merged.get(WAIVERS, [])]
    merged[DEVICE] = {**merged.get(DEVICE, {}), **tables.get(DEVICE, {})}
    for table in CLASSES:
        below = merged.setdefault(table, {})
        for path, said in tables.get(table, {}).items():
            below[path] = {**below.get(path, {}), **said}
    return read(merged)


def stacked(base: Expectations, over: Expectations) -> Expectations:
    """`base` with `over` on it: what this states about an element takes the whole place of what was stated before.

    Waivers of both hold; of the device itself, what `over` does not state stays.
    """
    stated = {f.name: getattr(over.device, f.name) for f in fields(over.device)}
    defaults = {f.name: f.default for f in fields(over.device)}
    return Expectations(
        replace(base.device, **{name: value for name, value in stated.items() if value != defaults[name]}),
        {**base.telemetry_of, **over.telemetry_of},
        {**base.property_of, **over.property_of},
        {**base.command_of, **over.command_of},
        (*base.waivers, *over.waivers),
    )


def _stated(said: Any) -> dict[str, Any]:
    """What differs from the defaults, by the names of preflight.toml."""
    values = {f.name.replace("_", "-"): (getattr(said, f.name), f.default) for f in fields(said)}
    return {
        name: _plain(value) for name, (value, default) in values.items() if value is not ABSENT and value != default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _dated(waiver: Any) -> Any:
    if not isinstance(waiver, Mapping):
        return waiver
    try:
        return {**waiver, "expires": datetime.date.fromisoformat(waiver["expires"])}
    except (KeyError, TypeError, ValueError):
        return waiver
