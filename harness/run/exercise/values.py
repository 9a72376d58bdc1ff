"""Which valid values are set and which payloads are sent: the maker's own, else samples. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.checks.sameness import same
from harness.dtdl import Capability, check_value, sample
from harness.expectations import ABSENT, Expectations

_TRIES = 20


def valid_values(capability: Capability, stated: Expectations) -> list[Any]:
    """What a writable property is set to, one after the other: what is stated, as far as it fits, else a sample."""
    said = stated.property(capability.path)
    fitting = _fitting(capability, said.values)
    if fitting:
        return fitting
    value = sample(capability.element, seed=f"write {capability.path}", twin=True)
    return [_within(value, said.minimum, said.maximum)]


def another_value(capability: Capability, stated: Expectations, current: Any, taken: Iterable[Any] = ()) -> Any:
    """A valid value that differs from `current` and, where possible, from those `taken`; else `current`.

    An object gets the members it has now, so that none has to be deleted.
    """
    said = stated.property(capability.path)
    pool = _fitting(capability, said.values) or [
        _within(sample(capability.element, seed=f"{n} {capability.path}", twin=True), said.minimum, said.maximum)
        for n in range(_TRIES)
    ]
    fitting = [v for v in pool if not same(v, current) and _members(v) == _members(current)]
    fresh = [v for v in fitting if not any(same(v, each) for each in taken)]
    return next(iter(fresh or fitting), current)


def told_apart(
    values: Sequence[tuple[Capability, Any]], current: Callable[[Capability], Any]
) -> list[tuple[Capability, Any]]:
    """The same values, but that one property stays as it is now where all of a component, or all there are, are equal.

    Two booleans that are both true would both become false, and a device that answers each with the value of the last
    would be right by chance.
    """
    found = {c.path: (c, value) for c, value in values}
    groups: dict[str | None, list[str]] = defaultdict(list)
    for capability, _ in values:
        groups[capability.component].append(capability.path)
    for paths in (*groups.values(), list(found)):
        common = found[paths[0]][1]
        if len(paths) < 2 or not all(same(found[path][1], common) for path in paths):
            continue
        for capability in (found[path][0] for path in reversed(paths)):
            before = current(capability)
            if before is not None and not same(before, common):
                found[capability.path] = (capability, before)
                break
    return list(found.values())


def request_of(capability: Capability, stated: Expectations) -> tuple[Any, bool]:
    """The payload of a command's request, and whether there is one: the stated one where it fits, else a sample."""
    said = stated.command(capability.path)
    if capability.request is None:
        return None, False
    if said.payload is not ABSENT and not check_value(capability.request, said.payload):
        return said.payload, said.payload is not None
    return sample(capability.request, seed=f"command {capability.path}"), True


def _fitting(capability: Capability, values: Iterable[Any]) -> list[Any]:
    """Those that the schema takes: a value that does not fit would test the wrong thing, and is a finding already."""
    return [v for v in values if capability.schema is not None and not check_value(capability.schema, v)]


def onto(invalid: Any, current: Any) -> Any:
    """An invalid value with the members that the twin holds now, one of them wrong: no member has to be deleted."""
    if not isinstance(invalid, Mapping) or not isinstance(current, Mapping) or not current:
        return invalid
    wrong = {k: v for k, v in invalid.items() if k in current and type(v) is not type(current[k])}
    if wrong:
        return {**current, **wrong}
    first = next(iter(current))
    return {**current, first: next(iter(invalid.values()))} if first not in invalid else {**current, **invalid}


def _members(value: Any) -> frozenset[str] | None:
    return frozenset(value) if isinstance(value, Mapping) else None


def _within(value: Any, minimum: float | None, maximum: float | None) -> Any:
    """The number, or the bound it is beyond (kept whole where it was)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    bounded = value if minimum is None else max(value, minimum)
    bounded = bounded if maximum is None else min(bounded, maximum)
    return int(bounded) if isinstance(value, int) and float(bounded).is_integer() else bounded
