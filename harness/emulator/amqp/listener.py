"""The shell: TCP and TLS connections to the AMQP port, and what feeds the event hub.

asyncio's own TLS: services are few, and a service that fails its handshake is no event of the device's
record.
"""

from __future__ import annotations

import asyncio
import ssl
from socket import socket
from typing import cast

from harness.emulator.amqp.authorization import Authority
from harness.emulator.amqp.connection import AmqpConnection, Endpoint
from harness.emulator.amqp.journal import EventHub
from harness.emulator.context import Context, logger
from harness.emulator.hub.core import IotHub
from harness.record.events import TelemetryReceived

_HIGH_WATER = 256 * 1024
"""Bytes a client may leave unread before no more is encoded for it."""
_UNREAD_SECONDS = 60.0
"""How long it may leave them so."""
_LINGER_SECONDS = 5.0
_BACKLOG = 128


class AmqpListener:
    """The AMQP endpoint of one hub."""

    def __init__(self, context: Context, hub: IotHub) -> None:
        options = context.options
        self._context = context
        self._hub = hub
        self.event_hub = EventHub(
            f"iothub-ehub-{hub.host.partition('.')[0].strip('[]').replace(':', '-')}",
            int(context.wall() * 1000),
            partitions=options.event_partitions,
            max_events=options.max_events,
            max_bytes=options.max_event_bytes,
            consumer_groups=options.consumer_groups,
        )
        credentials = Authority(hub.access, hub.host, context.wall, options.token_skew)
        self._endpoint = Endpoint(context, self.event_hub, credentials, hub.c2d, hub.host)
        self._sockets: set[_Socket] = set()
        self._server: asyncio.Server | None = None
        hub.telemetry_takers.append(self._store)

    async def start(self, listening: socket, tls: ssl.SSLContext) -> str:
        """Serve on a bound socket; returns the event hub's connection string."""
        hub, endpoint = self._hub, self._endpoint
        endpoint.port = port = int(listening.getsockname()[1])
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Socket(endpoint, self._sockets),
            sock=listening,
            ssl=tls,
            ssl_handshake_timeout=self._context.options.handshake_seconds,
            backlog=_BACKLOG,
        )
        host = f"[{hub.host}]" if ":" in hub.host else hub.host
        key = hub.access.policies["iothubowner"].primary_key
        return (
            f"Endpoint=sb://{host}:{port}/;SharedAccessKeyName=iothubowner;"
            f"SharedAccessKey={key};EntityPath={self.event_hub.name}"
        )

    def close(self) -> None:
        """Stop listening and drop every connection at once."""
        if self._store in self._hub.telemetry_takers:
            self._hub.telemetry_takers.remove(self._store)
        if self._server is not None:
            self._server.close()
        for connection in list(self._sockets):
            connection.abort()

    def _store(self, message: TelemetryReceived) -> None:
        identity = self._hub.registry.find(message.device_id, message.module_id)
        generation = identity.generation_id if identity else ""
        authentication = "sas" if identity is None or identity.authentication == "sas" else "x509"
        now = int(self._context.wall() * 1000)
        self.event_hub.partition_of(message.device_id).append(message, now, generation, authentication)


class _Socket(asyncio.Protocol):
    """One socket, after its TLS handshake. It is the `Wire` of its connection."""

    _transport: asyncio.Transport
    _connection: AmqpConnection

    def __init__(self, endpoint: Endpoint, sockets: set[_Socket]) -> None:
        self._endpoint = endpoint
        self._sockets = sockets
        self._unread: asyncio.TimerHandle | None = None
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        peer = transport.get_extra_info("peername") or ("", 0)
        self._connection = AmqpConnection(self._endpoint, self, f"{peer[0]}:{peer[1]}")
        self._sockets.add(self)
        if len(self._sockets) > self._endpoint.context.options.max_connections:
            self.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._connection.receive(data)
        except Exception:
            # A fault of ours must cost this connection only.
            logger.exception("an AMQP connection failed")
            self.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._sockets.discard(self)
        self.resume_writing()
        self._connection.lost()

    def pause_writing(self) -> None:
        self.full = True
        self._unread = asyncio.get_running_loop().call_later(_UNREAD_SECONDS, self.abort)

    def resume_writing(self) -> None:
        self.full = False
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._connection.wake()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        if not self._transport.is_closing():
            self._transport.close()
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._transport.abort)

    def abort(self) -> None:
        self._transport.abort()
