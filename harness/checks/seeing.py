"""What could not be seen of a device that is tested in Azure, or not be asked: no fault of the device.

Azure shows a device through its services: no packets, and nothing while they cannot be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.verdict import Finding, Severity

_ABSENCES = frozenset(
    {
        "telemetry-not-seen",
        "telemetry-fewer-than-stated",
        "telemetry-interval",
        "property-not-reported",
        "property-not-acknowledged",
        "patch-not-acknowledged",
        "unmarked-patch-ignored",
        "dead-after-removal",
        "dead-after-invalid-input",
        "invalid-value-ignored",
        "c2d-not-acknowledged",
        "device-silent",
        "device-not-connected",
    }
)
"""Findings that say of something that it did not come."""
_BRIEF = 5.0
"""Seconds that the services may be out of sight before what is missing may have happened then."""

_SERVICE_CODES = re.compile(r"(?:401|429|500|503)\d*\b|4030(?:01|02|10)\b")


def unseen_reason(evidence: Evidence, findings: Iterable[Finding]) -> str:
    """Why nothing can be concluded from these findings; empty where they stand."""
    found = [f for f in findings if f.severity is not Severity.INFO]
    if not found or not all(f.code in _ABSENCES for f in found):
        return ""
    message = _blindness(evidence)
    return f"What is missing here may have happened while the services could not be read: {message}" if message else ""


def _blindness(evidence: Evidence) -> str:
    """What kept the services out of sight for more than a moment, or does still."""
    broken: dict[str, tuple[float, str]] = {}
    for entry in evidence.entries(ev.WatchBroken, ev.WatchResumed):
        match entry.event:
            case ev.WatchBroken() as event:
                broken[event.what] = (entry.t, event.message)
            case ev.WatchResumed() as event:
                since, message = broken.pop(event.what, (entry.t, ""))
                if entry.t - since > _BRIEF:
                    return message
    return next((message for _, message in broken.values()), "")


def service_failed(error: str, code: int | None = None) -> bool:
    """Whether a call failed for want of the service or of a right to it; the device had no part in it.

    `error` is a text of ServiceError, which begins with its code where it has one.
    """
    if code is not None:
        return bool(_SERVICE_CODES.match(str(code)))
    if not error:
        return False
    return bool(_SERVICE_CODES.match(error)) or "could not be reached" in error or "Microsoft Entra ID" in error
