"""Digital twin and device twin: two views of one state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks import requirements
from harness.checks.envelope import MARKER, bare
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotObservable, check, finding
from harness.checks.sameness import same
from harness.checks.values import shown
from harness.dtdl import Capability
from harness.record import events as ev
from harness.verdict import Finding

_ABSENT = object()


@check(requirements.DTDL, profile="standard", watches="property")
def twins_agree(evidence: Evidence) -> Findings:
    """Each declared property that the device twin holds is in the digital twin, with the same value."""
    reads, views = evidence.of(ev.TwinRead), evidence.of(ev.DigitalTwinRead)
    views = [(n, e) for n, e in views if e.twin is not None]
    if len(reads) < 2 or not views or not reads[-2][0] < views[-1][0] < reads[-1][0]:
        raise Blocked("The run ended before both twins were read again.")
    n, view = views[-1][0], views[-1][1].twin
    before, after = reads[-2][1].twin, reads[-1][1].twin
    steady = [
        c
        for c in evidence.capabilities
        if c.kind == "property" and _ABSENT is not (told := _reported(before, c)) and told == _reported(after, c)
    ]
    if not steady:
        raise NotObservable("No declared property is in the device twin, or none that did not change meanwhile.")
    for capability in steady:
        yield from _compared(capability, n, _reported(before, capability), view or {})
    return reads[-1][0]


def _compared(capability: Capability, n: int, reported: Any, view: Mapping[str, Any]) -> Iterator[Finding]:
    value = bare(reported)
    seen = _ABSENT if _is_no_component(view, capability) else _member(view, capability)
    if seen is _ABSENT:
        yield finding(
            requirements.DTDL,
            "property-not-in-digital-twin",
            f"The device twin holds {capability.path}, the digital twin does not.",
            element=capability.path,
            expected=shown(value),
            actual="nothing",
            events=(n,),
            remedy=f'Report component {capability.component} with the marker "{MARKER}": "c"; without it the hub takes '
            "it for a property of the root."
            if capability.component
            else "Report the property under the name that the model declares.",
        )
    elif not same(seen, value):
        yield finding(
            requirements.DTDL,
            "twins-differ",
            f"{capability.path} has one value in the device twin and another in the digital twin.",
            element=capability.path,
            expected=shown(value),
            actual=shown(seen),
            events=(n,),
            remedy="Report writable properties as an object of value, ac and av; read-only ones as the bare value.",
        )


def _is_no_component(view: Mapping[str, Any], capability: Capability) -> bool:
    """Whether the digital twin took the component for a property, which has no metadata within."""
    section = view.get(capability.component or "")
    return capability.component is not None and isinstance(section, Mapping) and "$metadata" not in section


def _reported(twin: Mapping[str, Any], capability: Capability) -> Any:
    section = twin.get("properties", {}).get("reported", {})
    return _member(section, capability)


def _member(values: Any, capability: Capability) -> Any:
    if capability.component is not None:
        values = values.get(capability.component, {})
    if not isinstance(values, Mapping):
        return _ABSENT
    if capability.component is not None and MARKER in values:
        values = {k: v for k, v in values.items() if k != MARKER}
    return values.get(capability.name, _ABSENT)
