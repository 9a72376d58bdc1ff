"""The model as a table: each thing it declares, what was seen of it, and the outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.evidence import Evidence
from harness.dtdl import Capability, Element
from harness.dtdl.wording import capability_text
from harness.report.html.exchanges import Exchange
from harness.verdict import Outcome, worst

_FEW = 4
"""Fields or enum values that are named."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One row. `outcome` is the worst of the element's cases, empty where there is none."""

    path: str
    component: str
    name: str
    title: str
    kind: str
    schema: str
    seen: str
    outcome: str
    reason: str
    findings: tuple[int, ...]


def declared(
    evidence: Evidence,
    exchanged: Sequence[Exchange],
    cases: Sequence[Mapping[str, Any]],
    findings: Mapping[str, tuple[int, ...]],
) -> list[Declared]:
    """A row for each capability, in the order of the model."""
    asked: dict[str, int] = defaultdict(int)
    for exchange in exchanged:
        asked[exchange.path] += 1
    by_element: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for case in cases:
        by_element[case["element"]].append(case)
    rows = []
    for c in evidence.capabilities:
        own = by_element.get(c.path, [])
        outcome = worst(Outcome(case["outcome"]) for case in own).value if own else ""
        reason = next((case["reason"] for case in own if case.get("reason") and case["outcome"] == outcome), "")
        rows.append(
            Declared(
                c.path,
                c.component or "",
                c.name,
                _title(c.element),
                f"writable {c.kind}" if c.writable else c.kind,
                capability_text(c, _FEW),
                _seen(evidence, c, asked[c.path]),
                outcome,
                reason,
                findings.get(c.path, ()),
            )
        )
    return rows


def _title(element: Element) -> str:
    names = element.display_name
    return names.get("en") or next(iter(names.values()), "")


def _seen(evidence: Evidence, c: Capability, asked: int) -> str:
    if c.kind == "telemetry":
        return _counted(len(evidence.telemetry.get(c.path, [])), "message")
    if c.kind == "command":
        return f"invoked {asked}×" if asked else "not invoked"
    reported = len(evidence.reports.get(c.path, []))
    said = f"reported {reported}×" if reported else "not reported"
    return f"{said}, set {asked}×" if asked else said


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}" if number else "not seen"
