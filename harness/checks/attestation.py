"""How a device proved itself to DPS, as far as the record shows it, and what is amiss where DPS did not believe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.checks.evidence import Evidence
from harness.dtdl import decode
from harness.record import events as ev

_PROOFS = {
    "symmetric-key": "the key",
    "x509": "the certificate and its private key",
    "tpm": "--endorsement-key",
}


def is_challenge(answer: ev.RegistrationAnswered) -> bool:
    """Whether this 401 is no refusal but DPS's first answer to a TPM: a key that only that TPM can open."""
    body, problems = decode(answer.payload) if answer.status == 401 else (None, ())
    return not problems and isinstance(body, Mapping) and "authenticationKey" in body


def requests(evidence: Evidence) -> list[tuple[int, ev.RegistrationRequested]]:
    """The register requests, but for those that only ask for the challenge of a TPM: SDKs put no payload into them."""
    refused = {e.request_id for _, e in evidence.of(ev.RegistrationAnswered) if e.status == 401}
    found = evidence.of(ev.RegistrationRequested)
    return [(n, e) for n, e in found if e.request_id not in refused or not _shows_tpm(e.payload)]


def to_check(evidence: Evidence) -> str:
    """What the device's owner should look at, to follow the word `check`."""
    return f"{_PROOFS[_attestation(evidence)]}, the registration id and the ID scope on the device"


def refusal(evidence: Evidence, answers: Sequence[ev.RegistrationAnswered]) -> str:
    """What DPS answered at last, in a sentence or two. `answers` are those of a status from 300 up."""
    last = answers[-1]
    code = f" ({last.error_code})" if last.error_code else ""
    if is_challenge(last):
        return (
            "DPS challenged the device's TPM, and the device never registered again with a token that is signed with "
            "the key of that challenge. Take the key into the TPM (ActivateCredential, Import) and sign with it."
        )
    if last.status == 401:
        reason = _reason(evidence)
        because = f": {reason}" if reason else ""
        return (
            f"DPS refused the registration with 401{code}{because}. The device's credentials do not match its "
            f"enrollment: check {to_check(evidence)}."
        )
    enrolled = evidence.final(ev.DeviceEnrolled)
    if last.status == 404 and enrolled and enrolled[1].registration_id.lower() != last.registration_id.lower():
        return (
            f"DPS answered the registration with 404{code}: the device used the registration id "
            f"`{last.registration_id}`, and `{enrolled[1].registration_id}` is enrolled. Set that one on the device, "
            f"or enroll the device's own with --registration-id {last.registration_id}."
        )
    return f"DPS answered the registration with {last.status}{code}."


def port(evidence: Evidence) -> int:
    """Where the device has to reach DPS: with a TPM over HTTPS, else by MQTT."""
    return 443 if _attestation(evidence) == "tpm" else 8883


def _reason(evidence: Evidence) -> str:
    """Why the last credentials did not hold; empty where nothing says so."""
    for _, connected in reversed(list(evidence.of(ev.ProvisioningConnected))):
        if connected.reason:
            return connected.reason
    requested = evidence.final(ev.RegistrationRequested)
    if requested and _shows_tpm(requested[1].payload) and _attestation(evidence) == "tpm":
        # What is compared before there is a challenge, and thus a token, is the keys that the device shows.
        return "the endorsement key of the device's TPM is not the enrolled one"
    return ""


def _attestation(evidence: Evidence) -> str:
    enrolled = evidence.final(ev.DeviceEnrolled)
    return enrolled[1].attestation if enrolled and enrolled[1].attestation in _PROOFS else "symmetric-key"


def _shows_tpm(body: bytes) -> bool:
    value, problems = decode(body)
    return not problems and isinstance(value, Mapping) and "tpm" in value
