"""Desired changes beyond a single valid value: several in one patch, unmarked, unknown, removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.checks import requirements
from harness.checks.acknowledging import acknowledgement
from harness.checks.dying import how_it_ended, lost
from harness.checks.envelope import ACCEPTED, answers, code_of, example
from harness.checks.evidence import Evidence, Report
from harness.checks.registry import Blocked, Findings, NotChosen, NotObservable, check, finding
from harness.checks.sameness import same
from harness.checks.values import shown
from harness.dtdl import Capability, check_value, decode
from harness.record import events as ev
from harness.verdict import Finding, Severity

UNKNOWN_PROPERTY = "preflightUnknownProperty"
UNKNOWN_COMPONENT = "preflightUnknownComponent"
"""Members of a desired patch that no model has."""

Write = tuple[int, str, ev.PropertyWritten]
"""Entry, path and event."""


@check(requirements.CONVENTIONS, profile="standard", watches="property")
def properties_in_one_patch(evidence: Evidence) -> Findings:
    """Several properties set in one patch, in the root and in components, are each acknowledged with its own value."""
    writes = list(_writes(evidence, "together"))
    if not writes:
        _must_have_been_possible(evidence, at_least=2)
        return None
    decided = None
    for n, path, write in writes:
        if write.error:
            raise Blocked(f"The hub refused a patch of several properties: {write.error}")
        answer = acknowledgement(evidence, path, write.after, write.version)
        if answer is None:
            yield _lost(evidence, n, path, write)
        elif (value := _accepted(answer)) is not None and not same(value[0], write.value):
            others = [w for w in writes if w[1] != path]
            yield from _mixed(evidence.by_path.get(path), path, write, answer, value[0], others)
        decided = max(decided or 0, answer.n if answer else n)
    return decided


def _lost(evidence: Evidence, n: int, path: str, write: ev.PropertyWritten) -> Finding:
    gone = evidence.away_between(write.after, evidence.last.n if evidence.last else n)
    return finding(
        requirements.CONVENTIONS,
        "patch-not-acknowledged",
        f"{path} was not acknowledged when it was set together with other properties in one patch, though it is alone."
        + (how_it_ended(evidence, " over it") if gone else ""),
        element=path,
        expected=example(write.version, shown(write.value)),
        actual="no acknowledgement",
        events=(n,) if gone is None else (n, gone),
        remedy="Go through all members of a desired patch, those of the root and those of every component.",
    )


def _mixed(
    capability: Capability | None,
    path: str,
    write: ev.PropertyWritten,
    answer: Report,
    value: Any,
    others: list[Write],
) -> Iterator[Finding]:
    whose = next((p for _, p, w in others if same(w.value, value)), None)
    if whose is None and not _in_other_words(value, write.value):
        fits = capability is None or capability.schema is None or not check_value(capability.schema, value)
        whose = None if fits else "something else"
    if whose is None:
        return  # another value of its own, or the right one in quotes: the acknowledgement of a single one shows it
    yield finding(
        requirements.CONVENTIONS,
        "acknowledgements-mixed-up",
        f"{path} was set together with others in one patch and acknowledged with the value of {whose}.",
        element=path,
        expected=shown(write.value),
        actual=shown(value),
        events=(answer.n,),
        remedy="Make a new acknowledgement for each property: an object that is used again ends with the last value "
        "(the helper of Microsoft's Python samples does so).",
    )


def _in_other_words(value: Any, written: Any) -> bool:
    """Whether it is the value that was set, as a string."""
    inner, problems = decode(value) if isinstance(value, str) else (None, True)
    return not problems and same(inner, written)


@check(requirements.CONVENTIONS, profile="standard", watches="property")
def component_patch_without_marker(evidence: Evidence) -> Findings:
    """A desired change of a component is taken without `__t` as well: services may leave it out."""
    for n, path, write in _writes(evidence, "unmarked"):
        if write.error:
            raise Blocked(f"The hub refused the patch: {write.error}")
        answer = acknowledgement(evidence, path, write.after, write.version)
        if answer is not None:
            return answer.n
        yield finding(
            requirements.CONVENTIONS,
            "unmarked-patch-ignored",
            f'{path} was not acknowledged when its component came without "__t": "c" in the desired patch.',
            severity=Severity.WARNING,
            element=path,
            expected="an acknowledgement as for a marked one",
            actual="none",
            events=(n,),
            remedy="Know the components by their names, not by the marker: patches need not carry it.",
        )
        return n
    _must_have_been_possible(evidence, of_component=True)
    return None


@check(requirements.CONVENTIONS, profile="standard", watches="property")
def unknown_desired_properties(evidence: Evidence) -> Findings:
    """Desired members that the model does not have change nothing: the known ones beside them are acknowledged."""
    writes = list(_writes(evidence, "unknown"))
    known = [w for w in writes if w[1] in evidence.by_path]
    if not known:
        _must_have_been_possible(evidence)
        return None
    n, path, write = known[0]
    if write.error:
        raise Blocked(f"The hub refused the patch: {write.error}")
    answer = acknowledgement(evidence, path, write.after, write.version)
    again = _reported_again(evidence, write)
    if again:
        yield finding(
            requirements.CONVENTIONS,
            "unknown-desired-reports-all",
            "The device reported all its properties again because of a desired component that its model does not have.",
            element=UNKNOWN_COMPONENT,
            expected="no reaction to what is unknown",
            actual=f"{len(again)} other properties reported: {', '.join(sorted(again)[:5])}",
            events=(n,),
            remedy="Ignore desired members that the device does not know.",
        )
    if answer is None:
        gone = evidence.away_between(write.after, evidence.last.n if evidence.last else n)
        yield finding(
            requirements.CONVENTIONS,
            "unknown-desired-not-ignored",
            f"{path} was not acknowledged when an unknown component and an unknown property came with it."
            + (how_it_ended(evidence, " over it") if gone else ""),
            element=path,
            expected="an acknowledgement of the known property",
            actual="none",
            events=(n,) if gone is None else (n, gone),
            remedy="Ignore desired members that the device does not know, and go on with the others.",
        )
        return n
    return answer.n


def _reported_again(evidence: Evidence, write: ev.PropertyWritten) -> set[str]:
    """Properties that nobody set, reported after the unknown ones and after no other change: most of all there are."""
    declared = {c.path for c in evidence.capabilities if c.kind == "property"}
    groups = sorted({w.after for ws in evidence.writes.values() for _, w in ws})
    restored = {w.after for ws in evidence.writes.values() for _, w in ws if w.purpose == "restore"}
    usual: set[str] = set()
    found: set[str] = set()
    for at, first in enumerate(groups):
        until = groups[at + 1] if at + 1 < len(groups) else None
        others = declared - _written_around(evidence, groups[max(0, at - 1) : at + 2])
        reported = {p for p in others if any(r.n > first and (until is None or r.n <= until) for r in _of(evidence, p))}
        if first == write.after:
            found = reported
        elif first not in restored:  # which takes away what is unknown
            usual |= reported
    found -= usual
    return found if len(found) > 1 and 2 * len(found) >= len(declared) - 1 else set()


def _written_around(evidence: Evidence, groups: list[int]) -> set[str]:
    return {path for path, writes in evidence.writes.items() if any(w.after in groups for _, w in writes)}


def _of(evidence: Evidence, path: str) -> list[Report]:
    return evidence.reports.get(path, [])


@check(requirements.CONVENTIONS, profile="standard", watches="property")
def desired_property_removed(evidence: Evidence) -> Findings:
    """Null removes a desired property; the device answers with no nonsense and takes the next value."""
    for n, path, write in _writes(evidence, "removed"):
        if write.error:
            raise Blocked(f"The hub refused the patch: {write.error}")
        capability = evidence.by_path[path]
        yield from _nonsense(evidence, capability, write)
        revived = [w for _, w in evidence.writes[path] if w.purpose == "revived" and w.after >= n]
        if not revived:
            raise Blocked("The run ended before the property was set again.")
        if revived[0].error:
            raise Blocked(f"Property {path} could not be set again: {revived[0].error}")
        answer = acknowledgement(evidence, path, revived[0].after, revived[0].version)
        if answer is None:
            gone = evidence.away_between(write.after, evidence.last.n if evidence.last else n)
            yield finding(
                requirements.CONVENTIONS,
                "dead-after-removal",
                f"The device acknowledged {path} no more after null had removed it from the desired properties."
                + (how_it_ended(evidence) if gone else ""),
                element=path,
                expected="an acknowledgement of the next value",
                actual="none",
                events=(n,) if gone is None else (n, gone),
                remedy="Take null for `nothing desired any more`: go on with a value of your own.",
            )
            return n
        return answer.n
    _must_have_been_possible(evidence)
    return None


def _nonsense(evidence: Evidence, capability: Capability, write: ev.PropertyWritten) -> Iterator[Finding]:
    found = [r for r in _of(evidence, capability.path) if r.n > write.after and answers(r.value, write.version)]
    for answer in found[:1]:
        value = answer.value.get("value")
        problems = check_value(capability.schema, value) if capability.schema and value is not None else []
        if problems:
            yield finding(
                requirements.CONVENTIONS,
                "removal-answer-invalid",
                f"The answer to the removal of {capability.path} has a value that does not fit its schema.",
                element=capability.path,
                expected="the value in use, or no answer",
                actual=shown(value),
                events=(answer.n,),
                remedy="Report the value that is in use with ac 203 and av 0, or nothing.",
            )


def _writes(evidence: Evidence, purpose: str) -> Iterator[Write]:
    found = [(n, path, w) for path, writes in evidence.writes.items() for n, w in writes if w.purpose == purpose]
    yield from sorted(found, key=lambda w: w[0])


def _must_have_been_possible(evidence: Evidence, at_least: int = 1, *, of_component: bool = False) -> None:
    """Raise Blocked where the step was due and not made, NotChosen where the maker has left alone what it needs, and
    NotObservable where the model has too little for it.
    """
    writable = [c for c in evidence.capabilities if c.kind == "property" and c.writable and c.schema is not None]
    writable = [c for c in writable if c.component is not None or not of_component]
    what = "writable property" + (" of a component" if of_component else "")
    few = f"no {what}" if at_least == 1 else f"fewer than {at_least} writable properties"
    if len(writable) < at_least:
        raise NotObservable(f"The model declares {few} to show it by.")
    allowed = [c for c in writable if not evidence.expectations.left_alone("property", c.path)]
    if len(allowed) < at_least:
        raise NotChosen(f"With what the maker leaves alone there is {few} to set.")
    if evidence.final(ev.ExerciseEnded) is None or evidence.final(ev.RunInterrupted):
        raise Blocked("The run ended before desired properties were set in this way.")
    if evidence.lost is not None:
        raise Blocked(lost(evidence, "desired properties were set in this way"))
    raise Blocked(f"The device acknowledged {few} when set alone.")


def _accepted(answer: Report) -> tuple[Any] | None:
    """The value of an acknowledgement with ac 200."""
    value = answer.value
    return (value["value"],) if code_of(value) == ACCEPTED and "value" in value else None
