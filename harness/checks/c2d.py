"""Cloud-to-device messages: a device that takes them acknowledges one."""

from __future__ import annotations

from harness.checks import requirements
from harness.checks.dying import lost
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotChosen, NotObservable, check, finding
from harness.checks.seeing import service_failed
from harness.record import events as ev
from harness.verdict import Finding, Severity

_TOPIC = "messages/devicebound/"


def listens(evidence: Evidence) -> bool:
    """Whether the device has subscribed to its messages, or asked for them over HTTPS or AMQP."""
    filters = (f for _, e in evidence.of(ev.Subscribed) for f, _, granted in e.filters if granted < 128)
    return any(_TOPIC in f for f in filters) or bool(evidence.of(ev.C2dDelivered))


@check(requirements.C2D, profile="standard")
def receives_c2d(evidence: Evidence) -> Findings:
    """A message to a device that takes messages is acknowledged (feedback: Success)."""
    wanted = evidence.expectations.device.c2d
    if wanted is False:
        raise NotChosen("The device takes no cloud-to-device messages, as preflight.toml (c2d = false) says.")
    sent = evidence.final(ev.C2dSent)
    if sent is None:
        return (yield from _not_sent(evidence, wanted))
    n, message = sent
    if service_failed(message.error):
        raise Blocked(f"No message could be sent to the device: {message.error}")
    if message.error:
        yield _not_queued(n, message.error)
        return n
    outcome = _outcome(evidence, message.message_id)
    if outcome is not None and outcome[1] == "Success":
        return outcome[0]
    if outcome is None and evidence.away_between(n, evidence.last.n if evidence.last else n):
        raise Blocked("The device lost its connection before it acknowledged the message.")
    if outcome is None and wanted is None and not evidence.shows("wire"):
        yield _perhaps_not_taken(n)
    else:
        yield _not_acknowledged(evidence, n, outcome)
    return n


def _not_queued(n: int, error: str) -> Finding:
    return finding(
        requirements.C2D,
        "c2d-not-sent",
        f"The service could not send a message to the device: {error}",
        expected="a message in the device's queue",
        actual=error,
        events=(n,),
        remedy="See the error; the queue of a device holds 50 messages, so purge what waits there.",
    )


def _perhaps_not_taken(n: int) -> Finding:
    return finding(
        requirements.C2D,
        "c2d-not-taken",
        "The device acknowledged no cloud-to-device message. Whether it takes any does not show in Azure; the "
        "requirement holds if they are implemented.",
        severity=Severity.INFO,
        expected="feedback Success, of a device that takes messages",
        actual="no feedback",
        events=(n,),
        remedy="State c2d = true in preflight.toml if the device takes messages; c2d = false spares the wait.",
    )


def _not_acknowledged(evidence: Evidence, n: int, outcome: tuple[int, str] | None) -> Finding:
    return finding(
        requirements.C2D,
        "c2d-not-acknowledged",
        "The device subscribed to cloud-to-device messages but did not acknowledge one."
        if evidence.shows("wire")
        else "The device takes cloud-to-device messages, as is stated, but did not acknowledge one.",
        expected="PUBACK of the message (feedback: Success)",
        actual=outcome[1] if outcome else "no acknowledgement",
        events=(n,) if outcome is None else (n, outcome[0]),
        remedy="Acknowledge every PUBLISH of QoS 1 with a PUBACK, also those to messages/devicebound.",
    )


def _not_sent(evidence: Evidence, wanted: bool | None) -> Findings:
    if evidence.final(ev.ExerciseEnded) is None or evidence.final(ev.RunInterrupted) is not None:
        raise Blocked("The run ended before a message was sent to the device.")
    if evidence.lost is not None:
        raise Blocked(lost(evidence, "a message could be sent to it"))
    if evidence.shows("wire") and listens(evidence):
        late = "The device subscribed to its messages so late that none was sent to it any more."
        raise Blocked(late) if wanted else NotObservable(late)
    yield finding(
        requirements.C2D,
        "c2d-not-subscribed",
        "The device has not subscribed to cloud-to-device messages"
        + (
            ", which it takes as preflight.toml says." if wanted else "; the requirement holds if they are implemented."
        ),
        severity=Severity.ERROR if wanted else Severity.INFO,
        expected=f"a subscription to devices/{evidence.device_id or '{device id}'}/{_TOPIC}#",
        actual="no such subscription",
        remedy="Subscribe to it right after connecting."
        if wanted
        else "If the device takes messages, subscribe right after connecting and state c2d = true in preflight.toml.",
    )
    return None


def _outcome(evidence: Evidence, message_id: str) -> tuple[int, str] | None:
    for n, settled in evidence.of(ev.C2dSettled):
        if settled.message_id == message_id:
            return n, settled.outcome
    for n, told in evidence.of(ev.C2dFeedback):
        if told.message_id == message_id:
            return n, told.status
    return None
