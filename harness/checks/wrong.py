"""Negative tests: what is invalid is answered with an error, and the device lives on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks import requirements
from harness.checks.acknowledging import acknowledgement
from harness.checks.commands import NOT_REQUIRED
from harness.checks.disruptive import is_disruptive
from harness.checks.dying import how_it_ended, lost
from harness.checks.envelope import REJECTED
from harness.checks.evidence import Evidence
from harness.checks.invalid import invalid_requests, invalid_values
from harness.checks.properties import requirement_of
from harness.checks.registry import Blocked, Findings, NotChosen, NotObservable, check, finding
from harness.checks.sameness import same
from harness.checks.seeing import service_failed
from harness.checks.values import shown
from harness.dtdl import Capability
from harness.record import events as ev
from harness.verdict import Finding, Severity

_OPT_OUT = "Nothing invalid is sent to {}, as preflight.toml (negative = false) says."


@check(requirements.DEVICE_TWIN, over="writable_property", profile="standard")
def rejects_invalid_value(evidence: Evidence, capability: Capability) -> Findings:
    """An invalid desired value is answered with an error, and the next valid one is taken."""
    path = capability.path
    if not evidence.expectations.property(path).negative:
        raise NotChosen(_OPT_OUT.format(path))
    writes = [(n, w) for n, w in evidence.writes.get(path, []) if w.purpose == "negative"]
    if not writes:
        if not invalid_values(capability):
            raise NotObservable(f"No value is plainly invalid for {path}.")
        why = f"Property {path} was not acknowledged when it was set to a valid value."
        raise _why_not(evidence, why, required=evidence.expectations.property(path).required)
    taken = [(n, w) for n, w in writes if not w.error]
    if not taken:
        failed = next((w.error for _, w in writes if service_failed(w.error)), "")
        if failed:
            raise Blocked(f"No invalid value could be set for {path}: {failed}")
        raise NotObservable(f"The twin itself refused what is invalid for {path}: nothing reached the device.")
    revived = _revived(evidence, path, writes[-1][0])
    alive = acknowledgement(evidence, path, revived.after, revived.version)
    if alive is None:
        first, last = taken[0][1], taken[-1][1]
        if not _was_alive(evidence, path, first):
            raise Blocked(f"Property {path} was acknowledged no more when invalid values were to be sent.")
        numbers = [n for n, _ in taken]
        yield _dead(evidence, requirement_of(capability), path, first.after, numbers, shown(last.value))
        return revived.after
    yield from _values_not_refused(evidence, capability, taken)
    return alive.n


def _revived(evidence: Evidence, path: str, last: int) -> ev.PropertyWritten:
    """The valid value that was set after the `last` invalid one."""
    revived = next((w for _, w in evidence.writes[path] if w.purpose == "revived" and w.after >= last), None)
    if revived is None:
        raise Blocked(f"The run ended before {path} was set to a valid value again.")
    if revived.error:
        raise Blocked(f"Property {path} could not be set to a valid value again: {revived.error}")
    return revived


def _values_not_refused(
    evidence: Evidence, capability: Capability, writes: list[tuple[int, ev.PropertyWritten]]
) -> Iterator[Finding]:
    """The invalid values that the device accepted, and those that it left unanswered."""
    path = capability.path
    accepted, ignored = [], []
    for n, write in writes:
        answer = acknowledgement(evidence, path, write.after, write.version)
        if answer is None:
            ignored.append((n, write))
        elif _took(answer.value, write.value):
            accepted.append((n, write))
    if accepted:
        yield finding(
            requirement_of(capability),
            "invalid-value-accepted",
            f"The device accepted {_values(accepted)} for {path}, which does not fit its schema.",
            severity=Severity.WARNING,
            element=path,
            expected="an acknowledgement with ac 400 and the value in use",
            actual="accepted",
            events=tuple(n for n, _ in accepted),
            remedy="Check desired values before they are taken; refuse with ac 400 and report the value in use.",
        )
    if ignored:
        yield finding(
            requirement_of(capability),
            "invalid-value-ignored",
            f"The device left {_values(ignored)} for {path}, which does not fit its schema, unanswered.",
            severity=Severity.WARNING,
            element=path,
            expected="an acknowledgement with ac 400 and the value in use",
            actual="no answer",
            events=tuple(n for n, _ in ignored),
            remedy="Answer every desired change, one that cannot be taken with ac 400 and the value in use.",
        )


def _was_alive(evidence: Evidence, path: str, first: ev.PropertyWritten) -> bool:
    """Whether the last value before the first invalid one was acknowledged."""
    earlier = [w for _, w in evidence.writes[path] if w.after < first.after and w.version is not None]
    last = earlier[-1] if earlier else None
    return last is None or acknowledgement(evidence, path, last.after, last.version) is not None


def _took(answer: Any, value: Any) -> bool:
    """Whether the device took the value; one that takes another, and says which, has its reasons."""
    envelope = answer if isinstance(answer, Mapping) else {"value": answer}
    code = envelope.get("ac")
    refused = isinstance(code, int) and not isinstance(code, bool) and code >= REJECTED
    return not refused and same(envelope.get("value"), value)


def _values(writes: list[tuple[int, ev.PropertyWritten]]) -> str:
    return " and ".join(shown(w.value) for _, w in writes)


@check(requirements.DIRECT_METHODS, over="command", profile="standard")
def rejects_invalid_request(evidence: Evidence, capability: Capability) -> Findings:
    """An invalid request is answered with an error status, and the next valid one is carried out.

    A command that takes no request may do as it likes with one, but answers.
    """
    path = capability.path
    if not evidence.expectations.command(path).negative:
        raise NotChosen(_OPT_OUT.format(path))
    if is_disruptive(evidence, capability):
        raise NotChosen(f"Command {path} disturbs the device, so nothing invalid is sent to it.")
    returns = [(n, r) for n, r in evidence.returns.get(path, []) if r.purpose == "negative"]
    if not returns:
        if not invalid_requests(capability):
            raise NotObservable(f"No request of {path} is plainly invalid.")
        why = f"Command {path} was not answered when it was invoked with a valid request."
        raise _why_not(evidence, why, required=evidence.expectations.command(path).required)
    again = [(n, r) for n, r in evidence.returns[path] if r.purpose == "again" and n > returns[-1][0]]
    failed = next((r.error for _, r in [*again[-1:], *returns] if service_failed(r.error, r.error_code)), "")
    if failed:
        raise Blocked(f"Command {path} could not be invoked: {failed}")
    if (not again and evidence.lost is not None) or (again and again[-1][1].status is None):
        numbers = [n for n, _ in returns]
        since = max((at for at in evidence.commands_sent.get(path, []) if at < numbers[0]), default=numbers[0])
        yield _dead(evidence, requirements.DIRECT_METHODS, path, since, numbers, "an invalid request")
        return returns[-1][0]
    if not again:
        raise Blocked(f"The run ended before command {path} was invoked with a valid request again.")
    yield from _not_answered(path, returns)
    if capability.request is not None:
        yield from _carried_out(path, returns)
    return again[-1][0]


def _not_answered(path: str, returns: list[tuple[int, ev.CommandReturned]]) -> Iterator[Finding]:
    unanswered = [(n, r) for n, r in returns if r.status is None]
    if unanswered:
        n, answer = unanswered[0]
        yield finding(
            requirements.DIRECT_METHODS,
            "invalid-request-not-answered",
            f"Command {path} got no answer to an invalid request, so its caller waits for the time-out.",
            severity=Severity.WARNING,
            element=path,
            expected="an error status, by convention 400",
            actual=f"{answer.error_code or 'no code'} after {answer.seconds:.0f} s",
            events=(n,),
            remedy="Catch what reading a request may raise, and answer with status 400.",
        )


def _carried_out(path: str, returns: list[tuple[int, ev.CommandReturned]]) -> Iterator[Finding]:
    accepted = [(n, r) for n, r in returns if r.status is not None and r.status < REJECTED]
    if accepted:
        yield finding(
            requirements.DIRECT_METHODS,
            "invalid-request-accepted",
            f"Command {path} took {len(accepted)} of {len(returns)} requests that do not fit its schema.",
            severity=Severity.WARNING,
            element=path,
            expected="an error status, by convention 400",
            actual=f"{accepted[0][1].status} {shown(accepted[0][1].payload)}",
            events=tuple(n for n, _ in accepted),
            remedy="Check requests before they are carried out; answer a wrong one with status 400.",
        )


def _dead(evidence: Evidence, requirement: str, path: str, since: int, sent: list[int], what: str) -> Finding:
    gone = evidence.away_between(since, evidence.last.n if evidence.last else sent[-1])
    return finding(
        requirement,
        "dead-after-invalid-input",
        f"{path} was answered no more after {what} had been sent to it." + (how_it_ended(evidence) if gone else ""),
        element=path,
        expected="an error, and an answer to the next valid one",
        actual="no answer to the next valid one",
        events=(*sent, *((gone,) if gone else ())),
        remedy="Catch what a wrong value may raise: answer with an error (400) and go on.",
    )


def _why_not(evidence: Evidence, otherwise: str, *, required: bool) -> Blocked | NotChosen:
    if evidence.final(ev.ExerciseEnded) is None or evidence.final(ev.RunInterrupted):
        return Blocked("The run ended before anything invalid was sent.")
    if evidence.lost is not None:
        return Blocked(lost(evidence, "anything invalid was sent"))
    return Blocked(otherwise) if required else NotChosen(otherwise + NOT_REQUIRED)
