"""Resilience towards DPS: it is busy, it fails, it goes away, it is another one.

The bounds are in `harness.checks.bounds`, each with its reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.checks import bounds, requirements
from harness.checks import trials as t
from harness.checks.attestation import is_challenge
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, finding
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Finding, Severity

_BUSY = 429
_GUIDANCE = "Microsoft's guidance on deploying IoT devices at scale: 429 and 5xx from DPS"
_TICK = 0.5
_TICK_TOLERANCE = 0.03
"""Seconds. Waits that are all whole ticks, as near as that, have no jitter."""


@t.trial_check(requirements.RESILIENCE, t.DPS_THROTTLED)
def honours_retry_after_on_register(evidence: Evidence) -> Findings:
    """After 429 with retry-after the next register request comes no earlier, but it comes."""
    return (yield from _honours(t.tried(evidence, t.DPS_THROTTLED), register=True))


@t.trial_check(requirements.RESILIENCE, t.DPS_THROTTLED)
def honours_retry_after_on_poll(evidence: Evidence) -> Findings:
    """The same for polls, from the second on: stock Python devices poll first after 2 s, whatever they are told."""
    return (yield from _honours(t.tried(evidence, t.DPS_THROTTLED), register=False))


class _Told(NamedTuple):
    """A request that was answered with the seconds to wait, and the request that followed it."""

    asked: Entry
    answered: Entry
    status: int
    retry_after: int
    following: Entry | None

    @property
    def expected(self) -> str:
        return f"the next request {self.retry_after} s after the answer, or a little later"


def _honours(tried: t.Tried, *, register: bool) -> Findings:
    what, code = ("register request", "register") if register else ("poll", "poll")
    told = _first_told(tried.evidence, register=register)
    if told is None:
        raise Blocked(f"The device sent no {what} in this trial.{tried.ended}")
    if told.following is None:
        yield _not_retried(tried, told, what, code)
        return tried.n
    yield from _when_retried(told, told.following, what, code)
    return told.following.n


def _first_told(evidence: Evidence, *, register: bool) -> _Told | None:
    asked = t.exchanges(evidence)
    for number, each in enumerate(asked, 1):
        answer, answered = each.answer, each.answered
        if each.register != register or answer is None or answered is None:
            continue
        if answer.status >= _BUSY and answer.retry_after is not None:
            following = asked[number].asked if number < len(asked) else None
            return _Told(each.asked, answered, answer.status, answer.retry_after, following)
    return None


def _not_retried(tried: t.Tried, told: _Told, what: str, code: str) -> Finding:
    return finding(
        requirements.RESILIENCE,
        f"{code}-not-retried",
        f"A {what} was answered with {told.status} and retry-after={told.retry_after}, and the device did not "
        f"ask again.{tried.ended}",
        clause=_GUIDANCE,
        expected=told.expected,
        actual=f"none in {tried.seconds:.0f} s",
        events=(told.asked.n, told.answered.n, tried.n),
        remedy="Repeat the request after retry-after: 429 is no failure, DPS only asks to wait.",
    )


def _when_retried(told: _Told, following: Entry, what: str, code: str) -> Iterator[Finding]:
    """What is to be said where the next request came too early or too late."""
    waited = following.t - told.answered.t
    if waited < told.retry_after - bounds.RETRY_AFTER_EARLY:
        yield finding(
            requirements.RESILIENCE,
            f"{code}-retry-after-ignored",
            f"A {what} was answered with {told.status} and retry-after={told.retry_after}, and the device asked "
            f"again after {waited:.1f} s.",
            clause=_GUIDANCE,
            expected=told.expected,
            actual=f"after {waited:.1f} s",
            events=(told.answered.n, following.n),
            remedy="Read retry-after (whole seconds) from the topic of the answer and wait that long.",
        )
    elif waited > told.retry_after + bounds.RETRY_AFTER_LATE:
        yield finding(
            requirements.RESILIENCE,
            f"{code}-retried-late",
            f"A {what} was answered with retry-after={told.retry_after}, and the device asked again after "
            f"{waited:.0f} s only.",
            severity=Severity.WARNING,
            clause=_GUIDANCE,
            expected=told.expected,
            actual=f"after {waited:.0f} s",
            events=(told.answered.n, following.n),
            remedy="Do not wait much longer than retry-after says.",
        )


@t.trial_check(requirements.RESILIENCE, t.DPS_FAILING)
def backs_off_registering(evidence: Evidence) -> Findings:
    """DPS fails and does not say for how long: the device asks again, not at once, and at best ever more slowly."""
    tried = t.tried(evidence, t.DPS_FAILING)
    requests = [x for x in t.exchanges(tried.evidence) if x.register and not (x.answer and is_challenge(x.answer))]
    failures = [x for x in requests if _is_busy(x)]
    if not failures:
        raise Blocked(f"The device sent no register request in this trial.{tried.ended}")
    if requests[-1] is failures[-1]:
        yield finding(
            requirements.RESILIENCE,
            "register-not-retried",
            f"A register request was answered with {failures[-1].answer.status}, and the device did not ask again."  # type: ignore[union-attr]
            f"{tried.ended}",
            clause=_GUIDANCE,
            expected=f"another register request within {bounds.RETRY_AFTER_LATE:.0f} s",
            actual=f"none in {tried.seconds:.0f} s",
            events=(failures[-1].asked.n, tried.n),
            remedy="Repeat the request after a wait that grows from try to try.",
        )
        return tried.n
    yield from _spacing([(x.asked, y.asked) for x, y in itertools.pairwise(requests) if _is_busy(x)])
    return requests[-1].asked.n


def _is_busy(exchange: t.Exchange) -> bool:
    return exchange.answer is not None and exchange.answer.status >= _BUSY


def _spacing(pairs: Sequence[tuple[Entry, Entry]]) -> Findings:
    """What is to be said of the times between requests that failed and those that repeat them."""
    intervals = [repeated.t - failed.t for failed, repeated in pairs]
    events = tuple(sorted({entry.n for pair in pairs for entry in pair})[:10])
    shown = ", ".join(f"{interval:.1f}" for interval in intervals)
    if min(intervals) < bounds.SMALLEST_SPACING:
        yield finding(
            requirements.RESILIENCE,
            "register-hammering",
            f"DPS answered with 503, and the device registered again after {min(intervals):.2f} s.",
            clause=_GUIDANCE,
            expected="a second at least between two requests, and more from try to try",
            actual=f"{shown} s between requests",
            events=events,
            remedy="Wait before each further try: exponential back-off with random jitter.",
        )
    elif len(intervals) > 1 and max(intervals) < 1.25 * min(intervals):
        yield finding(
            requirements.RESILIENCE,
            "back-off-fixed",
            f"Where DPS does not say how long to wait, the device always waits {intervals[0]:.1f} s: neither growth "
            "nor jitter. Microsoft's SDKs for Python and Node do the same.",
            severity=Severity.INFO,
            clause=_GUIDANCE,
            expected="waits that grow, and differ at random",
            actual=f"{shown} s between requests",
            events=events,
            remedy="A fleet should wait longer from try to try, each device for another while, lest DPS be overrun.",
        )
    elif all(abs(interval / _TICK - round(interval / _TICK)) * _TICK < _TICK_TOLERANCE for interval in intervals):
        yield finding(
            requirements.RESILIENCE,
            "back-off-without-jitter",
            f"The device waits longer from try to try, but always for the same times: {shown} s.",
            severity=Severity.INFO,
            clause=_GUIDANCE,
            expected="waits that differ at random",
            actual=f"{shown} s between requests",
            events=events,
            remedy="Add a random share to each wait, so that a fleet does not come back all at once.",
        )
    return None


@t.trial_check(requirements.RESILIENCE, t.DPS_FAILING)
def survives_poll_without_operation_id(evidence: Evidence) -> Findings:
    """A reply to a poll that lacks operationId does not stop the device."""
    tried = t.tried(evidence, t.DPS_FAILING)
    fault = t.played(tried.evidence, "poll-without-operation-id")
    if fault is None:
        raise Blocked(f"The device did not ask DPS for its assignment in this trial.{tried.ended}")
    connected = t.accepted_after(tried.evidence, fault.n)
    if connected is None:
        yield finding(
            requirements.RESILIENCE,
            "stuck-without-operation-id",
            f"The reply to a poll had no operationId, and the device went no further.{tried.ended}",
            expected="the operation id of before is used, or the device registers anew",
            actual=f"no connection to the hub in {tried.seconds:.0f} s",
            events=(fault.n, *tried.last(ev.RegistrationPolled, ev.RegistrationRequested)),
            remedy="Keep the operation id of the first answer: replies to polls need not repeat it.",
        )
        return tried.n
    return connected[0].n


@t.trial_check(requirements.RESILIENCE, t.DPS_CUT)
def survives_dps_cut(evidence: Evidence) -> Findings:
    """The connection to DPS is cut in the middle of registering: the device begins anew."""
    tried = t.tried(evidence, t.DPS_CUT)
    cut = t.played(tried.evidence, "cut")
    if cut is None:
        raise Blocked(f"The device sent no register request in this trial.{tried.ended}")
    assigned = next((entry for entry in tried.evidence.entries(ev.DeviceAssigned) if entry.n > cut.n), None)
    if assigned is None:
        yield finding(
            requirements.RESILIENCE,
            "stuck-after-dps-cut",
            f"The connection to DPS was cut while the device registered, and it never got its hub.{tried.ended}",
            expected=f"another registration within {bounds.ANSWER_PATIENCE:.0f} s",
            actual=f"none in {tried.seconds:.0f} s",
            events=(cut.n, *tried.last(ev.ProvisioningConnected, ev.RegistrationRequested)),
            remedy="Give every request a time-out. When it is over, or registering fails, begin anew after a wait.",
        )
        return tried.n
    return assigned.n


@t.trial_check(requirements.RECOMPILE, t.OTHER_SCOPE)
def provisions_into_another_scope(evidence: Evidence) -> Findings:
    """The same program, given another ID scope, provisions there: the scope is not compiled in."""
    tried = t.tried(evidence, t.OTHER_SCOPE)
    told = tried.evidence.final(ev.DeviceEnrolled)
    if told is None:
        raise Blocked(f"The device could not be given another ID scope.{tried.ended}")
    scope = told[1].id_scope
    used = [(n, e.id_scope) for n, e in tried.evidence.of(ev.ProvisioningConnected)]
    assigned = tried.evidence.final(ev.DeviceAssigned)
    if assigned and any(each.lower() == scope.lower() for _, each in used):
        return assigned[0]
    wrong = [(n, each) for n, each in used if each.lower() != scope.lower()]
    connected = t.accepted_after(tried.evidence, 0)
    if wrong:
        actual = f"it registers with {wrong[-1][1]}"
    elif connected:
        actual = "it connects to the hub without registering"
    else:
        actual = f"no registration in {tried.seconds:.0f} s"
    yield finding(
        requirements.RECOMPILE,
        "scope-not-configurable",
        f"The device was started with the ID scope {scope} in place of its first one, and did not provision there."
        f"{tried.ended}",
        expected=f"a registration in the ID scope {scope}",
        actual=actual,
        events=(told[0], *(n for n, _ in wrong[-2:]), tried.n),
        remedy="Read ID scope and endpoint from the device's configuration at each start; do not compile them in.",
    )
    return tried.n


@t.trial_check(requirements.RESILIENCE, t.RESTART)
def connects_again_after_restart(evidence: Evidence) -> Findings:
    """Stopped and started again, the device connects again."""
    tried = t.tried(evidence, t.RESTART)
    connected = t.accepted_after(tried.evidence, 0)
    if connected is None:
        yield finding(
            requirements.RESILIENCE,
            "not-back-after-restart",
            f"The device was started again and did not connect.{tried.ended}",
            expected="a connection to the hub, as at the first start",
            actual=f"none in {tried.seconds:.0f} s",
            events=tried.last(ev.ProvisioningConnected, ev.RegistrationRequested, ev.HubConnected),
            remedy="Start the device twice by hand: what it keeps from the first time must not stop the second.",
        )
        return tried.n
    registered = t.registered_after(tried.evidence, 0)
    if registered is not None and registered.n < connected[0].n:
        yield finding(
            requirements.RESILIENCE,
            "registers-at-every-boot",
            "The device asks DPS for its hub at every start.",
            severity=Severity.INFO,
            clause="Microsoft's guidance on deploying IoT devices at scale: cache the result of provisioning",
            expected="the hub of last time first, DPS when that fails",
            actual="a register request before the first connection",
            events=(registered.n, connected[0].n),
            remedy="Keep the assigned hub across restarts; a fleet that restarts together would overrun DPS.",
        )
    return connected[0].n
