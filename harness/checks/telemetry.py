"""Telemetry: everything declared is seen and valid; nothing else is sent."""

from __future__ import annotations

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, check, finding
from harness.dtdl import Capability
from harness.record import events as ev
from harness.verdict import Severity

_EVIDENCE_AT_MOST = 10


@check(requirements.D2C, over="telemetry")
def telemetry(evidence: Evidence, capability: Capability) -> Findings:
    """The declared telemetry arrives, and every value fits its schema."""
    path = capability.path
    readings = evidence.telemetry.get(path, [])
    if not readings:
        yield from _missing(evidence, capability)
        return None
    wrong = [r for r in readings if r.problems]
    if wrong:
        first = wrong[0].problems[0]
        share = f"{len(wrong)} of {len(readings)} values" if len(readings) > 1 else "the value"
        yield finding(
            requirements.D2C,
            "telemetry-invalid",
            f"Telemetry {path}: {share} did not fit the schema. {first.message}",
            element=path,
            expected=first.expected,
            actual=first.actual,
            events=tuple(r.n for r in wrong[:_EVIDENCE_AT_MOST]),
            remedy="Send the JSON form of the declared schema, or correct the model and raise its version.",
        )
    return readings[0].n


def _missing(evidence: Evidence, capability: Capability) -> Findings:
    path = capability.path
    look_alike = _look_alike(evidence, capability)
    if look_alike:
        sent_as, reason, remedy = look_alike
        yield finding(
            requirements.D2C,
            "telemetry-misnamed",
            f"Telemetry {path} was never seen, but {sent_as} was: {reason}.",
            element=path,
            expected=path,
            actual=sent_as,
            events=tuple(evidence.stray_telemetry[sent_as][:_EVIDENCE_AT_MOST]),
            remedy=remedy,
        )
        return None
    ended = evidence.final(ev.ObservationEnded)
    if ended is None or ended[1].reason == "interrupted":
        raise Blocked(f"The run ended before telemetry {path} was seen.")
    gone = " The device process had ended." if ended[1].reason == "device-gone" else ""
    yield finding(
        requirements.D2C,
        "telemetry-not-seen",
        f"Telemetry {path} was not seen in {ended[1].seconds:.0f} s of watching.{gone}",
        severity=Severity.WARNING,
        element=path,
        expected="at least one message with this telemetry",
        actual="none",
        events=(ended[0],),
        remedy="If it has a longer interval or an external trigger, raise --window or trigger it during the run; "
        "a reviewer decides otherwise.",
    )
    return None


def _look_alike(evidence: Evidence, capability: Capability) -> tuple[str, str, str] | None:
    """Undeclared telemetry that is plainly this one under another name: (path, reason, remedy)."""
    folded = capability.path.lower()
    for stray in list(evidence.stray_telemetry):
        if stray.lower() == folded:
            return stray, "names are case-sensitive", f"Send it as `{capability.path}`."
        if capability.component and stray == capability.name:
            return (
                stray,
                f"it arrived without its component {capability.component}",
                f"Set the message property `$.sub` to `{capability.component}`, one message for each component.",
            )
    return None


@check(requirements.CONVENTIONS)
def no_undeclared_telemetry(evidence: Evidence) -> Findings:
    """Nothing is sent that the model does not declare."""
    for path, numbers in list(evidence.stray_telemetry.items()):
        yield finding(
            requirements.CONVENTIONS,
            "telemetry-undeclared",
            f"The device sends telemetry {path}, which its model does not declare.",
            severity=Severity.WARNING,
            element=path,
            expected="only declared telemetry",
            actual=f"{len(numbers)} messages with {path}",
            events=tuple(numbers[:_EVIDENCE_AT_MOST]),
            remedy="Declare it in the model (with a new version) or do not send it.",
        )
    return None


@check(requirements.CONVENTIONS, stage=2)
def payloads_are_json_objects(evidence: Evidence) -> Findings:
    """Every message and patch is one JSON object in UTF-8."""
    for what in sorted({m.what for m in evidence.malformed}):
        faulty = [m for m in evidence.malformed if m.what == what]
        first = faulty[0].problems[0]
        yield finding(
            requirements.CONVENTIONS,
            "payload-malformed",
            f"{len(faulty)} payload(s) of {what} could not be read. {first.message}",
            expected=first.expected,
            actual=first.actual,
            events=tuple(m.n for m in faulty[:_EVIDENCE_AT_MOST]),
            remedy="Send one JSON object in UTF-8, without byte order mark, with unique names and finite numbers.",
        )
    return None
