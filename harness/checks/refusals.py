"""A service that refused the device: which of its settings is wrong, as far as the answer and the target tell.

A device is told a code and no more. The local target also records the reason, in words (`reason`); Azure does not, and
then the catalogue's meaning of the code is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.checks import attestation
from harness.checks.cause import Cause
from harness.checks.evidence import Evidence
from harness.diagnosis import lookup
from harness.dtdl import decode
from harness.record import events as ev

_CLOCK = (
    "Set the device's clock (NTP) before it makes a token, write `se` in seconds since 1970 (UTC), and make a new "
    "token before the old one ends."
)
_CERTIFICATE = "Check the certificate and its private key: show the one that was enrolled, and see that it is valid."
_BY_REASON = (
    ("the token has expired", "token-born-expired", _CLOCK),
    ("se is not a time", "token-malformed", "Write `se` in whole seconds since 1970 (UTC)."),
    (
        "with the group's key itself",
        "group-key",
        "Derive the device's key from the group's: base64 of HMAC-SHA256(group key, registration id).",
    ),
    (
        "signature is not of",
        "wrong-key",
        "Check the key: copy it to the device again, whole and without blanks, and base64-decode it before it signs.",
    ),
    (
        "sr is not {idScope}",
        "token-scope",
        "Make the token for `{ID scope}/registrations/{registration id}`, percent-encoded, with skn=registration.",
    ),
    ("sr does not cover", "token-scope", "Make the token for `{hub host}/devices/{device id}`, percent-encoded."),
    ("sr names the host", "token-scope", "Make the token for the host of the hub that DPS assigned."),
    (
        "not a SharedAccessSignature",
        "password-no-token",
        "The password is a token made with the key, and not the key: `SharedAccessSignature sr=...&sig=...&se=...`.",
    ),
    ("user name is for the host", "wrong-hub", "Connect to the hub that DPS assigned, with its host in the user name."),
    (
        "no such device",
        "device-unknown",
        "Register with DPS again and connect as the device id it assigns; ids are case-sensitive.",
    ),
    ("certificate", "wrong-certificate", _CERTIFICATE),
    ("thumbprint", "wrong-certificate", _CERTIFICATE),
)


def headline(code: str, service: str) -> str:
    """What the catalogue says of a code, as a sentence; empty where it does not know it."""
    entry = lookup(code, service) or lookup(code)
    return f" {entry.headline}." if entry else ""


def registration_refused(evidence: Evidence) -> Cause | None:
    """The cause where DPS answered a register request with an error, or ended it without a hub; else None."""
    refused = [(n, e) for n, e in evidence.of(ev.RegistrationAnswered) if e.status >= 300]
    ended = [(n, e, ended_in(e)) for n, e in evidence.of(ev.RegistrationAnswered) if e.status == 200]
    failed = [(n, e, state) for n, e, state in ended if state.get("status") in ("failed", "disabled")]
    if failed and (not refused or failed[-1][0] > refused[-1][0]):
        n, _, state = failed[-1]
        return _ended_badly(state).with_(events=(n,))
    read = evidence.final(ev.RegistrationRead)
    if not refused and read is not None and read[1].state.get("status") in ("failed", "disabled"):
        return _ended_badly(read[1].state).with_(events=(read[0],))
    if not refused:
        return None
    events = tuple(n for n, _ in refused[-3:])
    return _refused(evidence, [e for _, e in refused]).with_(events=events)


def _refused(evidence: Evidence, answers: list[ev.RegistrationAnswered]) -> Cause:
    last = answers[-1]
    enrolled = evidence.final(ev.DeviceEnrolled)
    code = f"{last.status} ({last.error_code})" if last.error_code else str(last.status)
    if last.status == 401 and not attestation.is_challenge(last):
        reason = _reason(evidence)
        known = _by_reason(reason)
        if known:
            return Cause(known[0], f"DPS refused the registration with {code}: {reason}.", known[1])
    if last.status == 404 and enrolled and enrolled[1].registration_id.lower() != last.registration_id.lower():
        return Cause(
            "wrong-registration-id",
            attestation.refusal(evidence, answers),
            "Then start provisioning on the device again.",
        )
    if last.status == 429 or last.status >= 500:
        return Cause(
            "dps-unavailable",
            f"DPS answered the registration with {code}, and the device gave up."
            + headline(str(last.error_code or last.status), "dps"),
            "Try again after `retry-after`, or else after a growing wait with a random part.",
        )
    text = attestation.refusal(evidence, answers)
    if last.status not in (401, 404):
        text += headline(str(last.error_code or last.status), "dps")
    return Cause("not-registered", text, "Correct what is named above and start the pre-flight again.")


def _ended_badly(state: Mapping[str, Any]) -> Cause:
    if state.get("status") == "disabled":
        return Cause(
            "enrollment-disabled",
            "DPS ended the registration with the status disabled." + headline("disabled", "dps"),
            "Enable the enrollment and start provisioning on the device again.",
        )
    code, message = state.get("errorCode"), state.get("errorMessage")
    named = f" (error {code})" if code else ""
    entry = lookup(str(code), "dps")
    return Cause(
        "registration-failed",
        f"DPS ended the registration with the status failed{named}{f': {message}' if message else ''}."
        + headline(str(code), "dps"),
        entry.maker if entry else "Look at the allocation policy of the enrollment.",
    )


def ended_in(answer: ev.RegistrationAnswered) -> Mapping[str, Any]:
    """The registration's state in an answer of DPS, with the operation's `status`; empty where it has none."""
    body, problems = decode(answer.payload)
    if problems or not isinstance(body, Mapping):
        return {}
    state = body.get("registrationState")
    return {**(state if isinstance(state, Mapping) else {}), **({"status": body["status"]} if "status" in body else {})}


def connection_to_dps_refused(evidence: Evidence) -> Cause | None:
    """The cause where DPS refused the CONNECT itself; else None."""
    refused = [(n, e) for n, e in evidence.of(ev.ProvisioningConnected) if e.return_code != 0]
    if not refused:
        return None
    n, last = refused[-1]
    enrolled = evidence.final(ev.DeviceEnrolled)
    said = f"DPS refused the connection with CONNACK {last.return_code}"
    if last.id_scope and enrolled and last.id_scope.lower() != enrolled[1].id_scope.lower():
        return Cause(
            "wrong-id-scope",
            f"{said}: the device used the ID scope {last.id_scope}, and the target's is {enrolled[1].id_scope}.",
            "Set that ID scope on the device; it is printed at the start, and a device process gets it anew each time.",
            events=(n,),
        )
    known = _by_reason(last.reason)
    if known:
        return Cause(known[0], f"{said} ({last.reason}).", known[1], events=(n,))
    why = f" ({last.reason})." if last.reason else "." + headline(f"CONNACK {last.return_code}", "mqtt")
    return Cause("dps-refused", said + why, f"Check {attestation.to_check(evidence)}.", events=(n,))


def connection_to_hub_refused(evidence: Evidence) -> Cause | None:
    """The cause where the hub refused the CONNECT; else None."""
    refused = [(n, e) for n, e in evidence.of(ev.HubConnected) if e.return_code != 0]
    if not refused:
        return None
    n, last = refused[-1]
    code = f" ({last.error_code})" if last.error_code else ""
    said = f"The hub refused the connection with CONNACK {last.return_code}{code}"
    if last.error_code == 403012:
        entry = lookup("403012", "hub")
        remedy = entry.maker if entry else ""
        return Cause("device-disabled", f"{said}: the device is disabled in the hub.", remedy, events=(n,))
    why = f": {last.reason}." if last.reason else "." + headline(f"CONNACK {last.return_code}", "mqtt")
    known = _by_reason(last.reason)
    if known:
        return Cause(known[0], said + why, known[1], events=(n,))
    entry = lookup(f"CONNACK {last.return_code}", "mqtt")
    return Cause("hub-refused", said + why, entry.maker if entry else "", events=(n,))


def _reason(evidence: Evidence) -> str:
    return next((e.reason for _, e in reversed(evidence.of(ev.ProvisioningConnected)) if e.reason), "")


def _by_reason(reason: str) -> tuple[str, str] | None:
    return next(((code, remedy) for words, code, remedy in _BY_REASON if words in reason), None)
