"""MQTT over WebSockets: a `Wire` on aiohttp's WebSocket, at the path that every SDK asks for.

Paho and mqtt.js name the subprotocol `mqtt`, the C SDK `MQTT`, and each wants its own spelling back. Embedded C
may add `?iothub-no-client-cert=true`, which changes nothing here. The upgrade authorises nobody: that is the
business of CONNECT.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSMsgType, web

from harness.emulator.context import Context
from harness.emulator.shell.mqtt import limits
from harness.emulator.shell.no_amqp import RULE as AMQP
from harness.emulator.shell.peers import peer_chain
from harness.emulator.shell.reading import header
from harness.mqtt import Application, Peer, RemoteError, ServerSession
from harness.record.events import ProtocolViolation

PATH = "/$iothub/websocket"
_SLACK = 64 * 1024
"""A message may carry more than one packet."""
_MAX_UNSENT = 8 * 1024 * 1024
"""Bytes a client may leave unread before it is cut off."""
_CLOSE_SECONDS = 5.0
"""How long a closed connection may take to read the rest."""


class WebSockets:
    """The handler of `PATH`, and the connections it serves."""

    def __init__(self, context: Context, application: Application) -> None:
        self.connections: set[WebSocketWire] = set()
        self._context = context
        self._application = application
        self._limits = limits(context)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Upgrade, then serve one MQTT connection to its end."""
        socket = web.WebSocketResponse(
            protocols=(self._subprotocol(request),),
            compress=False,
            max_msg_size=self._limits.packet + _SLACK,
            timeout=_CLOSE_SECONDS,
        )
        await socket.prepare(request)
        wire = WebSocketWire(socket, request.transport)
        wire.session = ServerSession(wire, self._context.timers, self._application, _peer(request), self._limits)
        self.connections.add(wire)
        try:
            await wire.serve()
        finally:
            self.connections.discard(wire)
        return socket

    def _subprotocol(self, request: web.Request) -> str:
        asked = header(request, "Sec-WebSocket-Protocol") or ""
        for name in asked.split(","):
            if name.strip().lower() == "mqtt":
                return name.strip()
        detail = f"a WebSocket with the subprotocol {asked or 'none'} in place of mqtt"
        rule = AMQP if asked.upper().startswith("AMQP") else "websocket-subprotocol"
        self._context.emit(ProtocolViolation("", None, rule, detail, closed=True))
        raise web.HTTPBadRequest(reason="the WebSocket subprotocol must be mqtt")


class WebSocketWire:
    """One WebSocket. It is the `Wire` of its session, and moves the bytes both ways."""

    session: ServerSession

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport
        self._out: list[bytes] = []
        self._unsent = 0
        self._wake = asyncio.Event()
        self._closing = False

    async def serve(self) -> None:
        """Return when the connection is over."""
        sender = asyncio.create_task(self._send())
        reason = "the connection was closed without DISCONNECT"
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    self.session.receive(message.data)
                else:
                    self.session.fail(RemoteError("websocket-text", "a WebSocket message that is not binary"))
        except ConnectionError as error:
            reason = f"the network failed: {error}"
        finally:
            self.session.lost(reason)
            if self._closing:
                await asyncio.wait([sender], timeout=_CLOSE_SECONDS)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender

    def shut(self, reason: str) -> None:
        """Close from the service's side."""
        self.session.close(reason)
        self.abort()

    # --- harness.mqtt.Wire ---------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        self._out.append(data)
        self._unsent += len(data)
        self._wake.set()
        if self._unsent > _MAX_UNSENT:
            self.abort()
            self.session.lost("the client does not read what it is sent")

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        self._closing = True
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    # --- inside --------------------------------------------------------------------------------------

    async def _send(self) -> None:
        # What a batch of packets is answered with leaves as one message.
        while True:
            await self._wake.wait()
            self._wake.clear()
            data, closing = b"".join(self._out), self._closing
            self._out.clear()
            self._unsent = 0
            if data:
                await self._socket.send_bytes(data)
            if closing:
                await self._socket.close()
                return


def _peer(request: web.Request) -> Peer:
    address = request.get_extra_info("peername") or ("", 0)
    tls_version = request.get_extra_info("tls_version") or ""
    return Peer(f"{address[0]}:{address[1]}", "mqtt-ws", tls_version, peer_chain(request))
