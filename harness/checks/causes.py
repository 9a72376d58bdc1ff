"""Why nothing after a point could be tested: one cause, in one sentence, for everything it blocks."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import attestation
from harness.checks.cause import Cause
from harness.checks.evidence import Evidence
from harness.checks.refusals import (
    connection_to_dps_refused,
    connection_to_hub_refused,
    registration_refused,
)
from harness.checks.tls_causes import tls_cause
from harness.record import events as ev

NO_MODEL = "No model is known: the device announced none and --model-id was not given."

_WORDS = (ev.TelemetryReceived, ev.ReportedPatched, ev.TwinRequested, ev.DeviceRequestRefused, ev.RunInterrupted)
"""What shows that a connected device does something, or that nobody waited for it."""
_REBOOT = "Reboot the device and restart provisioning."


def cause_before(evidence: Evidence, stage: int) -> str:
    """The cause that blocks checks of this stage; empty when none does.

    Stage 0 (registering) needs the target and the device to have started, stage 1 (connecting) a device
    that reached DPS or the hub, stage 2 one that connected to the hub, stage 3 its model as well.
    """
    failed = evidence.first(ev.TargetFailed)
    if failed:
        return failed[1].message
    assigned = evidence.first(ev.DeviceAssigned) is not None
    reached = evidence.connected is not None or (stage == 1 and assigned)
    if stage >= 1 and not reached:
        return why_not_connected(evidence)
    if stage >= 3 and evidence.model is None:
        rejected = evidence.final(ev.ModelRejected)
        return rejected[1].problems[0] if rejected else NO_MODEL
    mute = cause_of_silence(evidence) if stage >= 3 else None
    return mute.text if mute else ""


def cause_of_silence(evidence: Evidence) -> Cause | None:
    """The cause where the device was connected all the time and sent nothing whatever was asked of it."""
    watched, ended, connected = (
        evidence.final(ev.ObservationEnded),
        evidence.final(ev.ExerciseEnded),
        evidence.connected,
    )
    if watched is None or ended is None or connected is None:
        return None
    if evidence.lost is not None or not evidence.shows("wire"):
        return None
    if all(c.kind == "telemetry" for c in evidence.capabilities) or evidence.entries(*_WORDS):
        return None
    if any(r.status is not None for _, r in evidence.of(ev.CommandReturned)):
        return None
    listened = bool(evidence.of(ev.Subscribed))
    return Cause(
        "device-mute",
        "The device connected to the hub and then sent nothing at all: no message, no report, no request for its "
        f"twin, no answer{'' if listened else '; it subscribed to nothing either'}.",
        "See what the device does once it is connected (device.log): it subscribes to methods and desired properties, "
        "reads its twin, reports its properties and sends telemetry.",
        events=(connected[0], ended[0]),
    )


def why_not_connected(evidence: Evidence) -> str:
    """What kept the device from the hub, and what to do, as far as the record shows it."""
    return str(cause_of_no_connection(evidence))


def cause_of_no_connection(evidence: Evidence) -> Cause:
    """The same as a cause: of the furthest station that the device came to."""
    start = evidence.first(ev.DeviceFailedToStart)
    if start:
        return Cause("device-not-started", start[1].message, events=(start[0],))
    assigned = evidence.first(ev.DeviceAssigned)
    if evidence.first(ev.RunInterrupted):
        return Cause(
            "interrupted", f"The run was interrupted before the device {'connected' if assigned else 'registered'}."
        )
    cause = _never_registered(evidence) if assigned is None else _never_connected(evidence, assigned[0])
    return cause.with_(tail=_ended(evidence))


def _never_registered(evidence: Evidence) -> Cause:
    return (
        registration_refused(evidence)
        or connection_to_dps_refused(evidence)
        or _stopped_at_dps(evidence)
        or connection_to_hub_refused(evidence)
        or _before_mqtt(evidence, 0)
        or _silent(evidence)
    )


def _never_connected(evidence: Evidence, assigned: int) -> Cause:
    return (
        connection_to_hub_refused(evidence)
        or _before_mqtt(evidence, assigned)
        or Cause(
            "device-not-connected",
            f"DeviceNotConnected: the device registered with DPS but never connected to the hub{_within(evidence)}.",
            f"{_REBOOT} See that the device connects to the hub that DPS names in its answer."
            + ("" if evidence.shows("wire") else " Azure does not show attempts that were refused: see device.log."),
        )
    )


def _stopped_at_dps(evidence: Evidence) -> Cause | None:
    """A device that DPS let in, and that did not go on."""
    arrived = evidence.final(ev.ProvisioningConnected)
    if arrived is None:
        return None
    if not evidence.of(ev.RegistrationRequested):
        return Cause(
            "no-register-request",
            f"The device connected to DPS and never sent a register request{_within(evidence)}.",
            "Subscribe to `$dps/registrations/res/#`, then publish to "
            "`$dps/registrations/PUT/iotdps-register/?$rid=1`.",
            events=(arrived[0],),
        )
    answered = evidence.final(ev.RegistrationAnswered)
    if answered is None or evidence.of(ev.RegistrationPolled):
        return Cause(
            "registration-unfinished",
            f"The device registered with DPS, and the registration did not end{_within(evidence)}.",
            "Poll the operation's status until it is `assigned`, at intervals of `retry-after`.",
            events=(answered or arrived)[:1],
        )
    return Cause(
        "registration-not-polled",
        f"DPS answered the register request with {answered[1].status} (assigning), and the device never asked how it "
        "went on.",
        "Wait for `retry-after` seconds, then publish to "
        "`$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=<id of the answer>`.",
        events=(answered[0],),
    )


def _before_mqtt(evidence: Evidence, since: int) -> Cause | None:
    """A device that reached the port after entry `since`, and came to no CONNECT that could be read."""
    broken = [(n, e) for n, e in evidence.of(ev.ProtocolViolation) if n > since and not e.device_id]
    if broken:
        n, violation = broken[-1]
        if violation.rule == "unsupported-protocol":
            return Cause(
                "mqtt-version",
                f"The device was refused with CONNACK 1: {violation.detail}.",
                "Set the device's MQTT library to version 3.1.1.",
                events=(n,),
            )
        if violation.rule == "amqp":
            return Cause(
                "transport-not-mqtt",
                "The device comes by AMQP; IoT Plug and Play certification asks for MQTT.",
                "Configure the device client for MQTT on port 8883, or for MQTT over WebSockets on port 443.",
                events=(n,),
            )
        return Cause(
            "mqtt-not-understood",
            f"The device's first bytes after TLS were not a CONNECT of MQTT ({violation.detail}).",
            "Send CONNECT first, within 30 s. MQTT over WebSockets goes to port 443 and not to 8883.",
            events=(n,),
        )
    failed = [(n, e) for n, e in evidence.of(ev.HandshakeFailed) if n > since]
    return tls_cause(failed) if failed else None


def _silent(evidence: Evidence) -> Cause:
    opened = evidence.first(ev.TargetOpened)
    if opened and not evidence.shows("wire"):
        return _unseen(evidence, opened[1].endpoints)
    host = (opened[1].endpoints.get("dps") if opened else "") or "the printed endpoint"
    exited = evidence.final(ev.DeviceExited)
    if exited and not exited[1].expected:
        return Cause("device-ended", "The device never registered with DPS.")
    if _is_external(evidence):
        port = attestation.port(evidence)
        instead = ", or let the device use MQTT over WebSockets on 443" if port == 8883 else ""
        return Cause(
            "nothing-arrived",
            f"The device never registered with DPS{_within(evidence)}: nothing of it arrived at port {port} of {host}.",
            f"See that it is on and uses that endpoint; from a host in its network try `openssl s_client -connect "
            f"{host}:{port}`. If that gets no answer, a firewall blocks the port: allow {port}{instead}.",
        )
    return Cause(
        "device-silent",
        f"The device never registered with DPS{_within(evidence)}: it runs, and nothing of it arrived at {host}.",
        "See that it takes its settings from the environment (IOTHUB_DEVICE_DPS_ENDPOINT and the others), and what it "
        "wrote to device.log.",
    )


def _unseen(evidence: Evidence, endpoints: Mapping[str, str]) -> Cause:
    """DPS shows a registration that it took; one that it refused leaves no trace for a service."""
    exited = evidence.final(ev.DeviceExited)
    if exited and not exited[1].expected:
        return Cause("device-ended", "The device never registered with DPS.")
    scope, host = endpoints.get("id-scope") or "(not given)", endpoints.get("dps") or "DPS"
    return Cause(
        "device-silent",
        f"The device never registered with DPS{_within(evidence)}, as far as Azure shows: an attempt that is refused "
        "leaves nothing that a service could read.",
        f"Check that {scope} is the ID scope of this DPS instance (its page on the portal), that the device reaches "
        f"{host} on port {attestation.port(evidence)}, and what it says itself of the refusal (device.log). The local "
        "target shows every attempt (--target local).",
    )


def _is_external(evidence: Evidence) -> bool:
    started = evidence.final(ev.DeviceStarted)
    return started is not None and started[1].pid is None


def _within(evidence: Evidence) -> str:
    wait = evidence.final(ev.WaitEnded)
    return f" within {wait[1].deadline:.0f} s" if wait and not wait[1].satisfied else ""


def _ended(evidence: Evidence) -> str:
    exited = evidence.final(ev.DeviceExited)
    if exited is None or exited[1].expected:
        return ""
    tail = "".join(f"\n    {line}" for line in exited[1].last_lines)
    said = f"\nIts last lines were:{tail}" if tail else " It printed nothing."
    return f" The device process ended early with exit code {exited[1].returncode}.{said}"
