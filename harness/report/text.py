"""Findings and cases in words, the same ones in every report."""

from __future__ import annotations

import re

from harness.diagnosis import best_cited
from harness.report import ci
from harness.verdict import CaseResult, Finding

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Controls but the line end (C0, C1), and Unicode's marks for the direction of writing."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

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
    lines += _to_explain(finding.message, finding.expected, finding.actual)
    return plain("\n".join(lines))


def case_text(result: CaseResult) -> str:
    """What is to be said of a case; its reason where it could not be judged."""
    if result.findings:
        return "\n\n".join(finding_text(f) for f in result.findings)
    return plain("\n".join([result.reason, *_to_explain(result.reason)]))


def plain(text: str) -> str:
    """The text as it may go to a terminal or a CI log: what a device chose moves no cursor, colours nothing, turns no
    direction of writing, and is no command to a CI system. Line ends stay.
    """
    return ci.harmless(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def in_xml(text: str) -> str:
    """Without the characters that XML 1.0 forbids; a device chooses names and payloads freely."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _to_explain(*texts: str) -> list[str]:
    """Where more is said of the code that these texts cite."""
    code = best_cited(*texts)
    shown = f'"{code}"' if " " in code else code
    return [f"  {'explain:':11}preflight explain {shown}"] if code else []


def _clip(value: str) -> str:
    flat = " ".join(value.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
