"""Names, ports, certificates and the clock, each told apart, for a host that devices or services have to reach."""

from __future__ import annotations

import asyncio
import email.utils
import os
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from harness.doctor.result import Outcome, Result, failed, ok, skipped, warning

SECONDS = 8.0
"""For a name, a connection or a handshake."""
CLOCK_FAILS, CLOCK_WARNS = 300.0, 30.0
"""Seconds: Azure takes tokens whose time is at most five minutes off."""
EXPIRES_SOON = 14
"""Days."""
_LONGEST_HEAD = 64 * 1024

_PURPOSES = {
    8883: "MQTT, as devices connect",
    443: "HTTPS and WebSockets",
    5671: "AMQP, by which messages are read",
}


@dataclass(frozen=True, slots=True)
class Host:
    """A host and its ports. `ca_path` is the PEM file its certificates are from; None is a public CA.

    `clock_port` is a port that speaks HTTPS and tells the time. `optional` are ports that one can do without.
    """

    name: str
    ports: tuple[int, ...]
    ca_path: Path | None = None
    clock_port: int | None = None
    optional: tuple[int, ...] = ()


async def look(host: Host) -> list[Result]:
    """The name, then every port with its certificate and the clock, side by side."""
    named = await _name(host.name)
    if named.outcome is Outcome.FAILED:
        rest = [skipped("port", f"{host.name}:{port}", "its name is not known") for port in host.ports]
        return [named, *rest]
    context = _context(host.ca_path)
    if isinstance(context, Result):
        return [named, context]
    work = [_port(host.name, port, context, host.ca_path) for port in host.ports]
    clock = [_clock(host.name, host.clock_port)] if host.clock_port is not None else []
    found = [result for results in await asyncio.gather(*work, *clock) for result in results]
    spared = {f"{host.name}:{port}" for port in host.optional}
    return [named, *(_spared(result) if result.subject in spared else result for result in found)]


def _spared(result: Result) -> Result:
    """What one can do without is no failure."""
    if result.outcome is not Outcome.FAILED:
        return result
    cure = f"{result.cure} Devices on MQTT (8883) need none of it; WebSockets and HTTPS do."
    return warning(result.check, result.subject, result.detail, cure)


async def _name(host: str) -> Result:
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, None, type=socket.SOCK_STREAM), SECONDS)
    except socket.gaierror as error:
        return failed(
            "name",
            host,
            f"not known ({error.strerror})",
            "Check the spelling; if it is right, whether this machine has a network and a name server that knows "
            "public names (a private endpoint has its name in a private zone).",
        )
    except UnicodeError:
        return failed("name", host, "no host name", "Check the spelling.")
    except (asyncio.TimeoutError, TimeoutError):
        return failed("name", host, f"no answer within {SECONDS:g} s", "The name server does not answer: see to it.")
    addresses = sorted({str(item[4][0]) for item in found})
    return ok("name", host, ", ".join(addresses[:4]))


def _context(ca_path: Path | None) -> ssl.SSLContext | Result:
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


async def _port(host: str, port: int, context: ssl.SSLContext, ca_path: Path | None) -> list[Result]:
    subject, purpose = f"{host}:{port}", _PURPOSES.get(port, "HTTPS")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), SECONDS)
    except (asyncio.TimeoutError, TimeoutError):
        return [failed("port", subject, f"no answer within {SECONDS:g} s ({purpose})", _opened(port))]
    except OSError as error:
        return [failed("port", subject, f"{_reason(error)} ({purpose})", _opened(port))]
    writer.transport.abort()
    return [ok("port", subject, f"open ({purpose})"), await _certificate(host, port, context, ca_path)]


def _reason(error: OSError) -> str:
    """Without the address, which asyncio puts into the text."""
    return os.strerror(error.errno) if error.errno else str(error)


def _opened(port: int) -> str:
    if port == 8883:
        return (
            "Have outgoing TCP 8883 opened in the firewall. Until then a device may use MQTT over WebSockets on 443, "
            "where its SDK can."
        )
    if port == 5671:
        return "Have outgoing TCP 5671 opened in the firewall: messages are read through it. Devices do not need it."
    return "Have it opened in the firewall; if the service is a local one, see that it runs."


async def _certificate(host: str, port: int, context: ssl.SSLContext, ca_path: Path | None) -> Result:
    subject = f"{host}:{port}"
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=context, ssl_handshake_timeout=SECONDS), SECONDS + 1
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
    certificate, version = tls.getpeercert() or {}, tls.version()
    writer.transport.abort()
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    issuer = _person(certificate.get("issuer", ()))
    detail = f"{version}, signed by {issuer}, until {_day(ends)}"
    if ends - time.time() < EXPIRES_SOON * 86400:
        return warning(
            "TLS", subject, detail, "The certificate ends soon: its owner has to renew it, or devices cannot connect."
        )
    return ok("TLS", subject, detail)


def _spoken(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return _reason(error)


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
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port, ssl=_trusting()), SECONDS)
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


async def _clock(host: str, port: int) -> list[Result]:
    """Compare this computer's clock with the service's. Its certificate is not asked for: a wrong clock refuses it."""
    try:
        date, off = await asyncio.wait_for(_date(host, port), SECONDS)
    except (OSError, ValueError, asyncio.TimeoutError, TimeoutError, asyncio.IncompleteReadError):
        return [skipped("clock", host, "the service did not tell the time")]
    amount = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} {host} ({date:%H:%M:%S} UTC)"
    cure = "Set the clock by NTP: tokens are refused when it is five minutes off, and certificates may seem invalid."
    if abs(off) >= CLOCK_FAILS:
        return [failed("clock", "this computer", amount, cure)]
    if abs(off) >= CLOCK_WARNS:
        return [warning("clock", "this computer", amount, cure)]
    return [ok("clock", "this computer", f"agrees with {host}")]


async def _date(host: str, port: int) -> tuple[datetime, float]:
    """The service's time, and by how many seconds this clock is ahead of it. Raises OSError, ValueError."""
    reader, writer = await asyncio.open_connection(host, port, ssl=_trusting(), limit=_LONGEST_HEAD)
    try:
        named = f"[{host}]" if ":" in host else host
        asked = time.time()
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n".encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError(str(error)) from None
        middle = (asked + time.time()) / 2
    finally:
        writer.transport.abort()
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "date":
            date = email.utils.parsedate_to_datetime(value.strip())
            return date, middle - date.timestamp()
    raise ValueError("no Date")


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _person(name: Sequence[Any]) -> str:
    fields = {key: value for part in name for key, value in part}
    return str(fields.get("commonName") or fields.get("organizationName") or "somebody without a name")


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d}"


def proxies(environment: Any) -> list[Result]:
    """A proxy that programs are told of. HTTPS goes through it, MQTT and AMQP do not."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    found = next((name for name in names if environment.get(name)), None)
    if found is None:
        return []
    detail = f"{found} is set: HTTPS goes through it; MQTT (8883) and AMQP (5671) do not"
    return [ok("proxy", "this computer", detail)]
