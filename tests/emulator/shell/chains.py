"""Certificates for devices: chains of any length, and what is wrong with some."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and those above it, nearest first and without the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[bytes, ...]:
        return tuple(one.public_bytes(Encoding.DER) for one in (self.certificate, *self.above))

    def write(self, folder: Path) -> Path:
        """Write a PEM file with key and chain."""
        file = folder / f"{self.certificate.serial_number:x}.pem"
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + b"".join(one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.above)))
        return file

    def present(self, context: ssl.SSLContext, folder: Path) -> ssl.SSLContext:
        """Let a client's context show this chain."""
        context.load_cert_chain(self.write(folder))
        return context


def issue(name: str, by: Issued | None = None, *, ca: bool = False, days: tuple[int, int] = (-1, 30)) -> Issued:
    """Issue a certificate; self-signed when nobody is named. `days` from now: valid from and until."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(by.key if by else key, hashes.SHA256())
    )
    is_root = by is not None and by.certificate.subject == by.certificate.issuer
    above = () if by is None or is_root else (by.certificate, *by.above)
    return Issued(certificate, key, above)
