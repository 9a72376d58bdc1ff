"""Makes the CA, the server certificate and a device's own.

EC P-256: small, quick to make, and every SDK takes it. Key usages and identifiers are set in full, for Python
3.13 verifies strictly (RFC 5280).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_EARLIER = timedelta(days=1)
"""Valid from yesterday, for devices whose clock lags."""


def make_ca(days: int, common_name: str = "pnp-preflight local CA") -> dict[str, bytes]:
    """Return `ca.pem` and `ca.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    certificate = (
        _builder(name, name, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(sign=False, ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {"ca.pem": certificate.public_bytes(Encoding.PEM), "ca.key": _pem(key)}


def make_unfit_server(ca: Path, kind: str, names: Iterable[str], days: float) -> dict[str, bytes]:
    """Return a `server.pem` that no device should accept: `expired`, `wrong-name` or `unknown-ca`."""
    if kind == "expired":
        return make_server(ca, names, -_EARLIER.total_seconds() / 86_400 / 2)
    if kind == "wrong-name":
        return make_server(ca, ["wrong-name.invalid"], days)
    with TemporaryDirectory() as folder:
        for name, content in make_ca(365, "a CA that nobody knows").items():
            (Path(folder) / name).write_bytes(content)
        return make_server(Path(folder), names, days)


def make_server(ca: Path, names: Iterable[str], days: float) -> dict[str, bytes]:
    """Return `server.pem`: key, certificate and CA, for these host names and IP addresses."""
    ca_pem = (ca / "ca.pem").read_bytes()
    issuer = x509.load_pem_x509_certificate(ca_pem)
    ca_key = load_pem_private_key((ca / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(_name("pnp-preflight emulator"), issuer.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True, ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return {"server.pem": _pem(key) + certificate.public_bytes(Encoding.PEM) + ca_pem}


def make_device(common_name: str, days: float) -> dict[str, bytes]:
    """Return `certificate.pem`, `key.pem`, and `both.pem` with the two of them, of a device that shows them in TLS.

    Self-signed: DPS is told this one certificate. Raises ValueError for a name of more than 64 characters (RFC 5280,
    ub-common-name).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    certificate = (
        _builder(name, name, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True, ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, secret = certificate.public_bytes(Encoding.PEM), _pem(key)
    return {"certificate.pem": shown, "key.pem": secret, "both.pem": shown + secret}


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: float
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, sign: bool, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
