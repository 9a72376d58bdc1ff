"""result.json: what a program reads of a run.

The shape is a contract: `result.schema.json` beside this file describes every key, docs/result.md says what they mean.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.record import events as ev
from harness.report.manual import manual
from harness.run.versions import versions
from harness.verdict import CaseResult, Finding, Outcome, by_requirement, roll_up

if TYPE_CHECKING:
    from harness.run import Run

SCHEMA = "urn:pnp-preflight:result:1.0"
"""The id of the schema. A new key raises the number after the point, whatever breaks a reader the one before it."""


def result(run: Run) -> dict[str, Any]:
    """The result as JSON. `timing` is in seconds since the run began; what never happened is null."""
    results = list(run.results.values())
    evidence = run.evidence
    counts = Counter(r.outcome for r in results)
    return {
        "schema": SCHEMA,
        "verdict": roll_up(results).value,
        **({"device": run.settings.device} if run.settings.device else {}),
        "model_id": run.model_id,
        "device_id": evidence.device_id,
        "target": run.settings.target,
        "requirements": [
            {"id": requirement, "outcome": outcome.value} for requirement, outcome in by_requirement(results).items()
        ],
        "counts": {outcome.value: counts[outcome] for outcome in Outcome},
        "findings": [_finding(f) for r in results for f in r.findings],
        "cases": [_case(r) for r in results],
        "manual": manual(run),
        "harness_failures": [f"{e.where}: {e.message}" for _, e in evidence.of(ev.HarnessFailed)],
        "timing": timing(run),
        "versions": versions(),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    row = asdict(finding)
    row["severity"] = finding.severity.value
    row["events"] = list(finding.events)
    return row


def _case(case: CaseResult) -> dict[str, Any]:
    row = {"id": case.case, "requirement": case.requirement, "element": case.element}
    return {**row, "outcome": case.outcome.value, **({"reason": case.reason} if case.reason else {})}


def timing(run: Run) -> dict[str, float | None]:
    """When the stations of the run were passed, and when its verdict was known."""
    evidence = run.evidence
    entries = run.recorder.entries
    connected = evidence.connected[0] if evidence.connected else None
    decided = [r.decided for r in run.results.values() if r.decided]
    numbers = {
        "enrolled": _first(evidence.of(ev.DeviceEnrolled)),
        "registered": _first(evidence.of(ev.DeviceAssigned)),
        "connected": connected,
        "last_required_event": max(decided, default=None),
    }
    times: dict[str, float | None] = {name: round(entries[n - 1].t, 3) if n else None for name, n in numbers.items()}
    times["judged"] = round(run.judged, 3) if run.judged is not None else None
    times["finished"] = round(run.finished if run.finished is not None else run.recorder.now, 3)
    return times


def _first(found: list[tuple[int, Any]]) -> int | None:
    return found[0][0] if found else None
