"""The registry of checks, the cases they make for a model, and the judgement of one case.

A check is a decorated function over the evidence (and, for checks of declared elements, the capability):
it yields findings and returns the number of the entry that settled the matter. Where it cannot judge it
raises `Blocked` or `NotObservable` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from harness.checks import requirements
from harness.checks.causes import cause_before
from harness.checks.evidence import Evidence
from harness.dtdl import Capability
from harness.verdict import CaseResult, Finding, Outcome, Severity, outcome_of

PROFILES = ("smoke", "standard", "full")
"""From the quickest to the most thorough; each holds all that those before it hold."""

Findings = Generator[Finding, None, int | None]
Judge = Callable[..., Findings]


class Blocked(Exception):
    """Nothing can be said, because something before it failed; the text is that one cause."""


class NotObservable(Exception):
    """This target cannot show it; the text says which can."""


@dataclass(frozen=True, slots=True)
class Check:
    """`over` is what it judges: `run` (once), or one case for each telemetry, property or command.

    `stage` orders the cause and its consequences: a check of a later stage is blocked by what an earlier
    one found (0 = registering, 1 = connecting, 2 = what is announced then, 3 = what the model declares).
    `profile` is the smallest one (of PROFILES) that it is part of.
    """

    name: str
    requirement: str
    over: str
    stage: int
    judge: Judge
    profile: str = "smoke"

    def belongs_to(self, profile: str) -> bool:
        """Whether a run of this profile includes the check."""
        return PROFILES.index(self.profile) <= PROFILES.index(profile)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A case to be judged: a check, and the capability it is about (None for a check of the run)."""

    check: Check
    capability: Capability | None = None

    @property
    def id(self) -> str:
        """`telemetry[thermostat1.temperature]`; for a check of the run its name."""
        return f"{self.check.name}[{self.capability.path}]" if self.capability else self.check.name

    @property
    def element(self) -> str:
        return self.capability.path if self.capability else ""

    @property
    def requirement(self) -> str:
        if self.capability is not None and self.capability.interface == requirements.DEVICE_INFORMATION:
            return requirements.DEVICE_INFO
        return self.check.requirement


CHECKS: dict[str, Check] = {}


def check(requirement: str, *, over: str = "run", stage: int = 3, profile: str = "smoke") -> Callable[[Judge], Judge]:
    """Register a check under its function's name."""

    def register(judge: Judge) -> Judge:
        name = judge.__name__
        CHECKS[name] = Check(name, requirement, over, stage, judge, profile)
        return judge

    return register


def kind_of(capability: Capability) -> str:
    """The kind of check a capability gets: telemetry, read_only_property, writable_property or command."""
    if capability.kind == "property":
        return "writable_property" if capability.writable else "read_only_property"
    return capability.kind


def cases(evidence: Evidence, profile: str = "standard") -> list[Judgement]:
    """All cases of the evidence's model in this profile, in the order of the suite."""
    found: list[Judgement] = []
    for registered in CHECKS.values():
        if not registered.belongs_to(profile):
            continue
        if registered.over == "run":
            found.append(Judgement(registered))
        else:
            found += [Judgement(registered, c) for c in evidence.capabilities if kind_of(c) == registered.over]
    return found


def judge(case: Judgement, evidence: Evidence) -> CaseResult:
    """The result of one case by what the evidence holds now."""
    result = CaseResult(case.id, case.requirement, case.element, Outcome.PASSED)
    try:
        findings, decided = _run(case, evidence)
    except Blocked as e:
        return replace(result, outcome=Outcome.BLOCKED, reason=str(e))
    except NotObservable as e:
        return replace(result, outcome=Outcome.NOT_OBSERVABLE, reason=str(e))
    except Exception as e:
        reason = f"the harness failed while judging: {type(e).__name__}: {e}"
        return replace(result, outcome=Outcome.ERROR, reason=reason)
    return replace(result, outcome=outcome_of(findings), findings=findings, decided=decided)


def _run(case: Judgement, evidence: Evidence) -> tuple[tuple[Finding, ...], int | None]:
    cause = cause_before(evidence, case.check.stage)
    if cause:
        raise Blocked(cause)
    generator = case.check.judge(evidence, *([case.capability] if case.capability else []))
    findings: list[Finding] = []
    while True:
        try:
            findings.append(next(generator))
        except StopIteration as stop:
            return tuple(findings), stop.value


def finding(
    case_requirement: str, code: str, message: str, *, severity: Severity = Severity.ERROR, **fields: Any
) -> Finding:
    """A finding with its requirement's clause filled in."""
    fields.setdefault("clause", requirements.CLAUSES.get(case_requirement, ""))
    fields.setdefault("element", "")
    return Finding(code=code, severity=severity, requirement=case_requirement, message=message, **fields)
