"""A device that is gone while it is tested: how it ended, in words, and which finding tells of it."""

from __future__ import annotations

from harness.checks.evidence import Evidence
from harness.checks.registry import cases, findings_of
from harness.record import events as ev
from harness.verdict import Severity

_OF_THE_WHOLE = ("connection_holds", "waivers_are_in_force")


def how_it_ended(evidence: Evidence, over: str = "") -> str:
    """A sentence, with a space before it, about a device that lost its connection."""
    exited = evidence.final(ev.DeviceExited)
    if exited is None or exited[1].expected or evidence.lost is None:
        return f" The device lost its connection{over}."
    lines = [line.strip() for line in exited[1].last_lines if line.strip()]
    said = f", and printed last: {lines[-1]}" if lines else ""
    return f" The device's program ended{over} with exit code {exited[1].returncode}{said}"[:300].rstrip(".") + "."


def lost(evidence: Evidence, before: str) -> str:
    """Why something was not done: the device was gone `before` it."""
    exited = evidence.final(ev.DeviceExited)
    how = ""
    if exited is not None and not exited[1].expected:
        how = f" (its program had ended with exit code {exited[1].returncode})"
    return f"The device had lost its connection{how} before {before}."


def told_by(evidence: Evidence, n: int) -> str:
    """The case with an error that rests on entry `n`, the end of the connection: one cause needs no second finding."""
    for case in cases(evidence, evidence.profile):
        if case.check.name in _OF_THE_WHOLE:
            continue
        if any(n in found.events and found.severity is Severity.ERROR for found in findings_of(case, evidence)):
            return case.id
    return ""
