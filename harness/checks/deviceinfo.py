"""The DeviceInformation interface: in the model, read-only, with the published schemas, and its values reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Findings, check, finding
from harness.dtdl import Capability
from harness.verdict import Finding, Severity

PUBLISHED: Mapping[str, str] = {
    "manufacturer": "string",
    "model": "string",
    "swVersion": "string",
    "osName": "string",
    "processorArchitecture": "string",
    "processorManufacturer": "string",
    "totalStorage": "double",
    "totalMemory": "double",
}
"""Properties and schemas of dtmi:azure:DeviceManagement:DeviceInformation;1 as it is published."""

_FAMILY = "dtmi:azure:DeviceManagement:DeviceInformation;"
_ENOUGH = 4
"""Names in common from which an interface is taken for one's own edition of DeviceInformation."""


@check(requirements.DEVICE_INFO)
def device_information(evidence: Evidence) -> Findings:
    """Where DeviceInformation is implemented it is part of the model, read-only and as published.

    That each of its values is reported, fits and is not null is judged property by property.
    """
    declared = [c for c in evidence.capabilities if c.interface.startswith(_FAMILY) and c.kind == "property"]
    if not declared:
        yield from _not_in_model(evidence)
        return None
    for capability in declared:
        yield from _as_published(capability)
    if any(c.name in ("totalStorage", "totalMemory") for c in declared):
        yield finding(
            requirements.DEVICE_INFO,
            "device-info-wording",
            "The requirement says `string and/or long`, but the published interface has two properties of schema "
            "double; the device is judged by the published interface.",
            severity=Severity.INFO,
            element=declared[0].component or "",
            expected="string and/or long, by the wording",
            actual="double for totalStorage and totalMemory, as published",
            remedy="Nothing: a reviewer may ask, and the published interface is the answer.",
        )
    reports = [r.n for c in declared for r in evidence.reports.get(c.path, [])[:1]]
    return max(reports, default=None)


def _as_published(capability: Capability) -> Iterator[Finding]:
    kind = capability.schema.id.rpartition(":")[2].partition(";")[0] if capability.schema else ""
    if capability.writable:
        yield _wrong("device-info-writable", capability, "is writable", "read-only properties", "writable: true")
    published = PUBLISHED.get(capability.name)
    if published is None:
        yield _wrong("device-info-schema", capability, "is not published", ", ".join(PUBLISHED), capability.name)
    elif kind != published:
        yield _wrong("device-info-schema", capability, "has another schema", published, kind or "unknown")


def _wrong(code: str, capability: Capability, what: str, expected: str, actual: str) -> Finding:
    return finding(
        requirements.DEVICE_INFO,
        code,
        f"{capability.path} of DeviceInformation {what}; the published interface is immutable.",
        element=capability.path,
        expected=expected,
        actual=actual,
        remedy="Take the interface as it is published (devicemodels.azure.com), or give your own another id.",
    )


def _not_in_model(evidence: Evidence) -> Iterator[Finding]:
    for path, numbers in list(evidence.stray_reports.items()):
        name = evidence.as_sent(path)[1]
        value = next((r.value for r in evidence.reports.get(path, [])), None)
        if isinstance(value, Mapping) and len(PUBLISHED.keys() & value.keys()) >= _ENOUGH:
            yield finding(
                requirements.DEVICE_INFO,
                "device-info-not-in-model",
                f"The device reports DeviceInformation as {name}, but its model has no such component.",
                element=path,
                expected=f"a component with the schema {requirements.DEVICE_INFORMATION}",
                actual="no component",
                events=tuple(numbers[:5]),
                remedy="Add the component to the model, with a new version of it.",
            )
    for interface in sorted({c.interface for c in evidence.capabilities if c.kind == "property"}):
        own = [c for c in evidence.capabilities if c.interface == interface and c.kind == "property"]
        if len(PUBLISHED.keys() & {c.name for c in own}) >= _ENOUGH:
            yield finding(
                requirements.DEVICE_INFO,
                "device-info-variant",
                f"{interface} has the properties of DeviceInformation, but is an interface of its own.",
                severity=Severity.WARNING,
                element=own[0].component or "",
                expected=requirements.DEVICE_INFORMATION,
                actual=interface,
                remedy="Use the published interface, so that every solution knows the properties.",
            )
