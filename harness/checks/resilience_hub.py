"""Resilience towards the hub: it cuts the connection, is busy, and closes what is silent.

The bounds are in `harness.checks.bounds`, each with its reason.
"""

from __future__ import annotations

from typing import Any

from harness.checks import bounds, requirements
from harness.checks import trials as t
from harness.checks.commands import NO_HANDLER
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotObservable, finding
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Finding, Severity

_BACK_OFF = "Microsoft's guidance on device reconnections: exponential back-off with jitter"


@t.trial_check(requirements.RESILIENCE, t.HUB_CUT)
def reconnects_after_cut(evidence: Evidence) -> Findings:
    """The hub drops the connection: the device is back soon, by itself, and goes on."""
    tried = t.tried(evidence, t.HUB_CUT)
    cut = t.dropped(tried.evidence)
    if cut is None:
        raise Blocked("The device was not connected when its connection was to be cut.")
    first = next((entry for entry, _ in t.attempts(tried.evidence) if entry.n > cut.n), None)
    back = t.accepted_after(tried.evidence, cut.n)
    if first is None or back is None:
        yield _finding(
            "never-reconnects",
            f"The hub dropped the connection, and the device did not come back.{tried.ended}",
            expected=f"a CONNECT within {bounds.FIRST_RECONNECT:.0f} s, in service within {bounds.IN_SERVICE:.0f} s",
            actual=f"{'no CONNECT' if first is None else 'no accepted CONNECT'} in {tried.seconds:.0f} s",
            events=(cut.n, *tried.last(ev.HubConnected, ev.RegistrationRequested)),
            remedy="Reconnect when the connection is lost, after a short random wait, and go on trying.",
        )
        return tried.n
    if first.t - cut.t > bounds.FIRST_RECONNECT:
        yield _finding(
            "reconnects-late",
            f"The hub dropped the connection, and the device first tried to reconnect after {first.t - cut.t:.0f} s.",
            expected=f"a CONNECT within {bounds.FIRST_RECONNECT:.0f} s",
            actual=f"after {first.t - cut.t:.1f} s",
            events=(cut.n, first.n),
            remedy="Try at once, or after a few seconds; the wait grows only when that fails.",
        )
    registered = t.registered_after(tried.evidence, cut.n)
    if registered is not None and registered.n < first.n:
        yield _finding(
            "reregisters-on-drop",
            "The hub dropped the connection, and the device registered with DPS before it tried the hub again.",
            severity=Severity.WARNING,
            clause=t.REPROVISION,
            expected="the same hub first",
            actual="a register request before the first CONNECT",
            events=(cut.n, registered.n, first.n),
            remedy="Keep the assigned hub and try it again; ask DPS after refusals or ten failures.",
        )
    yield from _telemetry_goes_on(tried, back[0])
    return back[0].n


def _telemetry_goes_on(tried: t.Tried, back: Entry) -> Findings:
    sent = [entry for entry in tried.evidence.entries(ev.TelemetryReceived) if entry.n > back.n]
    if len(sent) > 1 or tried.run.first(ev.TelemetryReceived) is None:
        return None
    gap, waited = t.usual_gap(tried.run, tried.name), tried.seconds_after(sent[0] if sent else back)
    unknown = gap is None or gap > waited
    if sent and (gap is None or waited <= t.TOO_LONG * gap + t.A_MOMENT):
        return None
    yield _finding(
        "telemetry-not-resumed",
        "After a reconnect "
        + (
            "one message was seen, as a client repeats by itself, and no more"
            if sent
            else "no telemetry was seen any more"
        )
        + f".{tried.ended}",
        severity=Severity.INFO if unknown else Severity.ERROR,
        expected="telemetry as before" if gap is None else f"telemetry every {gap:.1f} s, as before",
        actual=f"none in {waited:.0f} s" + (", which may be shorter than its interval" if unknown else ""),
        events=(back.n, tried.n),
        remedy="Go on sending when the connection is back; what holds the old connection must be made anew.",
    )
    return None


@t.trial_check(requirements.RESILIENCE, t.HUB_BUSY)
def stays_with_hub_when_busy(evidence: Evidence) -> Findings:
    """CONNACK 3 means that the hub is busy, not that the device has another one: DPS is not asked at once."""
    tried = t.tried(evidence, t.HUB_BUSY)
    refused = t.refused_in(tried)
    registered = t.registered_after(tried.evidence, 0)
    if registered is None:
        return refused
    failures = t.failures_before(tried, registered.n)
    if failures < bounds.FAILURES_BEFORE_DPS:
        soon = failures < bounds.TOO_SOON_FOR_DPS
        yield _finding(
            "reregisters-too-soon",
            f"The hub was busy (CONNACK 3), and the device asked DPS after {failures} failure(s).",
            severity=Severity.ERROR if soon else Severity.INFO,
            clause=t.REPROVISION,
            expected=f"the same hub again, up to {bounds.FAILURES_BEFORE_DPS} times",
            actual=f"a register request after {failures}",
            events=(refused, registered.n),
            remedy="Try the same hub again with growing waits. DPS would be overrun by a fleet whose hub is busy.",
        )
    return registered.n


@t.trial_check(requirements.RESILIENCE, t.HUB_BUSY)
def reregisters_after_ten_failures(evidence: Evidence) -> Findings:
    """A hub that cannot be reached ten times in a row may be the wrong one by now: DPS is asked."""
    tried = t.tried(evidence, t.HUB_BUSY)
    refused = t.refused_in(tried)
    registered = t.registered_after(tried.evidence, 0)
    if registered is not None:
        return registered.n
    failures = t.failures_before(tried, tried.n)
    enough = failures > bounds.FAILURES_BEFORE_DPS
    yield _finding(
        "keeps-lost-hub" if enough else "ten-failures-not-reached",
        f"The hub refused {failures} CONNECTs in a row, and the device did not ask DPS for another."
        if enough
        else f"The device tried {failures} time(s) while the hub was watched being busy; what it does after ten "
        "failures was not seen, for its waits are longer than this trial.",
        severity=Severity.WARNING if enough else Severity.INFO,
        clause=t.REPROVISION,
        expected=f"a register request after {bounds.FAILURES_BEFORE_DPS} failures in a row",
        actual="none",
        events=(refused, tried.n),
        remedy="After ten failures in a row register with DPS again: the device may have been moved to another hub.",
    )
    return tried.n


@t.trial_check(requirements.RESILIENCE, t.HUB_BUSY)
def restores_subscriptions(evidence: Evidence) -> Findings:
    """Back after an outage, the device still takes commands and desired properties, as far as it has them."""
    tried = t.tried(evidence, t.HUB_BUSY)
    back = t.back_in(tried, t.refused_in(tried))
    returned = tried.evidence.final(ev.CommandReturned)
    if returned is not None and returned[1].status is None:
        n, answer = returned
        lost = answer.error_code == NO_HANDLER
        yield _finding(
            "subscriptions-lost" if lost else "command-dead-after-reconnect",
            f"After a reconnect the device {'takes' if lost else 'answers'} no commands any more: {answer.error}"
            f"{tried.ended}",
            expected="an answer to the command, as before",
            actual=f"{answer.error_code or 'no code'} after {answer.seconds:.0f} s",
            events=(back, n),
            remedy="Subscribe again after every connect, or keep the session (clean session 0).",
        )
        return n
    after = [(n, e) for n, e in tried.evidence.of(ev.DesiredChanged) if n > back]
    if not after:
        if returned is not None:
            return returned[0]
        raise NotObservable("The device has neither a harmless command nor a writable property to show it by.")
    n, change = after[-1]
    if not change.delivered:
        yield _finding(
            "subscriptions-lost",
            "After a reconnect the device gets no changes of desired properties any more: it has not subscribed.",
            expected="a subscription to $iothub/twin/PATCH/properties/desired/#",
            actual="none",
            events=(back, n),
            remedy="Subscribe again after every connect, or keep the session (clean session 0).",
        )
    return n


@t.trial_check(requirements.RESILIENCE, t.HUB_BUSY, t.HUB_MOVED)
def no_hammering(evidence: Evidence) -> Findings:
    """However services fail, the device never connects more than 60 times in 10 s."""
    tried = t.tried(evidence, t.HUB_BUSY)
    most = max(
        ((*_densest(part), name) for name, part in (("the ordinary run", evidence), *evidence.trials.items())),
        key=lambda each: each[0],
    )
    count, numbers, slows_down, name = most
    if count <= bounds.MANY_CONNECTS:
        t.refused_in(tried)  # a device that never tries again shows nothing of how often it would
        t.tried(evidence, t.HUB_MOVED)
        return None
    hammers = count > bounds.CONNECTS and not slows_down
    yield _finding(
        "connect-hammering" if hammers else "many-connects",
        f"In {name} the device connected {count} times within {bounds.CONNECTS_WITHIN:.0f} s."
        " Microsoft's SDK for Node does so too: each pending operation has retries of its own.",
        severity=Severity.ERROR if hammers else Severity.INFO,
        clause=_BACK_OFF,
        expected=f"at most {bounds.CONNECTS} connections in any {bounds.CONNECTS_WITHIN:.0f} s, better a few",
        actual=f"{count} in {bounds.CONNECTS_WITHIN:.0f} s",
        events=numbers,
        remedy="Wait between two tries, longer from try to try, also after a refusal (CONNACK 5). On Microsoft's SDK "
        "for Node: send a message only when the one before it is through, or set a retry policy with longer waits.",
    )
    return numbers[-1]


def _densest(evidence: Evidence) -> tuple[int, tuple[int, int], bool]:
    """The most connections within any 10 s, the first and last entry of them, and whether they become fewer."""
    connects = evidence.entries(ev.HubConnected, ev.ProvisioningConnected, ev.HandshakeFailed)
    most: list[Entry] = []
    first = 0
    for last, entry in enumerate(connects):
        while entry.t - connects[first].t >= bounds.CONNECTS_WITHIN:
            first += 1
        if last - first + 1 > len(most):
            most = connects[first : last + 1]
    if not most:
        return 0, (0, 0), True
    middle = (most[0].t + most[-1].t) / 2
    earlier = sum(entry.t < middle for entry in most)
    later = len(most) - earlier
    return len(most), (most[0].n, most[-1].n), later <= min(bounds.SLOWER * earlier, bounds.CONNECTS)


@t.trial_check(requirements.RESILIENCE, t.KEEP_ALIVE)
def keeps_alive(evidence: Evidence) -> Findings:
    """The device sends something within the keep-alive that it promised at CONNECT."""
    if not evidence.shows("wire"):
        raise NotObservable("Azure shows no CONNECT and no packets; the local target does (--target local).")
    connected = evidence.connected
    assert connected is not None  # stage 2
    n, promised = connected
    for part in (evidence, *evidence.trials.values()):
        for at, event in part.of(ev.HubDisconnected):
            if "keep-alive" in event.reason:
                yield _finding(
                    "keep-alive-missed",
                    f"The hub closed the connection: {event.reason}. The device had promised a sign of life every "
                    f"{promised.keep_alive} s.",
                    expected=f"a packet within {1.5 * promised.keep_alive:g} s, PINGREQ where there is nothing to say",
                    actual="silence",
                    events=(n, at),
                    remedy="Let the MQTT client's loop run: it sends PINGREQ by itself. Do not block it.",
                )
                return at
    if 0 < promised.keep_alive <= bounds.QUIET_WATCH:
        _must_have_been_connected(t.tried(evidence, t.KEEP_ALIVE))
    if promised.keep_alive == 0 or promised.keep_alive > bounds.LONGEST_KEEP_ALIVE:
        yield _finding(
            "keep-alive-useless",
            f"The device promises a keep-alive of {promised.keep_alive} s (0 is none).",
            severity=Severity.WARNING,
            expected=f"1 to {bounds.LONGEST_KEEP_ALIVE} s; Microsoft's SDKs use 60 to 300 s",
            actual=f"{promised.keep_alive} s",
            events=(n,),
            remedy="Choose a few minutes at most. Otherwise neither side notices that the other is gone.",
        )
    elif promised.keep_alive > bounds.QUIET_WATCH:
        yield _finding(
            "keep-alive-not-seen",
            f"The device promises a keep-alive of {promised.keep_alive} s, which is longer than this run watches for "
            "it. None of its connections was closed for silence.",
            severity=Severity.INFO,
            expected=f"a packet within {1.5 * promised.keep_alive:g} s",
            actual="nothing wrong was seen",
            events=(n,),
            remedy="Leave the device connected and quiet for a while to see its pings.",
        )
    return n


def _must_have_been_connected(tried: t.Tried) -> None:
    """Raise Blocked where the device was not there while its keep-alive was watched."""
    gone = tried.evidence.final(ev.HubDisconnected)
    if tried.ended or (gone is not None and t.accepted_after(tried.evidence, gone[0]) is None):
        raise Blocked(f"The device lost its connection while its keep-alive was watched.{tried.ended}")


def _finding(code: str, message: str, **fields: Any) -> Finding:
    return finding(requirements.RESILIENCE, code, message, **fields)
