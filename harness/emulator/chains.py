"""Whether a client certificate holds: the path from the device's own certificate to a CA that was enrolled.

TLS has seen to it that the client has the key; it vouches for nothing else. The path is built and checked by RFC
5280, section 6: signatures, names, dates, basic constraints, key usage. Not by `cryptography`'s ready verifiers:
they demand of a certificate what those of devices do not have, as a subject alternative name.

Importing this costs an import of `cryptography`: do it on first use.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MAX_PATH = 10
"""Certificates in a path, both ends included: what a stranger sends must not make for endless work."""
_PEM = b"-----BEGIN"

Path = tuple[x509.Certificate, ...]
"""From a device's own certificate upwards."""


class NotTrusted(Exception):
    """The certificate does not hold. The message says why, for the record."""


def read(data: bytes | str) -> bytes:
    """Return the DER of a certificate given as PEM, as DER, or as base64 of either (as the service API has it).

    Of a PEM file with several the first is taken. Raises ValueError.
    """
    raw = data.encode() if isinstance(data, str) else data
    if _PEM not in raw and not raw.startswith(b"\x30"):
        try:
            raw = base64.b64decode(b"".join(raw.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("not a certificate: neither PEM nor base64") from None
    try:
        found = x509.load_pem_x509_certificate(raw) if _PEM in raw else x509.load_der_x509_certificate(raw)
        return found.public_bytes(Encoding.DER)
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"not a certificate: {error}") from None


def is_authority(certificate: bytes) -> bool:
    """Whether it may sign certificates: basicConstraints says CA, and keyUsage, if there, keyCertSign."""
    return _may_sign(_load(certificate))


def common_name(certificate: bytes) -> str:
    """Return the subject's CN, the last if it has several; empty if it has none. Raises NotTrusted."""
    names = _load(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[-1].value) if names else ""


def check_dates(certificate: bytes, now: float, skew: float = 0.0) -> None:
    """Raises NotTrusted unless the certificate is valid at `now` (Unix seconds), give or take `skew` seconds."""
    _check_dates(_load(certificate), now, skew)


def check_client_usage(certificate: bytes) -> None:
    """Raises NotTrusted when the certificate names its extended key usages and clientAuth is not among them."""
    usages = _extension(_load(certificate), x509.ExtendedKeyUsage)
    if usages is not None and not {ExtendedKeyUsageOID.CLIENT_AUTH, _ANY_USAGE} & set(usages):
        raise NotTrusted("the certificate's extended key usage does not list clientAuth")


def check_path(chain: Sequence[bytes], anchors: Iterable[bytes], now: float, skew: float = 0.0) -> tuple[bytes, ...]:
    """Return the path from `chain[0]` to one of the anchors, both included; all DER.

    `chain` is what the client sent, its own certificate first, the others in any order and not all of use.
    Anchors may be roots or intermediates; they too must be valid now. Raises NotTrusted.
    """
    if not chain:
        raise NotTrusted("the client showed no certificate")
    leaf = _load(chain[0])
    trusted = [_load(anchor) for anchor in anchors]
    offered = [_load(one) for one in chain[1:MAX_PATH]]

    def sound(issuer: x509.Certificate, beneath: int) -> bool:
        try:
            _check_issuer(issuer, beneath, now, skew)
        except NotTrusted:
            return False
        return True

    path = _find(leaf, trusted, offered, sound) or _find(leaf, trusted, offered, lambda *_: True)
    if path is None:
        raise NotTrusted(_no_path(leaf, offered))
    _check_path(path, now, skew)  # of one that is not sound, this says why
    return tuple(one.public_bytes(Encoding.DER) for one in path)


def describe(certificate: bytes) -> dict[str, Any]:
    """Return what DPS says of a certificate (X509CertificateInfo): names, thumbprints, dates, number, version."""
    loaded = _load(certificate)
    return {
        "subjectName": loaded.subject.rfc4514_string(),
        "sha1Thumbprint": hashlib.sha1(certificate).hexdigest().upper(),
        "sha256Thumbprint": hashlib.sha256(certificate).hexdigest().upper(),
        "issuerName": loaded.issuer.rfc4514_string(),
        "notBeforeUtc": _text(loaded.not_valid_before_utc),
        "notAfterUtc": _text(loaded.not_valid_after_utc),
        "serialNumber": f"{loaded.serial_number:X}",
        "version": loaded.version.value + 1,
    }


# --- paths -------------------------------------------------------------------------------------------


def _find(
    leaf: x509.Certificate,
    trusted: Sequence[x509.Certificate],
    offered: Sequence[x509.Certificate],
    fit: Callable[[x509.Certificate, int], bool],
) -> Path | None:
    """Return a path whose signatures hold and whose issuers are `fit`, given the CAs beneath each; None if none is.

    Certificates that sign one another make factorially many paths, so each is gone on from once. Nothing is lost by
    that: the way to it with the fewest CAs comes first, and fewer are never worse (pathLenConstraint).
    """
    waiting: deque[tuple[Path, int]] = deque([((leaf,), 0)])
    done: set[x509.Certificate] = set()
    while waiting:
        path, beneath = waiting.popleft()
        last = path[-1]
        if last in done:
            continue
        done.add(last)
        for anchor in trusted:
            if _issued(last, anchor) and fit(anchor, beneath):
                return (*path, anchor)
        for one in offered:
            if one in done or not _issued(last, one) or not fit(one, beneath):
                continue
            if _counts(one):
                waiting.append(((*path, one), beneath + 1))
            else:
                waiting.appendleft(((*path, one), beneath))
    return None


def _check_path(path: Path, now: float, skew: float) -> None:
    _check_dates(path[0], now, skew)
    beneath = 0
    for issuer in path[1:]:
        _check_issuer(issuer, beneath, now, skew)
        beneath += _counts(issuer)


def _counts(certificate: x509.Certificate) -> bool:
    """Whether it counts for pathLenConstraint: a self-issued one does not (RFC 5280, 6.1.4 l)."""
    return certificate.subject != certificate.issuer


def _check_issuer(certificate: x509.Certificate, beneath: int, now: float, skew: float) -> None:
    """Raises NotTrusted unless the certificate may issue others now, with `beneath` CAs below it in the path."""
    _check_dates(certificate, now, skew)
    if not _may_sign(certificate):
        raise NotTrusted(f"{_name(certificate)} is not a CA and may not issue certificates")
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.path_length is not None and beneath > constraints.path_length:
        raise NotTrusted(f"{_name(certificate)} allows fewer CAs beneath it (pathLenConstraint)")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    return certificate.issuer == issuer.subject and _signed(certificate, issuer)


@lru_cache(maxsize=256)
def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    # Kept: a device shows the same chain with each request, and each group looks for the way to its own CA.
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def _check_dates(certificate: x509.Certificate, now: float, skew: float) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now + skew < begins.timestamp():
        raise NotTrusted(f"{_name(certificate)} is valid only from {begins:%Y-%m-%d %H:%M} UTC: check the clocks")
    if now - skew > ends.timestamp():
        raise NotTrusted(f"{_name(certificate)} expired on {ends:%Y-%m-%d %H:%M} UTC")


def _no_path(leaf: x509.Certificate, offered: Sequence[x509.Certificate]) -> str:
    issuer = leaf.issuer.rfc4514_string()
    sent = f"with {len(offered)} further certificates" if offered else "alone, without intermediate certificates"
    return f"no enrolled CA vouches for {_name(leaf)}, issued by {issuer or 'nobody'} and sent {sent}"


# --- certificates ------------------------------------------------------------------------------------

_ANY_USAGE = x509.ObjectIdentifier("2.5.29.37.0")


def _extension(certificate: x509.Certificate, kind: Any) -> Any:
    """Return an extension's value, None if there is none. Raises NotTrusted when it cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise NotTrusted(f"an extension of {_name(certificate)} cannot be read: {error}") from None


def _load(certificate: bytes) -> x509.Certificate:
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        # Names are parsed when they are first asked for: what is wrong with them comes to light here.
        _ = loaded.subject, loaded.issuer, loaded.not_valid_before_utc, loaded.not_valid_after_utc
    except (ValueError, x509.InvalidVersion) as error:
        raise NotTrusted(f"a certificate cannot be read: {error}") from None
    return loaded


def _name(certificate: x509.Certificate) -> str:
    return f"the certificate {certificate.subject.rfc4514_string() or 'without a name'}"


def _text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
