"""A host that devices or services have to reach: its name, its ports, and behind each certificate and clock."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.doctor import reaching
from harness.doctor.certificate import certificate, trust
from harness.doctor.clock import clock
from harness.doctor.result import Outcome, Result, failed, ok, skipped, warning

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
    context = trust(host.ca_path)
    if isinstance(context, Result):
        return [named, context]
    work = [_port(host.name, port, context, host.ca_path) for port in host.ports]
    clocks = [clock(host.name, host.clock_port)] if host.clock_port is not None else []
    found = [result for results in await asyncio.gather(*work, *clocks) for result in results]
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
        found = await asyncio.wait_for(loop.getaddrinfo(host, None, type=socket.SOCK_STREAM), reaching.SECONDS)
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
        return failed(
            "name", host, f"no answer within {reaching.SECONDS:g} s", "The name server does not answer: see to it."
        )
    addresses = sorted({str(item[4][0]) for item in found})
    return ok("name", host, ", ".join(addresses[:4]))


async def _port(host: str, port: int, context: ssl.SSLContext, ca_path: Path | None) -> list[Result]:
    subject, purpose = f"{host}:{port}", _PURPOSES.get(port, "HTTPS")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), reaching.SECONDS)
    except (asyncio.TimeoutError, TimeoutError):
        return [failed("port", subject, f"no answer within {reaching.SECONDS:g} s ({purpose})", _opened(port))]
    except OSError as error:
        return [failed("port", subject, f"{reaching.reason(error)} ({purpose})", _opened(port))]
    writer.transport.abort()
    return [ok("port", subject, f"open ({purpose})"), await certificate(host, port, context, ca_path)]


def _opened(port: int) -> str:
    if port == 8883:
        return (
            "Have outgoing TCP 8883 opened in the firewall. Until then a device may use MQTT over WebSockets on 443, "
            "where its SDK can."
        )
    if port == 5671:
        return "Have outgoing TCP 5671 opened in the firewall: messages are read through it. Devices do not need it."
    return "Have it opened in the firewall; if the service is a local one, see that it runs."


def proxies(environment: Any) -> list[Result]:
    """A proxy that programs are told of. HTTPS goes through it, MQTT and AMQP do not."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    found = next((name for name in names if environment.get(name)), None)
    if found is None:
        return []
    detail = f"{found} is set: HTTPS goes through it; MQTT (8883) and AMQP (5671) do not"
    return [ok("proxy", "this computer", detail)]
