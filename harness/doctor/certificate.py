"""The certificate that a server shows: whether devices trust it, and for how long."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from harness.doctor import reaching
from harness.doctor.result import Result, failed, ok, warning

EXPIRES_SOON = 14
"""Days."""


def trust(ca_path: Path | None) -> ssl.SSLContext | Result:
    """TLS that trusts the CAs of this PEM file, or public ones; else what is wrong with the file."""
    if ca_path is None:
        import certifi

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    try:
        return ssl.create_default_context(cafile=str(ca_path))
    except (OSError, ssl.SSLError) as error:
        reason = os.strerror(error.errno) if isinstance(error, FileNotFoundError) and error.errno else "no certificate"
        return failed("CA file", str(ca_path), reason, "Name a file with CA certificates in PEM.")


async def certificate(host: str, port: int, context: ssl.SSLContext, ca_path: Path | None) -> Result:
    """Make TLS as a device does; `context` is that of `trust`."""
    subject = f"{host}:{port}"
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=context, ssl_handshake_timeout=reaching.SECONDS),
            reaching.SECONDS + 1,
        )
    except ssl.SSLCertVerificationError as error:
        return _refused(subject, error, await _leaf(host, port), ca_path)
    except (asyncio.TimeoutError, TimeoutError, OSError) as error:
        said = "no end" if isinstance(error, (asyncio.TimeoutError, TimeoutError)) else _spoken(error)
        return failed(
            "TLS",
            subject,
            f"the handshake failed: {said}",
            "Something else than the service answers there, or a firewall or proxy breaks TLS off: let it through.",
        )
    tls: Any = writer.get_extra_info("ssl_object")
    shown, version = tls.getpeercert() or {}, tls.version()
    writer.transport.abort()
    ends = ssl.cert_time_to_seconds(shown["notAfter"])
    issuer = _person(shown.get("issuer", ()))
    detail = f"{version}, signed by {issuer}, until {_day(ends)}"
    if ends - time.time() < EXPIRES_SOON * 86400:
        return warning(
            "TLS", subject, detail, "The certificate ends soon: its owner has to renew it, or devices cannot connect."
        )
    return ok("TLS", subject, detail)


def _spoken(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return reaching.reason(error)


@dataclass(frozen=True, slots=True)
class _Leaf:
    issuer: str
    begins: datetime
    ends: datetime
    names: tuple[str, ...]


async def _leaf(host: str, port: int) -> _Leaf | None:
    """What the server shows, whether it can be trusted or not."""
    from cryptography import x509

    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=reaching.trusting()), reaching.SECONDS
        )
    except (OSError, asyncio.TimeoutError, TimeoutError):
        return None
    tls: Any = writer.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True)
    writer.transport.abort()
    try:
        found = x509.load_der_x509_certificate(der)
        issuer = found.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return _Leaf(
            str(issuer[0].value) if issuer else found.issuer.rfc4514_string(),
            found.not_valid_before_utc,
            found.not_valid_after_utc,
            _names(found),
        )
    except (ValueError, TypeError):
        return None


def _names(certificate: Any) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(str(name.value) for name in names)


def _refused(subject: str, error: ssl.SSLCertVerificationError, leaf: _Leaf | None, ca_path: Path | None) -> Result:
    """A certificate that is not accepted. Codes of OpenSSL's X509_verify_cert_error_string."""
    code = error.verify_code
    if code == 10:
        ended = f" on {leaf.ends:%Y-%m-%d}" if leaf else ""
        return failed(
            "TLS",
            subject,
            f"its certificate expired{ended}",
            "If this computer's clock is right, the owner of the service has to renew it; else set the clock.",
        )
    if code == 9:
        begins = f" before {leaf.begins:%Y-%m-%d %H:%M} UTC" if leaf else " yet"
        return failed("TLS", subject, f"its certificate is not valid{begins}", "Set this computer's clock (NTP).")
    if code in (62, 64):
        names = f", but for {', '.join(leaf.names[:4])}" if leaf and leaf.names else ""
        return failed(
            "TLS",
            subject,
            f"its certificate is not for this name{names}",
            "Use the name that the certificate has; where a proxy answers in the service's place, let TLS through.",
        )
    by = f", signed by {leaf.issuer}" if leaf else ""
    if ca_path is not None:
        cure = f"{ca_path} is not the CA of this service: name the one that is, or leave it out for a public service."
    else:
        cure = (
            "If the signer is your company's, a proxy reads TLS: have Azure's names let through, or trust its CA. If "
            "it is a local service, name its CA (--azure-ca). Else this machine's roots are old: update them "
            "(DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017 are Azure's)."
        )
    return failed("TLS", subject, f"its certificate is from a CA that is not trusted{by}", cure)


def _person(name: Sequence[Any]) -> str:
    fields = {key: value for part in name for key, value in part}
    return str(fields.get("commonName") or fields.get("organizationName") or "somebody without a name")


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d}"
