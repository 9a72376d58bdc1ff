"""Waivers: findings that somebody answers for, until a day.

The day is that on which the run began, as its record says: a journal that is judged again is judged by the
waivers of its time. A record without that day has no waiver in force.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace

from harness.checks.evidence import Evidence
from harness.expectations import Waiver
from harness.record import events as ev
from harness.verdict import Finding, Severity

EXPIRED = "waiver-expired"
UNUSED = "waiver-unused"
_NEVER_WAIVED = (EXPIRED, UNUSED)


def begun_on(evidence: Evidence) -> datetime.date | None:
    """The day (UTC) on which the run began; None where the record does not say."""
    started = evidence.first(ev.RunStarted)
    try:
        return datetime.date.fromisoformat(started[1].started[:10]) if started else None
    except ValueError:
        return None


def in_force(evidence: Evidence) -> tuple[Waiver, ...]:
    """The waivers that hold for this run: up to and including the day they expire."""
    today = begun_on(evidence)
    return tuple(w for w in evidence.expectations.waivers if today is not None and today <= w.expires)


def expired(evidence: Evidence) -> tuple[Waiver, ...]:
    """The waivers whose day had come before the run began."""
    today = begun_on(evidence)
    return tuple(w for w in evidence.expectations.waivers if today is not None and today > w.expires)


def matches(waiver: Waiver, finding: Finding) -> bool:
    """Whether the finding, which no waiver has touched, is the one that this waiver names."""
    return waiver.finding == finding.code and waiver.element in ("", finding.element)


def waived(findings: Iterable[Finding], evidence: Evidence) -> tuple[Finding, ...]:
    """The findings with those under a waiver made notes, which come last."""
    waivers = in_force(evidence)
    if not waivers:
        return tuple(findings)
    marked = [_marked(finding, waivers) for finding in findings]
    return tuple(sorted(marked, key=lambda f: f.severity is Severity.INFO))


def _marked(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    if finding.severity is Severity.INFO or finding.code in _NEVER_WAIVED:
        return finding
    waiver = next((w for w in waivers if matches(w, finding)), None)
    if waiver is None:
        return finding
    words = f"waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
    return replace(finding, severity=Severity.INFO, message=f"{finding.message} ({words})")
