"""Telemetry: everything declared is seen and valid; nothing else is sent."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks import pace, requirements
from harness.checks.evidence import Evidence, Reading
from harness.checks.registry import Blocked, Findings, NotObservable, check, finding
from harness.checks.values import hint
from harness.dtdl import Capability
from harness.expectations import Telemetry
from harness.expectations.words import shown
from harness.record import events as ev
from harness.verdict import Finding, Severity

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
            f"Telemetry {path}: {share} did not fit the schema. {first.message}"
            f"{hint(capability.schema, wrong[0].value) if capability.schema else ''}",
            element=path,
            expected=first.expected,
            actual=first.actual,
            events=tuple(r.n for r in wrong[:_EVIDENCE_AT_MOST]),
            remedy="Send the JSON form of the declared schema, or correct the model and raise its version.",
        )
    yield from _as_stated(evidence, path, readings)
    return readings[min(len(readings), pace.needed(evidence, path)) - 1].n


def _as_stated(evidence: Evidence, path: str, readings: list[Reading]) -> Iterator[Finding]:
    """What the maker states about number, interval and values."""
    stated = evidence.expectations.telemetry(path)
    out = [r for r in readings if _is_outside(r.value, stated.minimum, stated.maximum)]
    if out:
        low = "" if stated.minimum is None else f"from {stated.minimum:g} "
        high = "" if stated.maximum is None else f"to {stated.maximum:g}"
        values = [r.value for r in out]
        yield finding(
            requirements.D2C,
            "telemetry-out-of-range",
            f"Telemetry {path}: {len(out)} of {len(readings)} values are out of the stated range.",
            element=path,
            expected=f"{low}{high}".strip(),
            actual=f"from {shown(min(values))} to {shown(max(values))}",
            events=tuple(r.n for r in out[:_EVIDENCE_AT_MOST]),
            remedy="Correct the value or its unit, or the range that is stated.",
        )
    if not pace.is_as_expected(evidence, path):
        yield finding(
            requirements.D2C,
            "telemetry-not-as-expected",
            f"Telemetry {path} never had the stated value.",
            element=path,
            expected=shown(stated.expected),
            actual=f"{shown(readings[-1].value)}, the last of {len(readings)}",
            events=tuple(r.n for r in readings[-_EVIDENCE_AT_MOST:]),
            remedy="Correct the value, or the one that is stated.",
        )
    ended = _watched(evidence)
    if ended is None:
        return
    yield from _number(evidence, path, readings, *ended)
    if stated.interval is not None and pace.is_thorough(evidence):
        yield from _interval(evidence, path, *ended)


def _number(
    evidence: Evidence, path: str, readings: list[Reading], n: int, ended: ev.ObservationEnded
) -> Iterator[Finding]:
    count = pace.count_of(evidence, path)
    if len(readings) < count:
        yield finding(
            requirements.D2C,
            "telemetry-fewer-than-stated",
            f"Telemetry {path} came {_times(len(readings))} in {ended.seconds:.0f} s of watching, not {_times(count)} "
            "as stated.",
            severity=_unless_required(evidence, path),
            element=path,
            expected=f"{count} messages",
            actual=str(len(readings)),
            events=(*(r.n for r in readings[:_EVIDENCE_AT_MOST]), n),
            remedy="Raise its timeout or the window if it comes less often, or correct the stated count.",
        )


def _interval(evidence: Evidence, path: str, n: int, ended: ev.ObservationEnded) -> Iterator[Finding]:
    stated = evidence.expectations.telemetry(path)
    low, high = pace.lowest(evidence, path), pace.highest(evidence, path)
    gaps = pace.gaps(evidence, path)
    outside = [gap for gap in gaps if not low <= gap <= high]
    expected = f"every {stated.interval:g} s, {stated.tolerance:.0%} more or less"
    if outside:
        yield finding(
            requirements.D2C,
            "telemetry-interval",
            f"Telemetry {path}: {len(outside)} of {len(gaps)} gaps between messages are not as stated.",
            severity=Severity.WARNING,
            element=path,
            expected=expected,
            actual=f"gaps from {min(gaps):.1f} s to {max(gaps):.1f} s, {sum(gaps) / len(gaps):.1f} s on average",
            events=(n,),
            remedy="Correct the device's timer, or the interval and tolerance that are stated.",
        )
    elif not gaps:
        yield finding(
            requirements.D2C,
            "telemetry-interval-not-measured",
            f"Telemetry {path} came too seldom in {ended.seconds:.0f} s of watching for its interval to be measured.",
            severity=Severity.INFO,
            element=path,
            expected=expected,
            actual="no gap to measure",
            events=(n,),
            remedy="Raise --window, or its timeout where one is stated.",
        )


def _watched(evidence: Evidence) -> tuple[int, ev.ObservationEnded] | None:
    """The end of the watch; None where it was cut short, so that too few messages mean nothing."""
    ended = evidence.final(ev.ObservationEnded)
    return None if ended is None or ended[1].reason == "interrupted" else ended


def _is_outside(value: object, minimum: float | None, maximum: float | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (minimum is not None and value < minimum) or (maximum is not None and value > maximum)


def _unless_required(evidence: Evidence, path: str) -> Severity:
    return Severity.ERROR if evidence.expectations.telemetry(path).required else Severity.WARNING


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


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
    ended = _watched(evidence)
    if ended is None:
        raise Blocked(f"The run ended before telemetry {path} was seen.")
    stated = evidence.expectations.telemetry(path)
    gone = " The device process had ended." if ended[1].reason == "device-gone" else ""
    yield finding(
        requirements.D2C,
        "telemetry-not-seen",
        f"Telemetry {path} was not seen in {ended[1].seconds:.0f} s of watching.{gone}",
        severity=_unless_required(evidence, path),
        element=path,
        expected="at least one message with this telemetry",
        actual="none",
        events=(ended[0],),
        remedy=_how_to_see_it(stated),
    )
    return None


def _how_to_see_it(stated: Telemetry) -> str:
    if stated.trigger:
        return f"It is triggered from outside ({stated.trigger}): do so while the pre-flight watches."
    text = "If it has a longer interval or an external trigger, raise --window or trigger it during the run; "
    return text + ("it is stated as required." if stated.required else "a reviewer decides otherwise.")


def _look_alike(evidence: Evidence, capability: Capability) -> tuple[str, str, str] | None:
    """Undeclared telemetry that is plainly this one under another name: (path, reason, remedy)."""
    folded = capability.path.lower()
    for stray in list(evidence.stray_telemetry):
        component, name = evidence.as_sent(stray)
        if capability.component and component is None and name == capability.path:
            return (
                stray,
                "it arrived as a name with a dot in a message of the root",
                f"Send it as `{capability.name}` with the message property `$.sub` = `{capability.component}`.",
            )
        if stray.lower() == folded:
            return stray, "names are case-sensitive", f"Send it as `{capability.path}`."
        if capability.component and stray == capability.name:
            return (
                stray,
                f"it arrived without its component {capability.component}",
                f"Set the message property `$.sub` to `{capability.component}`, one message for each component.",
            )
        if name == capability.name and component and component not in evidence.components:
            return (
                stray,
                f"it arrived as one of component {component}, which the model does not have",
                f"Set the message property `$.sub` to `{capability.component}`."
                if capability.component
                else "Leave out the message property `$.sub` for telemetry of the root.",
            )
    return None


@check(requirements.D2C, watches="telemetry")
def messages_as_stated(evidence: Evidence) -> Findings:
    """As many messages arrive in as much time as the maker states; where nothing is stated, one."""
    declared = [c.path for c in evidence.capabilities if c.kind == "telemetry"]
    awaited = [path for path in declared if not evidence.expectations.left_alone("telemetry", path)]
    if not awaited and evidence.expectations.device.messages is None:
        return None
    messages = pace.messages(evidence)
    if messages.settled is not None:
        return messages.settled
    ended = _watched(evidence)
    if ended is None:
        raise Blocked("The run ended before the messages that are stated had come.")
    wanted, within, most = messages.wanted, messages.within, messages.most
    in_time = f" in {within:g} s" if within else ""
    triggered = all(evidence.expectations.telemetry(path).trigger for path in awaited)
    yield finding(
        requirements.D2C,
        "messages-fewer-than-stated" if most else "no-telemetry",
        f"The device sent {most} messages at most{in_time or ' in all'}, and {wanted} are stated."
        if most
        else f"The device sent no message at all in {ended[1].seconds:.0f} s of watching.",
        severity=Severity.WARNING if triggered and not most else Severity.ERROR,
        expected=f"{wanted} messages{in_time}" if wanted > 1 else "at least one message",
        actual=f"{most}" if most else "none",
        events=(ended[0],),
        remedy="Send telemetry as often as is stated in [device], or state what the device does."
        if most
        else "Send telemetry to the topic devices/{device id}/messages/events/ once connected.",
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


_RAW_FAULTS = {
    "encoding": "payload-not-utf-8",
    "byteOrderMark": "payload-byte-order-mark",
    "empty": "payload-empty",
    "nonFinite": "payload-not-finite",
    "duplicateName": "payload-duplicate-name",
    "notAnObject": "payload-not-an-object",
}
"""Findings by what is wrong with the bytes; anything else is malformed JSON."""


@check(requirements.CONVENTIONS, stage=2)
def payloads_are_json_objects(evidence: Evidence) -> Findings:
    """Every message and patch is one JSON object in UTF-8."""
    if not evidence.entries(ev.TelemetryReceived, ev.ReportedPatched):
        raise NotObservable("Neither a message nor a patch of the device was seen.")
    for what, code in sorted({(m.what, m.problems[0].code) for m in evidence.malformed}):
        faulty = [m for m in evidence.malformed if (m.what, m.problems[0].code) == (what, code)]
        first = faulty[0].problems[0]
        yield finding(
            requirements.CONVENTIONS,
            _RAW_FAULTS.get(code, "payload-malformed"),
            f"{len(faulty)} payload(s) of {what} could not be read. {first.message}",
            expected=first.expected,
            actual=first.actual,
            events=tuple(m.n for m in faulty[:_EVIDENCE_AT_MOST]),
            remedy="Send one JSON object in UTF-8, without byte order mark, with unique names and finite numbers.",
        )
    return None
