"""The registry of checks, the cases they make for a model, and the judgement of one case.

A check is a decorated function over the evidence (and, for checks of declared elements, the capability):
it yields findings and returns the number of the entry that settled the matter. Where it cannot judge it
raises `Blocked`, `NotObservable` or `NotChosen` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from harness.checks import requirements, waiving
from harness.checks.causes import cause_before
from harness.checks.evidence import Evidence
from harness.checks.seeing import unseen_reason
from harness.diagnosis import quoted_remedy
from harness.dtdl import Capability
from harness.expectations import NOT_JUDGED
from harness.verdict import CaseResult, Finding, Outcome, Severity, outcome_of

PROFILES = ("smoke", "standard", "full")
"""From the quickest to the most thorough; each holds all that those before it hold."""

Findings = Generator[Finding, None, int | None]
Judge = Callable[..., Findings]


class Blocked(Exception):
    """Nothing can be said, because something before it failed; the text is that one cause."""


class NotObservable(Exception):
    """This target cannot show it; the text says which can."""


class NotChosen(Exception):
    """The maker has it left alone; the text says where that stands."""


@dataclass(frozen=True, slots=True)
class Check:
    """`over` is what it judges: `run` (once), or one case for each telemetry, property or command.

    `stage` orders the cause and its consequences: a check of a later stage is blocked by what an earlier
    one found (0 = registering, 1 = connecting, 2 = what is announced then, 3 = what the model declares).
    `profile` is the smallest one (of PROFILES) that it is part of. `watches` is the kind of capability that
    a check of the run needs to be watched or exercised.
    """

    name: str
    requirement: str
    over: str
    stage: int
    judge: Judge
    profile: str = "smoke"
    watches: str = ""

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


def check(
    requirement: str, *, over: str = "run", stage: int = 3, profile: str = "smoke", watches: str = ""
) -> Callable[[Judge], Judge]:
    """Register a check under its function's name."""

    def register(judge: Judge) -> Judge:
        name = judge.__name__
        CHECKS[name] = Check(name, requirement, over, stage, judge, profile, watches)
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
        unseen = unseen_reason(evidence, findings)
        if unseen:
            raise Blocked(unseen)
        findings = waiving.waived(findings, evidence)
    except NotChosen as e:
        return replace(result, outcome=Outcome.NOT_CHOSEN, reason=str(e))
    except Blocked as e:
        return replace(result, outcome=Outcome.BLOCKED, reason=str(e))
    except NotObservable as e:
        return replace(result, outcome=Outcome.NOT_OBSERVABLE, reason=str(e))
    except Exception as e:
        reason = f"the harness failed while judging: {type(e).__name__}: {e}"
        return replace(result, outcome=Outcome.ERROR, reason=reason)
    return replace(result, outcome=outcome_of(findings), findings=findings, decided=decided)


def findings_of(case: Judgement, evidence: Evidence) -> tuple[Finding, ...]:
    """What one case finds, before any waiver; nothing where it cannot be judged."""
    try:
        return _run(case, evidence)[0]
    except Exception:
        return ()


def _run(case: Judgement, evidence: Evidence) -> tuple[tuple[Finding, ...], int | None]:
    left_alone = _left_alone(case, evidence)
    if left_alone and (left_alone == NOT_JUDGED or not _is_main(case)):
        raise NotChosen(left_alone)
    cause = cause_before(evidence, case.check.stage)
    if cause:
        raise Blocked(cause)
    if left_alone:
        return (_not_implemented(case, evidence, left_alone),), None
    generator = case.check.judge(evidence, *([case.capability] if case.capability else []))
    findings: list[Finding] = []
    while True:
        try:
            findings.append(next(generator))
        except StopIteration as stop:
            return tuple(findings), stop.value


def _left_alone(case: Judgement, evidence: Evidence) -> str:
    capability = case.capability
    return evidence.expectations.left_alone(capability.kind, capability.path) if capability else ""


def _is_main(case: Judgement) -> bool:
    """The check that stands for the element; others look at it from another side."""
    return case.check.name == case.check.over


def _not_implemented(case: Judgement, evidence: Evidence, reason: str) -> Finding:
    capability = case.capability
    assert capability is not None
    seen = (evidence.telemetry if capability.kind == "telemetry" else evidence.reports).get(capability.path)
    return finding(
        case.requirement,
        "element-not-implemented",
        f"The model declares {capability.kind} {capability.path}, which is {reason}.",
        severity=Severity.WARNING,
        element=capability.path,
        expected="everything that the model declares",
        actual="seen all the same" if seen else "not implemented",
        events=(seen[0].n,) if seen else (),
        remedy="Implement it, or give the model a new version without it; a reviewer decides.",
    )


def finding(
    case_requirement: str, code: str, message: str, *, severity: Severity = Severity.ERROR, **fields: Any
) -> Finding:
    """A finding with its requirement's clause filled in."""
    fields.setdefault("clause", requirements.CLAUSES.get(case_requirement, ""))
    fields.setdefault("element", "")
    if not fields.get("remedy"):
        fields["remedy"] = quoted_remedy(message, fields.get("expected", ""), fields.get("actual", ""))
    return Finding(code=code, severity=severity, requirement=case_requirement, message=message, **fields)
