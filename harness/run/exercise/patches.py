"""Desired patches: how they are written, and what puts earlier values back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.checks.envelope import MARKER, bare
from harness.dtdl import Capability, check_value


def patch_of(values: Iterable[tuple[Capability, Any]]) -> dict[str, Any]:
    """A desired patch; properties of a component are marked as the conventions say."""
    patch: dict[str, Any] = {}
    for capability, value in values:
        if capability.component is None:
            patch[capability.name] = value
        else:
            patch.setdefault(capability.component, {MARKER: "c"})[capability.name] = value
    return patch


def replacing(value: Any, current: Any) -> Any:
    """`value` as a merge patch over `current`: members that `value` has not are deleted (twin merge rule)."""
    if not isinstance(value, Mapping) or not isinstance(current, Mapping):
        return value
    return {**dict.fromkeys(current), **value}


def desired_value(twin: Mapping[str, Any], capability: Capability) -> Any:
    """What the twin holds as desired; None where nothing is."""
    return _value(twin, "desired", capability)


def earlier(twin: Mapping[str, Any], capability: Capability) -> Any:
    """The value before the run: as desired, else as reported (out of its envelope) where it fits, else None."""
    desired = desired_value(twin, capability)
    if desired is not None:
        return desired
    reported = bare(_value(twin, "reported", capability))
    misfit = reported is not None and capability.schema is not None and check_value(capability.schema, reported)
    return None if misfit else reported


def _value(twin: Mapping[str, Any], section: str, capability: Capability) -> Any:
    values = twin.get("properties", {}).get(section, {})
    if capability.component is not None:
        values = values.get(capability.component, {})
    return values.get(capability.name) if isinstance(values, Mapping) else None
