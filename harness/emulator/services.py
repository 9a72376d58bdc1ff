"""Puts the emulator's parts together on a running event loop: cores, listeners, certificates.

A further listener (WebSockets, HTTPS for DPS, AMQP) or a further hub is started here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.emulator import certificates, ports
from harness.emulator.context import Context, log_failure
from harness.emulator.dps.access import OWNER, ServiceAccess
from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.enrollments import Enrollments
from harness.emulator.faults import NO_FAULTS, Fault, Plan
from harness.emulator.faults.player import FaultPlayer
from harness.emulator.hub.core import IotHub
from harness.emulator.keeping import Keeper
from harness.emulator.options import EmulatorError, EmulatorOptions, Endpoints, PortInUse
from harness.emulator.router import Router
from harness.emulator.shell.mqtt import MqttListener
from harness.emulator.shell.timers import LoopTimers
from harness.emulator.shell.tls import ServerTls, server_context
from harness.emulator.shell.tls_faults import FaultyTls
from harness.emulator.stream import HELD, EventStream
from harness.record.events import Event

if TYPE_CHECKING:
    from aiohttp import web

    from harness.emulator.shell.dps_https import DpsRoute
    from harness.emulator.shell.https import HttpsServer
    from harness.emulator.shell.webhook import WebhookClient


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
        plan: Plan = NO_FAULTS,
    ) -> None:
        self._loop = loop
        timers = LoopTimers(loop)
        self.stream: EventStream | None = None
        if options.control_port is not None or options.keep_state:
            self.stream = EventStream(emit, timers.time, HELD if options.control_port is not None else 0)
            emit = self.stream.emit
        self.faults = FaultPlayer(timers, wall, emit, options)
        self.faults.order(plan)
        self.context = Context(timers, self.faults.now, emit, options, self.faults)
        self.id_scope = id_scope
        self.enrollments = Enrollments()
        self._closers: list[Callable[[], object]] = []
        self._device_listeners: list[MqttListener] = []
        self._https: HttpsServer | None = None
        self._runners: list[web.AppRunner] = []
        self._webhooks: WebhookClient | None = None
        self._control: web.AppRunner | None = None

    async def start(self, address: str, state_dir: Path) -> Endpoints:
        """Listen. Raises EmulatorError."""
        options = self.context.options
        # First the port: it is the one thing that commonly fails, and should fail at once.
        listening = self._listen(address, options.mqtt_port)
        host = options.host or _own_name(address)
        names = _names(address, host, options.names)
        made = self._make_certificates(state_dir, sorted({*names, *options.more_hubs}))
        tls = server_context(made.server)
        self._make_cores(state_dir, host, names)
        router = Router(self.context, self.dps, self.hubs)
        await self._serve_mqtt(listening, router)
        port = await self._serve_service_host(address, tls, made.ca)
        https_port, https_hint = await self._serve_https(address, router)
        event_hub = "" if options.amqp_port is None else await self._serve_amqp(address, options.amqp_port, tls)
        await self._refuse_amqp(address)
        more_hubs = [await self._serve_further(hub, address, tls, router) for hub in self.hubs[1:]]
        service_host = _with_port(host, port)
        self.endpoints = Endpoints(
            id_scope=self.id_scope,
            dps_host=host,
            hub_host=host,
            service_host=service_host,
            ca_path=made.ca,
            hub_connection_string=_hub_connection_string(service_host, self.hub),
            event_hub_connection_string=event_hub,
            https_port=https_port,
            https_hint=https_hint,
            dps_connection_string=_connection_string(service_host, OWNER, self.dps_access.policies[OWNER].primary_key),
            more_hub_connection_strings=tuple(more_hubs),
        )
        if options.control_port is not None:
            url = await self._serve_control(options.control_port)
            self.endpoints = dataclasses.replace(self.endpoints, control=url)
        return self.endpoints

    def _listen(self, address: str, port: int) -> socket.socket:
        """Take a port, until the end. Raises EmulatorError."""
        listening = _bind(address, port)
        self._closers.append(listening.close)
        return listening

    def _make_certificates(self, state_dir: Path, names: list[str]) -> certificates.Certificates:
        """Have certificates for these names, and the device ports' TLS with them. Raises EmulatorError."""
        try:
            made = certificates.ensure(state_dir, names)
        except OSError as error:
            raise EmulatorError(f"Could not keep certificates in {state_dir}: {error}.") from error
        self._tls = FaultyTls(
            ServerTls(made.server, self._asks_for_certificates),
            self.faults,
            lambda kind: certificates.ensure_unfit(state_dir, kind, names),
        )
        self._tls.prepare(self.faults.plan.faults)
        return made

    def _make_cores(self, state_dir: Path, host: str, names: Iterable[str]) -> None:
        """Make DPS and hubs, as they were left where the state is kept. Raises EmulatorError."""
        options = self.context.options
        keeper = Keeper(state_dir, self.context.timers, log_failure)
        kept = keeper.load() if options.keep_state else None
        self.id_scope = kept["id_scope"] if kept is not None else self.id_scope
        self.hub = IotHub(self.context, host, names)
        self.hubs = [self.hub, *(IotHub(self.context, further) for further in options.more_hubs)]
        self.dps = ProvisioningService(self.context, self.id_scope, self.enrollments, self.hubs)
        self.dps_access = ServiceAccess({host, *names}, self.context.wall, options.token_skew)
        if options.keep_state:
            keeper.restore(self, kept)
            self._closers.append(keeper.close)

    async def _serve_mqtt(self, listening: socket.socket, router: Router) -> None:
        listener = MqttListener(self.context, router, self._tls)
        self._device_listeners.append(listener)
        server = await self._loop.create_server(listener.new_connection, sock=listening, backlog=1024)
        self._closers += [listener.close, server.close]

    async def _serve_service_host(self, address: str, tls: ssl.SSLContext, ca: Path) -> int:
        """Start the host of all service APIs; returns its port. Raises EmulatorError."""
        from harness.emulator.shell import dps_https, dps_service
        from harness.emulator.shell.webhook import WebhookClient

        options = self.context.options
        self._webhooks = self.dps.webhooks.post = WebhookClient(options, ca)
        routes = [*dps_service.routes(self.dps, self.dps_access), *dps_https.routes(self.dps)]
        return await self._serve_rest(self.hub, address, options.rest_port, tls, routes)

    async def _serve_rest(
        self, hub: IotHub, address: str, port: int, tls: ssl.SSLContext, routes: Iterable[DpsRoute] = ()
    ) -> int:
        """Start the service host of a hub; returns its port. Raises EmulatorError."""
        from harness.emulator.shell import rest, rest_routes

        app = rest_routes.application(self.context, hub)
        for route in routes:
            app.router.add_route(route.method, route.path, route.handler)
        try:
            runner, taken = await rest.serve(app, address, port, tls)
        except OSError as error:
            raise ports.explain(error, address, port) from error
        self._runners.append(runner)
        return taken

    async def _serve_further(self, hub: IotHub, address: str, tls: ssl.SSLContext, router: Router) -> str:
        """Start what a further hub needs; returns its connection string. Raises EmulatorError."""
        try:
            own = ipaddress.ip_address(hub.host).compressed
        except ValueError:
            own = address
        if own != address:
            await self._serve_mqtt(self._listen(own, self.context.options.mqtt_port), router)
        port = await self._serve_rest(hub, own, 0, tls)
        return _hub_connection_string(_with_port(hub.host, port), hub)

    async def _serve_https(self, address: str, router: Router) -> tuple[int | None, str]:
        """Start WebSockets and the HTTPS APIs for devices. Returns the port, or None and why there is none."""
        port = self.context.options.https_port
        if port is None:
            return None, ""
        try:
            listening = self._listen(address, port)
        except EmulatorError as error:
            return None, ports.without_https(error, address, port)
        from harness.emulator.shell import dps_https, dps_service, rest_routes
        from harness.emulator.shell.https import HttpsServer

        self._https = HttpsServer(self.context, self._tls)
        # With the service APIs, for SDKs that cannot name a port, as Node's.
        self._https.mount(rest_routes.routes(self.hub))
        self._https.mount(dps_https.routes(self.dps))
        self._https.mount(dps_service.routes(self.dps, self.dps_access))
        self._https.mount_websockets(router)
        await self._https.start(listening)
        return int(listening.getsockname()[1]), ""

    def _asks_for_certificates(self) -> bool:
        when = self.context.options.client_certificates
        used = self.enrollments.uses_certificates or any(hub.registry.uses_certificates for hub in self.hubs)
        return when == "always" or (when == "when-used" and used)

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
        try:
            listening = self._listen(address, port)
        except PortInUse:
            raise PortInUse(
                f"Port {port} on {address}, where services look for the Event Hubs endpoint, is in use by "
                f"{ports.owner(address, port)}. Stop that program, or choose another address or AMQP port."
            ) from None
        self.amqp = AmqpListener(self.context, self.hub)
        self._closers.append(self.amqp.close)
        return await self.amqp.start(listening, tls)

    async def _refuse_amqp(self, address: str) -> None:
        port = self.context.options.amqp_refusal_port
        if port is None:
            return
        try:
            listening = self._listen(address, port)
        except EmulatorError:
            return  # it would only have made a diagnosis better
        from harness.emulator.shell.no_amqp import AmqpRefusal

        listener = AmqpRefusal(self.context, self._tls)
        server = await self._loop.create_server(listener.new_connection, sock=listening)
        self._closers += [listener.close, server.close]

    def order(self, plan: Plan) -> None:
        """Play this fault plan from now on, in place of any other. Raises EmulatorError."""
        self._tls.prepare(plan.faults)
        self.faults.order(plan)

    def order_more(self, faults: Sequence[Fault]) -> None:
        """Order these faults besides. Raises EmulatorError."""
        self._tls.prepare(faults)
        self.faults.add(faults)

    def drop_devices(self, reason: str) -> None:
        """Close every device's connection."""
        for listener in self._device_listeners:
            for connection in list(listener.connections):
                connection.shut(reason)
        if self._https is not None:
            self._https.drop(reason)

    async def _serve_control(self, port: int) -> str:
        """Start the control endpoint; returns its URL. Raises EmulatorError."""
        from harness.emulator.shell import control

        try:
            self._control, taken = await control.serve(self, port)
        except OSError as error:
            raise ports.explain(error, control.LOOPBACK, port) from error
        return f"http://{control.LOOPBACK}:{taken}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._https is not None:
            await self._https.stop()
        if self._webhooks is not None:
            await self._webhooks.close()
        for close in reversed(self._closers):
            close()
        self._closers.clear()
        if self._control is not None:
            await self._control.cleanup()
        for runner in self._runners:
            from harness.emulator.shell import rest

            rest.drop_connections(runner)
            await runner.cleanup()
        # Turns of the loop in which the dropped transports tell their protocols: TLS, then the socket under it.
        for _ in range(3):
            await asyncio.sleep(0)


def _with_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _hub_connection_string(host: str, hub: IotHub) -> str:
    return _connection_string(host, "iothubowner", hub.access.policies["iothubowner"].primary_key)


def _connection_string(host: str, policy: str, key: str) -> str:
    return f"HostName={host};SharedAccessKeyName={policy};SharedAccessKey={key}"


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
