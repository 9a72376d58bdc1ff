"""Findings and cases in words, the same ones in every report."""

from __future__ import annotations

from harness.verdict import CaseResult, Finding

_SHOWN = 400
"""Characters of an expected or actual value; the whole is in the journal."""


def finding_text(finding: Finding) -> str:
    """A finding as several lines: what, expected, actual, clause, evidence, next step."""
    rows = [("expected", finding.expected), ("actual", finding.actual), ("clause", finding.clause)]
    lines = [finding.message]
    lines += [f"  {label + ':':11}{_clip(value)}" for label, value in rows if value]
    if finding.events:
        events = f"event{'s' * (len(finding.events) > 1)} {', '.join(map(str, finding.events))}"
        lines.append(f"  {'evidence:':11}{events} of journal.jsonl")
    if finding.remedy:
        lines.append(f"  {'next step:':11}{finding.remedy}")
    return "\n".join(lines)


def case_text(result: CaseResult) -> str:
    """What is to be said of a case; its reason where it could not be judged."""
    return "\n\n".join(finding_text(f) for f in result.findings) or result.reason


def _clip(value: str) -> str:
    flat = " ".join(value.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
