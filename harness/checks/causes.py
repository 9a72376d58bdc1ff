"""Why nothing after a point could be tested: one cause, in one sentence, for everything it blocks."""

from __future__ import annotations

from harness.checks.evidence import Evidence
from harness.record import events as ev

NO_MODEL = "No model is known: the device announced none and --model-id was not given."


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
    return ""


def why_not_connected(evidence: Evidence) -> str:
    """What kept the device from the hub, as far as the record shows it."""
    start = evidence.first(ev.DeviceFailedToStart)
    if start:
        return start[1].message
    assigned = evidence.first(ev.DeviceAssigned) is not None
    if evidence.first(ev.RunInterrupted):
        return f"The run was interrupted before the device {'connected' if assigned else 'registered'}."
    if not assigned:
        return _never_registered(evidence)
    return _never_connected(evidence)


def _never_registered(evidence: Evidence) -> str:
    refused = [e for _, e in evidence.of(ev.ProvisioningConnected) if e.return_code != 0]
    answers = [e for _, e in evidence.of(ev.RegistrationAnswered) if e.status >= 300]
    ended = _ended(evidence)
    if answers:
        last = answers[-1]
        code = f" ({last.error_code})" if last.error_code else ""
        return (
            f"DPS refused the registration with {last.status}{code}. The device's credentials do not match its "
            f"enrollment: check the key, the registration id and the ID scope on the device.{ended}"
            if last.status == 401
            else f"DPS answered the registration with {last.status}{code}.{ended}"
        )
    if refused:
        last_refusal = refused[-1]
        return (
            f"DPS refused the connection with CONNACK {last_refusal.return_code} ({last_refusal.reason}). Check the "
            f"key, the registration id and the ID scope on the device.{ended}"
        )
    handshakes = evidence.final(ev.HandshakeFailed)
    if handshakes:
        return (
            f"The device reached port 8883 but TLS failed ({handshakes[1].reason}). Most often the device does not "
            f"trust the CA that was printed at the start: install it on the device.{ended}"
        )
    if ended:
        return f"The device never registered with DPS.{ended}"
    return (
        f"The device never registered with DPS{_within(evidence)}. Check that it is running, that it uses the "
        "printed endpoint, and that port 8883 of this machine can be reached from it."
    )


def _never_connected(evidence: Evidence) -> str:
    refused = [e for _, e in evidence.of(ev.HubConnected) if e.return_code != 0]
    ended = _ended(evidence)
    if refused:
        last = refused[-1]
        return f"The hub refused the connection with CONNACK {last.return_code}: {last.reason}.{ended}"
    return (
        f"DeviceNotConnected: the device registered with DPS but never connected to the hub{_within(evidence)}. "
        f"Reboot the device and restart provisioning.{ended}"
    )


def _within(evidence: Evidence) -> str:
    wait = evidence.final(ev.WaitEnded)
    return f" within {wait[1].deadline:.0f} s" if wait and not wait[1].satisfied else ""


def _ended(evidence: Evidence) -> str:
    exited = evidence.final(ev.DeviceExited)
    if exited is None or exited[1].expected:
        return ""
    tail = "".join(f"\n    {line}" for line in exited[1].last_lines)
    said = f" Its last lines were:{tail}" if tail else " It printed nothing."
    return f" The device process ended early with exit code {exited[1].returncode}.{said}"
