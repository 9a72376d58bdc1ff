"""Certificates of all sorts, sound and not, made on the spot. Dates are around the world's clock or the real one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

DAY = 86_400.0


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def files(self, folder: Path, *chain: Made) -> tuple[str, str]:
        """Write certificate (and chain) and key; return their paths."""
        certificate, key = folder / "client.pem", folder / "client.key"
        certificate.write_bytes(b"".join(one.pem for one in (self, *chain)))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)


def make(
    name: str,
    issuer: Made | None = None,
    *,
    ca: bool = False,
    now: float | None = None,
    begins: float = -DAY,
    ends: float = DAY,
    path_length: int | None = None,
    usage: bool | None = None,
    purpose: Any = ExtendedKeyUsageOID.CLIENT_AUTH,
    issuer_name: str | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    unreadable: bool = False,
) -> Made:
    """Make a certificate, self-signed without an issuer. `begins` and `ends` are seconds from `now`.

    `usage` False makes a CA whose keyUsage forbids signing certificates. `unreadable` gives it an alternative name of
    a kind that `cryptography` does not know. A `key` that is not given is new.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    moment = datetime.now(timezone.utc) if now is None else datetime.fromtimestamp(now, timezone.utc)
    subject = _name(name)
    if issuer_name is not None:
        issued_by = _name(issuer_name)
    else:
        issued_by = subject if issuer is None else issuer.certificate.subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + timedelta(seconds=begins))
        .not_valid_after(moment + timedelta(seconds=ends))
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    elif purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if usage is not None:
        flags = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
        )
        key_usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=usage, encipher_only=False, decipher_only=False, **flags
        )
        builder = builder.add_extension(key_usage, critical=True)
    if unreadable:
        x400_address = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3004a3023000"))
        builder = builder.add_extension(x400_address, critical=False)
    return Made(builder.sign(key if issuer is None else issuer.key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    if not common_name:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "nameless")])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
