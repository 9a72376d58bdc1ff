"""Enrollments as the service API writes them (IndividualEnrollment, EnrollmentGroup of 2021-10-01), read and made.

What a caller leaves out of an update that it could not have read (keys, certificates) stays as it is.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.emulator.dps.certificates import (
    CertificateReferences,
    ClientCertificates,
    SigningCertificates,
    describe,
    read_certificate,
)
from harness.emulator.dps.enrollments import (
    Attestation,
    Enrolled,
    GroupSymmetricKey,
    Policy,
    SymmetricKey,
)
from harness.emulator.dps.registrations import Registration
from harness.emulator.dps.requests import check_registration_id
from harness.emulator.dps.tpm import InvalidTpmKey, TpmAttestation, read_public
from harness.emulator.errors import ServiceError
from harness.emulator.tokens import is_key, new_key

ALLOCATIONS = ("hashed", "geoLatency", "static", "custom")
_KEPT = ("optionalDeviceInformation", "customAllocationDefinition")
_POLICIES = {(True, True): Policy.MIGRATE, (True, False): Policy.RESET, (False, False): Policy.NEVER}


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two kinds of enrollment: the name of its id, and what the service calls it."""

    id_member: str
    items: str
    item_type: str
    log_type: str

    @property
    def group(self) -> bool:
        return self.id_member == "enrollmentGroupId"


INDIVIDUAL = Kind("registrationId", "enrollments", "enrollment", "IndividualEnrollment")
GROUP = Kind("enrollmentGroupId", "enrollmentGroups", "enrollmentGroup", "EnrollmentGroup")


def _bad(message: str) -> ServiceError:
    return ServiceError(400004, message)


# --- reading -----------------------------------------------------------------------------------------


def read_enrollment(kind: Kind, id: str, body: Any, old: Enrolled | None, hubs: tuple[str, ...]) -> Enrolled:  # noqa: A002
    """Return the enrollment that a PUT describes. `hubs` are the linked ones. Raises ServiceError 400004."""
    if not isinstance(body, dict):
        raise _bad("the body must be a JSON object")
    if str(body.get(kind.id_member, id)).lower() != id.lower():
        raise _bad(f"{kind.id_member} differs from the address")
    check_registration_id(id)
    attestation = _attestation(kind, _object(body, "attestation"), old)
    return Enrolled(
        attestation,
        registration_id=None if kind.group else id,
        group_id=id if kind.group else None,
        device_id=None if kind.group else _text(body, "deviceId"),
        enabled=_one_of(body, "provisioningStatus", ("enabled", "disabled")) != "disabled",
        payload=None if old is None else old.payload,
        initial_twin=read_twin(body),
        policy=_policy(body),
        hubs=_hubs(body, hubs),
        allocation=_one_of(body, "allocationPolicy", ALLOCATIONS),
        edge=bool(_object(body, "capabilities").get("iotEdge")),
        other={name: body[name] for name in _KEPT if body.get(name) is not None},
    )


def _attestation(kind: Kind, document: Mapping[str, Any], old: Enrolled | None) -> Attestation:
    before = None if old is None else old.attestation
    named = document.get("type")
    if named == "symmetricKey":
        return _symmetric(kind, _object(document, "symmetricKey"), before)
    if named == "x509":
        return _x509(kind, _object(document, "x509"), before)
    if named == "tpm" and not kind.group:
        return _tpm(_object(document, "tpm"))
    allowed = "symmetricKey or x509" if kind.group else "symmetricKey, x509 or tpm"
    raise _bad(f"attestation.type must be {allowed}")


def _symmetric(kind: Kind, document: Mapping[str, Any], before: Attestation | None) -> Attestation:
    cls = GroupSymmetricKey if kind.group else SymmetricKey
    known = (before.primary, before.secondary) if isinstance(before, cls) else (new_key(), new_key())
    given = (document.get("primaryKey") or known[0], document.get("secondaryKey") or known[1])
    if not all(isinstance(key, str) and is_key(key) for key in given):
        raise _bad("a symmetric key must be base64 of 16 to 64 bytes")
    return cls(*given)


def _x509(kind: Kind, document: Mapping[str, Any], before: Attestation | None) -> Attestation:
    references = _object(document, "caReferences")
    if kind.group and references:
        primary, secondary = _text(references, "primary"), _text(references, "secondary")
        if primary is None:
            raise _bad("caReferences needs primary, the name of an uploaded CA certificate")
        return CertificateReferences(primary, secondary)
    member, cls = (
        ("signingCertificates", SigningCertificates) if kind.group else ("clientCertificates", ClientCertificates)
    )
    pair = _object(document, member)
    known = before if isinstance(before, cls) else None
    primary_der = _certificate(pair, "primary", known.primary if known else None, ca=kind.group)
    secondary_der = _certificate(pair, "secondary", known.secondary if known else None, ca=kind.group)
    if primary_der is None:
        raise _bad(f"attestation.x509.{member}.primary.certificate is missing")
    return cls(primary_der, secondary_der)


def _certificate(pair: Mapping[str, Any], which: str, known: bytes | None, *, ca: bool) -> bytes | None:
    described = _object(pair, which)
    text = described.get("certificate")
    if text is None:
        return known if described else None
    if not isinstance(text, str):
        raise _bad("a certificate must be a text: PEM, or base64 of PEM or DER")
    try:
        return read_certificate(text, ca=ca)
    except ValueError as error:
        raise _bad(f"the {which} certificate: {error}") from None


def _tpm(document: Mapping[str, Any]) -> Attestation:
    endorsement, storage = _text(document, "endorsementKey"), _text(document, "storageRootKey")
    if endorsement is None:
        raise _bad("attestation.tpm.endorsementKey is missing")
    try:
        read_public(endorsement)
        if storage is not None:
            read_public(storage)
    except InvalidTpmKey as error:
        raise _bad(str(error)) from None
    return TpmAttestation(endorsement, storage)


def read_twin(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tags` and `desired` of the member `initialTwin`. Raises ServiceError 400004."""
    twin = _object(body, "initialTwin")
    desired = _object(_object(twin, "properties"), "desired")
    return {name: dict(value) for name, value in (("tags", _object(twin, "tags")), ("desired", desired)) if value}


def _policy(body: Mapping[str, Any]) -> Policy:
    document = _object(body, "reprovisionPolicy")
    chosen = (document.get("updateHubAssignment", True), document.get("migrateDeviceData", True))
    policy = _POLICIES.get(chosen) if all(isinstance(one, bool) for one in chosen) else None
    if policy is None:
        raise _bad("reprovisionPolicy: migrateDeviceData needs updateHubAssignment; both are booleans")
    return policy


def _hubs(body: Mapping[str, Any], linked: tuple[str, ...]) -> tuple[str, ...]:
    one, several = body.get("iotHubHostName"), body.get("iotHubs")
    chosen = [one] if one else several or []
    if not isinstance(chosen, list) or not all(isinstance(host, str) for host in chosen):
        raise _bad("iotHubs must be a list of host names")
    known = {host.lower() for host in linked}
    unknown = [host for host in chosen if host.lower() not in known]
    if unknown:
        raise _bad(f"the IoT hub {unknown[0]} is not linked to this DPS; linked: {', '.join(linked)}")
    return tuple(chosen)


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _bad(f"{name} must be a JSON object")
    return value


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _bad(f"{name} must be a text")
    return value


def _one_of(body: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    value = _text(body, name)
    if value is not None and value not in allowed:
        raise _bad(f"{name} must be one of {', '.join(allowed)}")
    return value


# --- making ------------------------------------------------------------------------------------------


def enrollment_document(
    kind: Kind, enrolled: Enrolled, registration: Registration | None, *, keys: bool, allocation: str
) -> dict[str, Any]:
    """Return the enrollment as GET shows it, `keys` included or not. `allocation` is what the instance does."""
    document: dict[str, Any] = {kind.id_member: enrolled.id}
    if not kind.group:
        document |= {"deviceId": enrolled.device_id} if enrolled.device_id else {}
        document |= {"registrationState": registration.document()} if registration is not None else {}
    document["attestation"] = attestation_document(enrolled.attestation, keys=keys)
    document["capabilities"] = {"iotEdge": enrolled.edge}
    if enrolled.hubs:
        document["iotHubs"] = list(enrolled.hubs)
        if len(enrolled.hubs) == 1:
            document["iotHubHostName"] = enrolled.hubs[0]
    if enrolled.initial_twin:
        tags, desired = enrolled.initial_twin.get("tags") or {}, enrolled.initial_twin.get("desired") or {}
        document["initialTwin"] = {"tags": dict(tags), "properties": {"desired": dict(desired)}}
    update, migrate = next(key for key, policy in _POLICIES.items() if policy is enrolled.policy)
    return {
        **document,
        "etag": enrolled.etag,
        "provisioningStatus": "enabled" if enrolled.enabled else "disabled",
        "reprovisionPolicy": {"updateHubAssignment": update, "migrateDeviceData": migrate},
        "createdDateTimeUtc": enrolled.created,
        "lastUpdatedDateTimeUtc": enrolled.updated,
        "allocationPolicy": enrolled.allocation or allocation,
        **enrolled.other,
    }


def attestation_document(attestation: Attestation, *, keys: bool) -> dict[str, Any]:
    """Return the attestation mechanism; without `keys` only what is no secret and no bulk."""
    if isinstance(attestation, (SymmetricKey, GroupSymmetricKey)):
        pair = {"primaryKey": attestation.primary, "secondaryKey": attestation.secondary} if keys else {}
        return {"type": "symmetricKey", **({"symmetricKey": pair} if pair else {})}
    if isinstance(attestation, TpmAttestation):
        tpm = {"endorsementKey": attestation.endorsement}
        return {"type": "tpm", "tpm": tpm | ({"storageRootKey": attestation.storage} if attestation.storage else {})}
    if isinstance(attestation, CertificateReferences):
        named = {"primary": attestation.primary, "secondary": attestation.secondary}
        return {"type": "x509", "x509": {"caReferences": {name: one for name, one in named.items() if one}}}
    if isinstance(attestation, (ClientCertificates, SigningCertificates)):
        member = "clientCertificates" if isinstance(attestation, ClientCertificates) else "signingCertificates"
        both = {"primary": attestation.primary, "secondary": attestation.secondary}
        shown = {name: _certificate_document(one, full=keys) for name, one in both.items() if one is not None}
        return {"type": "x509", "x509": {member: shown}}
    raise TypeError(f"unknown attestation {type(attestation).__name__}")


def _certificate_document(certificate: bytes, *, full: bool) -> dict[str, Any]:
    shown = {"certificate": base64.b64encode(certificate).decode()} if full else {}
    return {**shown, "info": describe(certificate)}
