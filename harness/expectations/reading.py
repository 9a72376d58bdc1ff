"""Reads what the maker states out of tables, as preflight.toml and an AICS test-case file hold it.

Everything wrong is said at once, a sentence for each: the place, what is there, what is possible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.expectations.expectations import Device, Expectations, Waiver
from harness.expectations.fields import CLASSES, DEVICE, FIELDS, PAYLOADS, WAIVERS
from harness.expectations.words import nearest, shown


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, and a sentence for each thing that could not."""

    expectations: Expectations
    problems: tuple[str, ...]


def read(tables: Mapping[str, Any]) -> Reading:
    """The expectations in `tables` (keys of `fields.TABLES`; others are not looked at). Element names are not judged
    here: the model is not known yet."""
    problems: list[str] = []
    device = Device(**_device(tables.get(DEVICE, {}), problems))
    stated = {table: dict(_elements(table, tables.get(table, {}), problems)) for table in CLASSES}
    waivers = tuple(_waivers(tables.get(WAIVERS, []), problems))
    expectations = Expectations(device, stated["telemetry"], stated["properties"], stated["commands"], waivers)
    return Reading(expectations, tuple(problems))


def read_table(table: str, values: Mapping[str, Any], place: str, problems: list[str]) -> dict[str, Any]:
    """The fields of one table, by their names in the dataclass; what is wrong is added to `problems`."""
    known = FIELDS[table]
    fields: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            problems.append(f"{place} has an unknown key `{key}`{nearest(key, known)}. Known keys: {', '.join(known)}.")
            continue
        try:
            fields[key.replace("-", "_")] = known[key](value)
        except ValueError as e:
            problems.append(f"{place}: {key} = {shown(value)} cannot be used: {e}.")
    low, high = fields.get("minimum"), fields.get("maximum")
    if low is not None and high is not None and low > high:
        problems.append(f"{place}: minimum = {low:g} is above maximum = {high:g}.")
    return fields


def paths_of(table: str, content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | Any]]:
    """Each element of a table with what is said about it, by path.

    `[telemetry.thermostat1.temperature]` is nested in TOML and means the same as
    `[telemetry."thermostat1.temperature"]`. A table under the name of a field that may hold a table (`payload`,
    `response`, `expected`, `reported`) is that field; an element of that name needs the quoted form.
    """
    known = FIELDS[table]
    for name, said in content.items():
        if not isinstance(said, Mapping):
            yield name, said
            continue
        nested = {k: v for k, v in said.items() if isinstance(v, Mapping) and k not in known.keys() & PAYLOADS}
        own = {k: v for k, v in said.items() if k not in nested}
        if own or not nested:
            yield name, own
        for inner, inner_said in nested.items():
            yield f"{name}.{inner}", inner_said


def _device(content: Any, problems: list[str]) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        problems.append("`device` must be a table: write [device].")
        return {}
    fields = read_table(DEVICE, content, "[device]", problems)
    if "within" in fields and "messages" not in content:
        problems.append("[device]: within needs messages, the number to be counted in that time.")
    return fields


def _elements(table: str, content: Any, problems: list[str]) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, Mapping):
        problems.append(f'`{table}` must hold a table for each element: write [{table}."NAME"].')
        return
    seen: set[str] = set()
    for path, said in paths_of(table, content):
        place = f'[{table}."{path}"]'
        if not isinstance(said, Mapping):
            problems.append(f"`{path}` in [{table}] must be a table: write {place} and its keys below it.")
        elif path in seen:
            problems.append(f"{place} stands twice, quoted and nested: keep one.")
        else:
            seen.add(path)
            yield path, CLASSES[table](**read_table(table, said, place, problems))


def _waivers(content: Any, problems: list[str]) -> Iterator[Waiver]:
    if not isinstance(content, (list, tuple)):
        problems.append("`waivers` must be a list of tables: write [[waivers]] above each.")
        return
    needed = [f.name for f in dataclasses.fields(Waiver) if f.default is dataclasses.MISSING]
    for number, said in enumerate(content, 1):
        if not isinstance(said, Mapping):
            problems.append(f"waiver {number} must be a table: write [[waivers]] above it.")
            continue
        place = f"waiver {number} ({said['finding']})" if isinstance(said.get("finding"), str) else f"waiver {number}"
        missing = [name for name in needed if name not in said]
        if missing:
            problems.append(
                f"{place} lacks {', '.join(missing)}: somebody must answer for it, with a reason, to a day."
            )
        fields = read_table(WAIVERS, said, place, problems)
        if all(name in fields for name in needed):
            yield Waiver(**fields)
