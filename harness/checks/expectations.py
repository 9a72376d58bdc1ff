"""What the maker states, judged itself: it fits the model, and its waivers are in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.checks import requirements, waiving
from harness.checks.evidence import Evidence
from harness.checks.registry import Findings, cases, check, finding, findings_of
from harness.dtdl import Capability, NotInstantiable, check_value, sample
from harness.dtdl.model import Element
from harness.expectations import ABSENT, Command, Property, Telemetry, nearest
from harness.expectations.words import shown
from harness.record import events as ev
from harness.verdict import Finding, Severity

_WORDS = {"telemetry": "telemetry", "property": "a property", "command": "a command"}
_INSTEAD = {
    "payload": " A sample is sent in its place.",
    "values": " It is not set; where no stated value fits, a sample is.",
}
_REMEDY = "Correct preflight.toml or the test-case file; `preflight model show` lists what the model declares."


@check(requirements.CONVENTIONS)
def expectations_fit_model(evidence: Evidence) -> Findings:
    """Every element that something was stated about is declared, and every value stated fits its schema."""
    stated = evidence.expectations
    for kind, of_kind in (
        ("telemetry", stated.telemetry_of),
        ("property", stated.property_of),
        ("command", stated.command_of),
    ):
        for path, said in of_kind.items():
            capability = evidence.by_path.get(path)
            if capability is None or capability.kind != kind:
                yield _unknown(evidence, kind, path, capability)
            else:
                yield from _values(capability, said)
    return None


def _unknown(evidence: Evidence, kind: str, path: str, other: Capability | None) -> Finding:
    of_kind = [c.path for c in evidence.capabilities if c.kind == kind]
    if other is not None:
        message = f"{path} is stated as {_WORDS[kind]}, but the model declares it as {_WORDS[other.kind]}."
    else:
        message = f"Something is stated about {kind} {path}, which the model does not declare{nearest(path, of_kind)}."
    return finding(
        requirements.CONVENTIONS,
        "expectation-of-unknown-element",
        message,
        element=path,
        expected=f"{kind}: {', '.join(of_kind)}" if of_kind else f"no {kind} at all",
        actual=path,
        remedy=_REMEDY,
    )


def _values(capability: Capability, said: Telemetry | Property | Command) -> Iterator[Finding]:
    match said:
        case Telemetry():
            yield from _value(capability, "expected", capability.schema, said.expected)
            yield from _bounds(capability, said)
        case Property():
            if said.values and not capability.writable:
                yield _misfit(capability, "values", "is read-only, so no value can be set", "a writable property")
            else:
                for value in said.values:
                    yield from _value(capability, "values", capability.schema, value)
            yield from _value(capability, "reported", capability.schema, said.reported)
            yield from _bounds(capability, said)
        case Command():
            yield from _value(capability, "payload", capability.request, said.payload)
            yield from _value(capability, "response", capability.response, said.response)


def _value(capability: Capability, field: str, schema: Element | None, value: Any) -> Iterator[Finding]:
    if value is ABSENT:
        return
    if schema is None:
        if value is not None:
            word = "request. Nothing is sent with it" if field == "payload" else field
            yield _misfit(capability, field, f"declares no {word}", "nothing")
        return
    for problem in check_value(schema, value)[:1]:
        message = f"does not take the stated {field} {shown(value)}. {problem.message}{_INSTEAD.get(field, '')}"
        yield _misfit(capability, field, message, problem.expected, problem.actual)


def _bounds(capability: Capability, said: Telemetry | Property) -> Iterator[Finding]:
    if (said.minimum, said.maximum) != (None, None) and not _is_number(capability):
        yield _misfit(capability, "minimum", "is no number, so minimum and maximum say nothing about it", "a number")


def _is_number(capability: Capability) -> bool:
    try:
        value = sample(capability.element)
    except NotInstantiable:
        return False
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _misfit(capability: Capability, field: str, message: str, expected: str, actual: str = "") -> Finding:
    return finding(
        requirements.CONVENTIONS,
        "expectation-does-not-fit",
        f"{capability.kind.capitalize()} {capability.path} {message}".rstrip(".") + ".",
        element=capability.path,
        expected=expected,
        actual=actual or f"a stated {field}",
        remedy=_REMEDY,
    )


@check(requirements.CONVENTIONS, stage=2)
def waivers_are_in_force(evidence: Evidence) -> Findings:
    """No waiver has expired."""
    for waiver in waiving.expired(evidence):
        of = f" of {waiver.element}" if waiver.element else ""
        yield finding(
            requirements.CONVENTIONS,
            waiving.EXPIRED,
            f"The waiver of {waiver.finding}{of}, for which {waiver.owner} answers, expired on {waiver.expires}.",
            element=waiver.element,
            expected=f"a day not before {waiving.begun_on(evidence)}, when the run began",
            actual=str(waiver.expires),
            remedy="Mend what was waived and delete the waiver, or let its owner set a new day and say why.",
        )
    waivers = waiving.in_force(evidence)
    if not waivers or evidence.connected is None or evidence.final(ev.ObservationEnded) is None:
        return None  # of a run that ended early nobody knows what a waiver would have met
    found = _all_findings(evidence)
    for waiver in waivers:
        if not any(waiving.matches(waiver, each) for each in found):
            yield finding(
                requirements.CONVENTIONS,
                waiving.UNUSED,
                f"The waiver of {waiver.finding}{f' of {waiver.element}' if waiver.element else ''} met no finding "
                "in this run.",
                severity=Severity.INFO,
                element=waiver.element,
                expected="the finding it waives",
                actual="none",
                remedy=f"If that is mended, delete the waiver; {waiver.owner} answers for it.",
            )
    return None


def _all_findings(evidence: Evidence) -> list[Finding]:
    others = [case for case in cases(evidence, evidence.profile) if case.check.name != "waivers_are_in_force"]
    return [found for case in others for found in findings_of(case, evidence)]
