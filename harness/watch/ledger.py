"""Findings of a watch: each once for a device, counted, with when it was first and last seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from harness.verdict import Finding, Severity
from harness.watch.content import clip

RANK = {Severity.INFO: 1, Severity.WARNING: 2, Severity.ERROR: 3}
MOST = 1000
"""Different findings that are kept; a device may invent a new name in every message."""
_SEVERAL = frozenset(
    {
        "payload-malformed",
        "payload-not-utf-8",
        "payload-byte-order-mark",
        "payload-empty",
        "payload-not-finite",
        "payload-duplicate-name",
        "payload-not-an-object",
        "telemetry-invalid",
        "property-invalid",
    }
)
_EVENTS = 10
_LONGEST = 1000
"""Characters of each word of a finding."""


@dataclass
class Row:
    """One finding of one device (empty: of none), seen `count` times."""

    device: str
    model_id: str | None
    finding: Finding
    first: float
    last: float
    count: int = 1
    events: list[int] = field(default_factory=list)


class Ledger:
    """Keeps the findings of `minimum` severity and above."""

    def __init__(self, minimum: Severity) -> None:
        self.minimum = minimum
        self.rows: list[Row] = []
        self.below = 0
        self.beyond = 0
        self._by_key: dict[tuple[str, ...], Row] = {}

    def add(self, time: float, device: str, model_id: str | None, found: Finding) -> Row | None:
        """Take in a finding; the new row, or None where there is one already or it is below the minimum."""
        if RANK[found.severity] < RANK[self.minimum]:
            self.below += 1
            return None
        found = _clipped(found)
        key = (device, found.code, found.element, found.severity.value, *_which(found))
        row = self._by_key.get(key)
        if row is not None:
            row.count += 1
            row.last = time
            row.events += found.events[: _EVENTS - len(row.events)]
            return None
        if len(self.rows) >= MOST:
            self.beyond += 1
            return None
        row = Row(device, model_id, found, time, time, events=list(found.events[:_EVENTS]))
        self._by_key[key] = row
        self.rows.append(row)
        return row

    def counts(self) -> str:
        """`2 errors, 1 warning`, different findings by severity; `no findings`."""
        counted = Counter(row.finding.severity for row in self.rows)
        names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
        parts = [f"{counted[s]} {name}{'s' * (counted[s] > 1)}" for s, name in names.items() if counted[s]]
        return ", ".join(parts) or "no findings"


def _which(found: Finding) -> tuple[str, ...]:
    """What tells findings of one code and element apart: a payload can be wrong in several ways."""
    return (found.expected,) if found.code in _SEVERAL else ()


def _clipped(found: Finding) -> Finding:
    return replace(
        found,
        element=clip(found.element, _LONGEST),
        message=clip(found.message, _LONGEST),
        expected=clip(found.expected, _LONGEST),
        actual=clip(found.actual, _LONGEST),
        remedy=clip(found.remedy, _LONGEST),
    )
