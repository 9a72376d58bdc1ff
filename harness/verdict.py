"""What a run says: findings, the outcome of each case, and how they add up to one verdict.

The outcomes stay distinct, because each asks somebody else to act: a failure is the device maker's, a
warning is the reviewer's, *blocked* points at its one cause, *not observable* at another target, *not
chosen* at what the maker stated, and *error* at the harness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(str, Enum):
    """Of one case, and of a requirement (the worst of its cases)."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_OBSERVABLE = "not observable"
    BLOCKED = "blocked"
    NOT_CHOSEN = "not chosen"
    ERROR = "error"


class Verdict(str, Enum):
    """Of the run, in the words that AICS used."""

    PASSED = "passed"
    WARNINGS = "passed-with-warnings"
    FAILED = "failed"

    @property
    def phrase(self) -> str:
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `events` are entry numbers of the record; `remedy` is the device maker's next step."""

    code: str
    severity: Severity
    requirement: str
    element: str
    message: str
    expected: str = ""
    actual: str = ""
    events: tuple[int, ...] = ()
    clause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The judgement of one case. `decided` is the entry that settled it; `reason` says why it could not be."""

    case: str
    requirement: str
    element: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    decided: int | None = None


_WORST_FIRST = (
    Outcome.ERROR,
    Outcome.FAILED,
    Outcome.BLOCKED,
    Outcome.WARNING,
    Outcome.PASSED,
    Outcome.NOT_OBSERVABLE,
    Outcome.NOT_CHOSEN,
)


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """failed with any error among the findings, else warning with any warning, else passed."""
    severities = {f.severity for f in findings}
    if Severity.ERROR in severities:
        return Outcome.FAILED
    return Outcome.WARNING if Severity.WARNING in severities else Outcome.PASSED


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of several together; *not observable* only where nothing else was."""
    seen = set(outcomes)
    return next((o for o in _WORST_FIRST if o in seen), Outcome.NOT_OBSERVABLE)


def roll_up(results: Iterable[CaseResult]) -> Verdict:
    """Any failed, blocked or error fails the run; else any warning marks it; nothing judged is no pass."""
    overall = worst(r.outcome for r in results)
    if overall is Outcome.PASSED:
        return Verdict.PASSED
    return Verdict.WARNINGS if overall is Outcome.WARNING else Verdict.FAILED


def by_requirement(results: Iterable[CaseResult]) -> dict[str, Outcome]:
    """The outcome of each requirement, in the order the requirements were first judged."""
    grouped: dict[str, list[Outcome]] = {}
    for result in results:
        grouped.setdefault(result.requirement, []).append(result.outcome)
    return {requirement: worst(outcomes) for requirement, outcomes in grouped.items()}
