"""X.509 attestation: an individual enrollment by the device's certificate, a group by a CA over it.

In both the subject's CN must be the registration id (concepts-x509-attestation), compared without case as
registration ids are. Certificates are DER throughout.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from harness.emulator.dps.enrollments import Credentials, Grant, Judge


def _chains() -> Any:
    # On first use: `cryptography` takes longer to import than the rest of a start.
    from harness.emulator import chains

    return chains


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Of an individual enrollment: the device shows the primary or the secondary certificate itself."""

    primary: bytes
    secondary: bytes | None = None
    kind = "x509"

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        if not credentials.chain:
            return _NONE_SHOWN
        leaf = credentials.chain[0]
        if leaf not in (self.primary, self.secondary):
            return "the client certificate is not one of the enrolled certificates"
        chains = _chains()
        try:
            _check_leaf(registration_id, leaf, judge)
        except chains.NotTrusted as error:
            return str(error)
        return None

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        first = _thumbprint(self.primary)
        return Grant("selfSigned", first, first if self.secondary is None else _thumbprint(self.secondary))

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        return _result(None, credentials.chain[0], None)


@dataclass(frozen=True, slots=True)
class SigningCertificates:
    """Of an enrollment group: one of these CAs, root or intermediate, has issued what leads to the device's."""

    primary: bytes
    secondary: bytes | None = None
    kind = "x509"

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        return _group_objection(registration_id, credentials, judge, _given(self.primary, self.secondary))

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        return _group_grant(credentials)

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        return _result(group_id, credentials.chain[0], self.primary)


@dataclass(frozen=True, slots=True)
class CertificateReferences:
    """The same with CAs that were uploaded to the DPS instance, by the names they have there."""

    primary: str
    secondary: str | None = None
    kind = "x509"

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        named = [name for name in (self.primary, self.secondary) if name]
        found = [judge.authorities[name] for name in named if name in judge.authorities]
        if not found:
            return f"the group names the CA {' and '.join(named)}, which was not uploaded"
        return _group_objection(registration_id, credentials, judge, found)

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        return _group_grant(credentials)

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        return _result(group_id, credentials.chain[0], None)


def read_certificate(data: bytes | str, *, ca: bool = False) -> bytes:
    """Return the DER of a certificate: PEM, DER, or base64 of either. Raises ValueError, also for what is no CA
    when one is wanted.
    """
    chains = _chains()
    certificate: bytes = chains.read(data)
    try:
        chains.describe(certificate)
        usable = not ca or chains.is_authority(certificate)
    except chains.NotTrusted as error:
        raise ValueError(str(error)) from None
    if not usable:
        raise ValueError("it is not of a CA: basicConstraints or keyUsage do not let it sign certificates")
    return certificate


def describe(certificate: bytes) -> dict[str, Any]:
    """Return what the service API says of a certificate (X509CertificateInfo)."""
    described: dict[str, Any] = _chains().describe(certificate)
    return described


_NONE_SHOWN = "no client certificate was shown"


def _group_objection(registration_id: str, credentials: Credentials, judge: Judge, anchors: list[bytes]) -> str | None:
    if not credentials.chain:
        return _NONE_SHOWN
    chains = _chains()
    try:
        _check_leaf(registration_id, credentials.chain[0], judge)
        chains.check_path(credentials.chain, anchors, judge.now, judge.skew)
    except chains.NotTrusted as error:
        return str(error)
    return None


def _check_leaf(registration_id: str, leaf: bytes, judge: Judge) -> None:
    """Raises NotTrusted."""
    chains = _chains()
    name = chains.common_name(leaf)
    if name.lower() != registration_id.lower():
        raise chains.NotTrusted(f"the certificate's CN is {name or 'missing'}, not the registration id")
    chains.check_dates(leaf, judge.now, judge.skew)
    if judge.require_client_usage:
        chains.check_client_usage(leaf)


def _group_grant(credentials: Credentials) -> Grant:
    leaf = _thumbprint(credentials.chain[0])
    return Grant("selfSigned", leaf, leaf)


def _thumbprint(certificate: bytes) -> str:
    return hashlib.sha1(certificate).hexdigest().upper()


def _given(*certificates: bytes | None) -> list[bytes]:
    return [one for one in certificates if one is not None]


def _result(group_id: str | None, leaf: bytes, signing: bytes | None) -> dict[str, Any]:
    """The member `x509` of a registration's state (X509RegistrationResult)."""
    chains = _chains()
    described: dict[str, Any] = {"certificateInfo": chains.describe(leaf)}
    if group_id is not None:
        described["enrollmentGroupId"] = group_id
    if signing is not None:
        described["signingCertificateInfo"] = chains.describe(signing)
    return {"x509": described}
