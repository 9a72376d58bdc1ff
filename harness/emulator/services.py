"""Puts the emulator's parts together on a running event loop: cores, listeners, certificates.

A further listener (WebSockets, HTTPS for DPS, AMQP) or a further hub is started here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from harness.emulator import certificates, ports
from harness.emulator.context import Context
from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.enrollments import Enrollments
from harness.emulator.hub.core import IotHub
from harness.emulator.options import EmulatorError, EmulatorOptions, Endpoints
from harness.emulator.router import Router
from harness.emulator.shell.mqtt import MqttListener
from harness.emulator.shell.timers import LoopTimers
from harness.emulator.shell.tls import server_context
from harness.record.events import Event


class Services:
    """One DPS, one hub, and what they listen on."""

    endpoints: Endpoints

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        wall: Callable[[], float],
        emit: Callable[[Event], None],
        options: EmulatorOptions,
        id_scope: str,
    ) -> None:
        self._loop = loop
        self.context = Context(LoopTimers(loop), wall, emit, options)
        self.id_scope = id_scope
        self.enrollments = Enrollments()
        self._closers: list[Callable[[], object]] = []

    async def start(self, address: str, state_dir: Path) -> Endpoints:
        """Listen. Raises EmulatorError."""
        options = self.context.options
        # First the port: it is the one thing that commonly fails, and should fail at once.
        listening = _bind(address, options.mqtt_port)
        self._closers.append(listening.close)
        host = options.host or _own_name(address)
        names = _names(address, host, options.names)
        try:
            made = certificates.ensure(state_dir, names)
        except OSError as error:
            raise EmulatorError(f"Could not keep certificates in {state_dir}: {error}.") from error
        tls = server_context(made.server)

        self.hub = IotHub(self.context, host, names)
        self.dps = ProvisioningService(self.context, self.id_scope, self.enrollments, self.hub.place)
        listener = MqttListener(self.context, Router(self.context, self.dps, [self.hub]), lambda _: tls)
        server = await self._loop.create_server(listener.new_connection, sock=listening, backlog=1024)
        self._closers += [listener.close, server.close]

        from harness.emulator.shell import rest, rest_devices

        app = rest.application(self.context, self.hub, rest_devices.routes())
        try:
            self._runner, port = await rest.serve(app, address, options.rest_port, tls)
        except OSError as error:
            raise ports.explain(error, address, options.rest_port) from error
        service_host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        key = self.hub.access.policies["iothubowner"].primary_key
        event_hub = "" if options.amqp_port is None else await self._serve_amqp(address, options.amqp_port, tls)
        self.endpoints = Endpoints(
            id_scope=self.id_scope,
            dps_host=host,
            hub_host=host,
            service_host=service_host,
            ca_path=made.ca,
            hub_connection_string=(f"HostName={service_host};SharedAccessKeyName=iothubowner;SharedAccessKey={key}"),
            event_hub_connection_string=event_hub,
        )
        return self.endpoints

    async def _serve_amqp(self, address: str, port: int, tls: ssl.SSLContext) -> str:
        """Start the Event Hubs-compatible endpoint; returns its connection string. Raises EmulatorError."""
        try:
            from harness.emulator.amqp.listener import AmqpListener
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("proton", "cproton", "cffi"):
                raise
            raise EmulatorError(
                "The Event Hubs-compatible endpoint needs the package python-qpid-proton, which is not installed. "
                "Install it with: pip install 'pnp-preflight[eventhub]'"
            ) from None
        listening = _bind(address, port)
        self._closers.append(listening.close)
        listener = AmqpListener(self.context, self.hub)
        self._closers.append(listener.close)
        return await listener.start(listening, tls)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        for close in reversed(self._closers):
            close()
        self._closers.clear()
        runner = getattr(self, "_runner", None)
        if runner is not None:
            from harness.emulator.shell import rest

            rest.drop_connections(runner)
            await runner.cleanup()
        # Turns of the loop in which the dropped transports tell their protocols: TLS, then the socket under it.
        for _ in range(3):
            await asyncio.sleep(0)


def _bind(address: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        raise EmulatorError(
            f"{address!r} is not an IP address. Give --listen an address of this machine, as 127.0.0.1."
        ) from None
    listening = socket.socket(family)
    try:
        if os.name == "posix":  # elsewhere the option means that two programs may share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise ports.explain(error, address, port) from error
    listening.setblocking(False)
    return listening


def _own_name(address: str) -> str:
    """Return the address that devices are told; for `0.0.0.0` one by which the LAN can reach this machine."""
    if not ipaddress.ip_address(address).is_unspecified:
        return address
    return next(iter(_interface_addresses()), "127.0.0.1")


def _names(address: str, host: str, further: tuple[str, ...]) -> list[str]:
    names = {"localhost", "127.0.0.1", host, *further}
    if ipaddress.ip_address(address).is_unspecified:
        names |= set(_interface_addresses())
    else:
        names.add(address)
    return sorted(names)


def _interface_addresses() -> list[str]:
    import psutil

    every = (address for addresses in psutil.net_if_addrs().values() for address in addresses)
    found = [address.address for address in every if address.family == socket.AF_INET]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]
