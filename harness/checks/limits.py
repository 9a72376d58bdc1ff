"""How long a command may take: what is stated of it or set for the run, within what IoT Hub takes for a time-out."""

from __future__ import annotations

import math

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import finding
from harness.dtdl import Capability
from harness.record import events as ev
from harness.verdict import Finding, Severity

SHORTEST, LONGEST = 5, 300
"""Seconds that IoT Hub takes for `responseTimeoutInSeconds` (direct methods); it refuses others with 400004."""


def of_service(seconds: float) -> int:
    """The time-out that the service is given, in whole seconds: no shorter than `seconds` where it takes as long."""
    return min(max(math.ceil(seconds), SHORTEST), LONGEST)


def too_late(evidence: Evidence, capability: Capability, n: int, answer: ev.CommandReturned) -> Finding | None:
    """An answer that came, though not in a time shorter than any that the service could have been given."""
    path, allowed = capability.path, _allowed(evidence, capability.path)
    if allowed is None or allowed >= SHORTEST or answer.seconds <= allowed:
        return None
    return finding(
        requirements.DIRECT_METHODS,
        "command-timed-out",
        f"Command {path} was answered after {answer.seconds:.1f} s, later than is allowed.",
        severity=Severity.ERROR if evidence.expectations.command(path).required else Severity.WARNING,
        element=path,
        expected=f"an answer in {allowed:g} s",
        actual=f"{answer.seconds:.1f} s",
        events=(n,),
        remedy="Answer sooner, or allow more time: as its timeout in preflight.toml, or with --command-timeout.",
    )


def cut_short(evidence: Evidence, path: str) -> str:
    """A sentence, with a space before it, where the service could not wait as long as is allowed."""
    allowed = _allowed(evidence, path)
    if allowed is None or allowed <= LONGEST:
        return ""
    return f" It may take {allowed:g} s, as is stated, but IoT Hub waits {LONGEST} s at most."


def _allowed(evidence: Evidence, path: str) -> float | None:
    stated = evidence.expectations.command(path).timeout
    if stated is not None:
        return stated
    started = evidence.first(ev.RunStarted)
    chosen = started[1].settings.get("command-timeout") if started else None
    return float(chosen) if isinstance(chosen, (int, float)) else None
