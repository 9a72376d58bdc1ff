"""Enrolling from a program: keyword arguments in, an enrollment out, with sentences for what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from harness.emulator.dps.certificates import (
    ClientCertificates,
    SigningCertificates,
    read_certificate,
)
from harness.emulator.dps.documents import ALLOCATIONS
from harness.emulator.dps.enrollments import Attestation, Enrolled, GroupSymmetricKey, Policy, SymmetricKey
from harness.emulator.dps.requests import check_registration_id
from harness.emulator.dps.tpm import TpmAttestation, read_public
from harness.emulator.dps.webhook import API_VERSION, DEFINITION
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorError
from harness.emulator.tokens import is_key, new_key

Certificate = bytes | str
"""PEM, DER, or base64 of either."""


class Terms(TypedDict, total=False):
    """What can be said of any enrollment.

    `policy` is migrate (the default), reset or never: what becomes of a device that registers again. `payload`
    goes to the device with its assignment. `initial_twin` is `{"tags": {…}, "desired": {…}}`. `hubs` are host
    names of linked hubs, `allocation` is hashed, static, geoLatency or custom. `webhook` is the URL that is asked then.
    `edge` makes it an IoT Edge device.
    """

    policy: str
    payload: Any
    initial_twin: Mapping[str, Any]
    hubs: Sequence[str]
    allocation: str
    webhook: str
    enabled: bool
    edge: bool


def individual(
    registration_id: str, attestation: Attestation, terms: Terms, linked: Sequence[str], device_id: str | None = None
) -> Enrolled:
    """Raises EmulatorError."""
    enrolled = Enrolled(attestation, registration_id=_id(registration_id), device_id=device_id)
    return _apply(enrolled, terms, linked)


def group(group_id: str, attestation: Attestation, terms: Terms, linked: Sequence[str]) -> Enrolled:
    """Raises EmulatorError."""
    return _apply(Enrolled(attestation, group_id=_id(group_id)), terms, linked)


def symmetric_key(primary: str | None, secondary: str | None, *, of_group: bool = False) -> Attestation:
    """Keys that are not given are new. Raises EmulatorError."""
    keys = (primary or new_key(), secondary or new_key())
    if not all(is_key(key) for key in keys):
        raise EmulatorError("A symmetric key is base64 of 16 to 64 bytes; leave it out to have one made.")
    return GroupSymmetricKey(*keys) if of_group else SymmetricKey(*keys)


def client_certificates(primary: Certificate, secondary: Certificate | None) -> Attestation:
    """Raises EmulatorError."""
    return ClientCertificates(*_certificates(primary, secondary, ca=False))


def signing_certificates(primary: Certificate, secondary: Certificate | None) -> Attestation:
    """Raises EmulatorError."""
    return SigningCertificates(*_certificates(primary, secondary, ca=True))


def authority(certificate: Certificate) -> bytes:
    """Read a CA certificate for upload; returns DER. Raises EmulatorError."""
    return _certificates(certificate, None, ca=True)[0]


def tpm(endorsement_key: str, storage_root_key: str | None) -> Attestation:
    """Keys are TPM2B_PUBLIC in base64. Raises EmulatorError."""
    try:
        for key in (endorsement_key, storage_root_key):
            if key is not None:
                read_public(key)
    except ValueError as error:
        raise EmulatorError(f"This is no public key of a TPM: {error}.") from None
    return TpmAttestation(endorsement_key, storage_root_key)


def _certificates(primary: Certificate, secondary: Certificate | None, *, ca: bool) -> tuple[bytes, bytes | None]:
    try:
        second = None if secondary is None else read_certificate(secondary, ca=ca)
        return read_certificate(primary, ca=ca), second
    except ValueError as error:
        raise EmulatorError(f"This certificate cannot be enrolled: {error}.") from None


def _id(text: str) -> str:
    try:
        check_registration_id(text)
    except ServiceError:
        raise EmulatorError(
            f"{text!r} is no id of an enrollment: use 1 to 128 of A-Z a-z 0-9 : . _ -, no sign first or last."
        ) from None
    return text


def _apply(enrolled: Enrolled, terms: Terms, linked: Sequence[str]) -> Enrolled:
    unknown = sorted(set(terms) - set(Terms.__annotations__))
    if unknown:
        raise TypeError(f"unknown keyword argument {unknown[0]!r}; known: {', '.join(sorted(Terms.__annotations__))}")
    policy = terms.get("policy", Policy.MIGRATE.value)
    if policy not in {one.value for one in Policy}:
        raise EmulatorError(f"{policy!r} is no re-provisioning policy: use migrate, reset or never.")
    allocation = terms.get("allocation")
    if allocation is not None and allocation not in ALLOCATIONS:
        raise EmulatorError(f"{allocation!r} is no allocation policy: use {', '.join(ALLOCATIONS)}.")
    hubs = tuple(terms.get("hubs", ()))
    foreign = [host for host in hubs if host.lower() not in {one.lower() for one in linked}]
    if foreign:
        raise EmulatorError(f"No hub {foreign[0]} is linked to this DPS; linked are {', '.join(linked)}.")
    webhook = terms.get("webhook")
    if webhook is not None:
        if allocation != "custom":
            raise EmulatorError("A webhook is asked where allocation is custom: give that too.")
        enrolled.other = {DEFINITION: {"webhookUrl": webhook, "apiVersion": API_VERSION}}
    enrolled.policy, enrolled.allocation, enrolled.hubs = Policy(policy), allocation, hubs
    enrolled.payload = terms.get("payload")
    enrolled.initial_twin = dict(terms.get("initial_twin") or {})
    enrolled.enabled, enrolled.edge = terms.get("enabled", True), terms.get("edge", False)
    return enrolled
