"""Properties: read-only ones reported, writable ones acknowledged, all valid and by the conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks import requirements
from harness.checks.acknowledging import acknowledgement
from harness.checks.dying import how_it_ended, lost
from harness.checks.envelope import (
    ACCEPTED,
    FAILED,
    IN_PROGRESS,
    MARKER,
    MEMBERS,
    REJECTED,
    bare,
    example,
    is_complete,
    is_own,
)
from harness.checks.evidence import Evidence, Report
from harness.checks.registry import Blocked, Findings, check, finding
from harness.checks.sameness import same
from harness.checks.seeing import service_failed
from harness.checks.told import as_taken, of_its_own, value_findings
from harness.checks.values import shown
from harness.dtdl import Capability, check_value
from harness.expectations import ABSENT, Property
from harness.record import events as ev
from harness.verdict import Finding, Severity


@check(requirements.DEVICE_TWIN, over="read_only_property")
def read_only_property(evidence: Evidence, capability: Capability) -> Findings:
    """The property is reported, and every value fits its schema."""
    path = capability.path
    requirement = requirement_of(capability)
    reports = evidence.reports.get(path, [])
    if not reports:
        ended = evidence.final(ev.ObservationEnded)
        if ended is None or ended[1].reason == "interrupted":
            raise Blocked(f"The run ended before property {path} was reported.")
        if evidence.lost is not None and evidence.lost < ended[0]:
            raise Blocked(lost(evidence, f"property {path} was reported"))
        yield finding(
            requirement,
            "property-not-reported",
            f"The read-only property {path} was never reported.{_look_alike(evidence, capability)}",
            severity=Severity.ERROR if evidence.expectations.property(path).required else Severity.WARNING,
            element=path,
            expected="a reported value",
            actual=f"none in {ended[1].seconds:.0f} s",
            events=(ended[0],),
            remedy="Report every read-only property after connecting.",
        )
        return None
    yield from _refused_patch(requirement, path, reports)
    yield from _unmarked(path, capability, reports)
    yield from value_findings(requirement, capability, as_taken(reports))
    yield from _as_stated(requirement, path, evidence, _first_out_of_bounds(evidence, path, reports) or reports[-1])
    return reports[0].n


@check(requirements.DEVICE_TWIN, over="writable_property")
def writable_property(evidence: Evidence, capability: Capability) -> Findings:
    """A desired value set by the service is acknowledged with `value`, `ac` and `av`; all values fit the schema."""
    path = capability.path
    yield from _values(evidence, capability)
    writes = [(n, w) for n, w in evidence.writes.get(path, []) if w.purpose == "exercise"]
    if not writes:
        if evidence.lost is not None:
            raise Blocked(lost(evidence, f"property {path} was set"))
        raise Blocked(f"The run ended before property {path} was set.")
    decided = 0
    for n, write in writes:
        decided = max(decided, (yield from _answered(evidence, capability, n, write)) or 0)
    return decided or None


def _values(evidence: Evidence, capability: Capability) -> Iterator[Finding]:
    """Those of the answers, and those that the device tells by itself."""
    path = capability.path
    writes = [w for _, w in evidence.writes.get(path, []) if w.purpose == "exercise" and w.version is not None]
    found = [acknowledgement(evidence, path, w.after, w.version) for w in writes]
    answering = {answer.n: answer.value for answer in found if answer is not None}
    complete = [(n, value["value"]) for n, value in answering.items() if is_complete(value)]
    told = [*complete, *of_its_own(evidence, capability, answering)]
    yield from value_findings(requirement_of(capability), capability, sorted(told, key=lambda each: each[0]))


def _answered(evidence: Evidence, capability: Capability, n: int, write: ev.PropertyWritten) -> Findings:
    path, requirement = capability.path, requirement_of(capability)
    if service_failed(write.error):
        raise Blocked(f"Property {path} could not be set: {write.error}")
    if write.error:
        yield finding(
            requirement,
            "property-write-failed",
            f"The service could not set {path}: {write.error}",
            element=path,
            expected="the desired value accepted by the hub",
            actual=write.error,
            events=(n,),
            remedy="See the error; if the hub rejects a value that fits the schema, the model cannot be implemented.",
        )
        return n
    answer = acknowledgement(evidence, path, write.after, write.version)
    if answer is None:
        ended = evidence.final(ev.RunInterrupted)
        if ended:
            raise Blocked(f"The run ended before property {path} was acknowledged.")
        if evidence.links and not evidence.online_at(write.after):
            raise Blocked(f"The device was not connected when property {path} was set.")
        gone = _gone_over(evidence, path, write)
        yield finding(
            requirement,
            "property-not-acknowledged",
            f"The device did not acknowledge {path} after the service set it.{_look_alike(evidence, capability)}"
            + (how_it_ended(evidence, " over it") if gone else ""),
            severity=Severity.ERROR if evidence.expectations.property(path).required else Severity.WARNING,
            element=path,
            expected=f"a reported {example(write.version)}",
            actual="no report of this property",
            events=(n,) if gone is None else (n, gone),
            remedy="Answer every desired change with a reported property that carries value, ac and av.",
        )
        return None
    yield from _refused_patch(requirement, path, [answer])
    yield from _unmarked(path, capability, [answer])
    yield from _envelope(requirement, path, capability, write, answer)
    yield from _as_stated(requirement, path, evidence, answer)
    return answer.n


def _gone_over(evidence: Evidence, path: str, write: ev.PropertyWritten) -> int | None:
    """Where the device's connection ended for good before anything else was asked of it."""
    others = [at for p, writes in evidence.writes.items() for at, w in writes if p != path and w.after > write.after]
    others += [at for at, _ in evidence.of(ev.CommandSent) if at > write.after]
    gone = evidence.lost
    return gone if gone is not None and write.after < gone and not any(at < gone for at in others) else None


def _look_alike(evidence: Evidence, capability: Capability) -> str:
    """A sentence where it is reported in other letters."""
    wanted = {capability.path.lower(), (capability.component or capability.path).lower()}
    found = next((stray for stray in list(evidence.stray_reports) if stray.lower() in wanted), None)
    return f" But {found} was reported: names are case-sensitive." if found else ""


def requirement_of(capability: Capability) -> str:
    """DeviceInformation has a requirement of its own."""
    if capability.interface == requirements.DEVICE_INFORMATION:
        return requirements.DEVICE_INFO
    return requirements.DEVICE_TWIN


def _envelope(
    requirement: str, path: str, capability: Capability, write: ev.PropertyWritten, answer: Report
) -> Iterator[Finding]:
    value = answer.value
    if not is_complete(value):
        yield _incomplete(requirement, path, write, answer)
        return
    yield from _code(requirement, path, value["ac"], value.get("ad"), answer)
    yield from _version(requirement, path, write, answer)
    yield from _description(requirement, path, answer)
    fits = capability.schema is None or not check_value(capability.schema, value["value"])
    if value["ac"] == ACCEPTED and fits and not same(value["value"], write.value):
        yield _other_value(requirement, path, write, answer)


def _incomplete(requirement: str, path: str, write: ev.PropertyWritten, answer: Report) -> Finding:
    missing = sorted(MEMBERS - set(answer.value if isinstance(answer.value, Mapping) else ()))
    return finding(
        requirement,
        "ack-incomplete",
        f"The acknowledgement of {path} lacks {', '.join(missing)}.",
        element=path,
        expected=example(write.version),
        actual=shown(answer.value),
        events=(answer.n,),
        remedy="Report the property as an object with value, ac (a status code) and av (the desired $version).",
    )


def _version(requirement: str, path: str, write: ev.PropertyWritten, answer: Report) -> Iterator[Finding]:
    version = answer.value["av"]
    if isinstance(version, bool) or version != write.version:
        yield finding(
            requirement,
            "ack-version",
            f"The acknowledgement of {path} names another version than the desired change it answers.",
            element=path,
            expected=f"av = {write.version}, the $version of the desired change",
            actual=f"av = {shown(version)}",
            events=(answer.n,),
            remedy="Copy `$version` from the top level of the desired properties into av.",
        )


def _description(requirement: str, path: str, answer: Report) -> Iterator[Finding]:
    description = answer.value.get("ad")
    if not isinstance(description, (str, type(None))):
        yield finding(
            requirement,
            "ack-description",
            f"The acknowledgement of {path} has a description that is no string.",
            element=path,
            expected="a string, or no ad",
            actual=shown(description),
            events=(answer.n,),
            remedy="Write ad as a string, or leave it out.",
        )


def _other_value(requirement: str, path: str, write: ev.PropertyWritten, answer: Report) -> Finding:
    """A value was accepted, and another one or a part of it is reported."""
    given, reported = write.value, answer.value["value"]
    both = isinstance(reported, Mapping) and isinstance(given, Mapping)
    if both and all(k in given and same(v, given[k]) for k, v in reported.items()):
        code = "ack-partial"
        message = f"The acknowledgement of {path} holds some members of the object only."
        remedy = "Report the whole object; published texts differ on whether a part will do."
    else:
        code = "ack-value"
        message = f"The device accepted {path} (ac 200) but reports another value than the one it was given."
        remedy = "Report the accepted value with ac 200; say with ac and ad when another value is in use."
    return finding(
        requirement,
        code,
        message,
        severity=Severity.WARNING,
        element=path,
        expected=shown(given),
        actual=shown(reported),
        events=(answer.n,),
        remedy=remedy,
    )


def _code(requirement: str, path: str, code: Any, description: Any, answer: Report) -> Iterator[Finding]:
    if isinstance(code, int) and not isinstance(code, bool) and code == ACCEPTED:
        return
    if is_own(answer.value):
        return  # no answer but a value of the device's own; that its version is another is found there
    unusual = isinstance(code, int) and not isinstance(code, bool) and 200 <= code < 400 and code != IN_PROGRESS
    said = f" ({description})" if description else ""
    rejected = isinstance(code, int) and REJECTED <= code < FAILED
    if code == IN_PROGRESS:
        message = f"The change of {path} was announced as in progress (ac 202) and never finished."
        remedy = "Report the property again with ac 200 once the change is done."
    elif rejected:
        message = f"The device refused a value of {path} that fits its schema: ac {code}{said}."
        remedy = "If the device allows only some values, that is legitimate; a reviewer will ask."
    elif unusual:
        message = f"The acknowledgement of {path} has the unusual code ac {code}{said}."
        remedy = "Answer an accepted change with ac 200; 203 is for values that the device sets by itself (av 0)."
    else:
        message = f"The acknowledgement of {path} has ac {shown(code)}{said}."
        remedy = "Answer an accepted change with ac 200."
    yield finding(
        requirement,
        "ack-code",
        message,
        severity=Severity.WARNING if rejected or unusual else Severity.ERROR,
        element=path,
        expected="ac = 200",
        actual=f"ac = {shown(code)}",
        events=(answer.n,),
        remedy=remedy,
    )


def _as_stated(requirement: str, path: str, evidence: Evidence, report: Report) -> Iterator[Finding]:
    """The value that the maker states, and the bounds."""
    stated = evidence.expectations.property(path)
    value = bare(report.value)
    if stated.reported is not ABSENT and not same(value, stated.reported):
        expected = shown(stated.reported)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not _in_bounds(value, stated):
        expected = f"from {stated.minimum} to {stated.maximum}"
    else:
        return
    yield finding(
        requirement,
        "property-unexpected",
        f"The reported value of {path} is not as stated.",
        element=path,
        expected=expected,
        actual=shown(value),
        events=(report.n,),
        remedy="Correct the device, or what is stated about it.",
    )


def _first_out_of_bounds(evidence: Evidence, path: str, reports: list[Report]) -> Report | None:
    stated = evidence.expectations.property(path)
    numbers = [r for r in reports if isinstance(r.value, (int, float)) and not isinstance(r.value, bool)]
    return next((r for r in numbers if not _in_bounds(r.value, stated)), None)


def _in_bounds(value: float, stated: Property) -> bool:
    above = stated.minimum is None or value >= stated.minimum
    return above and (stated.maximum is None or value <= stated.maximum)


def _refused_patch(requirement: str, path: str, reports: list[Report]) -> Iterator[Finding]:
    refused = [r for r in reports if r.status >= 300]
    if refused:
        yield finding(
            requirement,
            "property-patch-refused",
            f"The hub refused the patch that reports {path} with {refused[0].status}.",
            element=path,
            expected="a patch that the hub accepts (204)",
            actual=str(refused[0].status),
            events=tuple(r.n for r in refused[:5]),
            remedy="Read the response to each reported patch and correct the patch.",
        )


def _unmarked(path: str, capability: Capability, reports: list[Report]) -> Iterator[Finding]:
    if capability.component and not any(r.marked for r in reports):
        yield finding(
            requirements.CONVENTIONS,
            "component-not-marked",
            f"Component {capability.component} is reported without its marker.",
            element=path,
            expected='"__t": "c" beside the properties of the component',
            actual="no marker",
            events=(reports[0].n,),
            remedy=f'Add "__t": "c" to the object of {capability.component} in every reported patch.',
        )


@check(requirements.CONVENTIONS)
def no_undeclared_properties(evidence: Evidence) -> Findings:
    """Nothing is reported that the model does not declare."""
    for path, numbers in list(evidence.stray_reports.items()):
        if path in evidence.writes:
            continue  # the device answers what the harness has set
        if any(isinstance(r.value, Mapping) and r.value.get(MARKER) == "c" for r in evidence.reports[path]):
            yield finding(
                requirements.CONVENTIONS,
                "component-undeclared",
                f"The device reports component {path}, which its model does not have.",
                severity=Severity.WARNING,
                element=path,
                expected="only declared components",
                actual=f"{len(numbers)} reports of {path}",
                events=tuple(numbers[:10]),
                remedy="Declare the component in the model (with a new version), or name it as the model does.",
            )
            continue
        yield finding(
            requirements.CONVENTIONS,
            "property-undeclared",
            f"The device reports {path}, which its model does not declare as a property.",
            severity=Severity.WARNING,
            element=path,
            expected="only declared properties",
            actual=f"{len(numbers)} reports of {path}",
            events=tuple(numbers[:10]),
            remedy="Declare it in the model (with a new version) or do not report it.",
        )
    return None
