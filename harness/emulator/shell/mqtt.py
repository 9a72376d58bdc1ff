"""The MQTT listener: sockets and TLS on one side, `harness.mqtt.ServerSession` on the other.

asyncio's Protocol, not streams, for speed. What the session writes while it is being fed is gathered and
leaves as one TLS write. A WebSocket listener is another class with the same two ends: it feeds a session and
is its `Wire`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from harness.emulator.context import Context, logger
from harness.emulator.shell.tls import TlsClosed, TlsFailed, TlsSession
from harness.mqtt import Application, Limits, Peer, ServerSession
from harness.record.events import HandshakeFailed

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_SOCKET_BUFFER = 64 * 1024
_LINGER_SECONDS = 5.0
"""How long a closed connection may take to read the rest."""
_MAX_UNSENT = 8 * 1024 * 1024
"""Bytes a client may leave unread before it is cut off."""


class MqttListener:
    """Everything the connections of one listener share."""

    def __init__(self, context: Context, application: Application, tls: Callable[[str], ssl.SSLContext]) -> None:
        """`tls` picks the TLS context for a peer's address: a bad certificate on order is another context."""
        self.context = context
        self.application = application
        self.tls = tls
        options = context.options
        self.limits = Limits(connect_seconds=options.handshake_seconds, keep_alive=options.keep_alive_cap)
        self.connections: set[MqttConnection] = set()
        # The selector loops and uvloop read into the buffer and hand it over before they touch another
        # connection, so one buffer serves all. The proactor of Windows reads ahead and needs one for each.
        self.shared: memoryview | None = None
        if "Proactor" not in type(asyncio.get_running_loop()).__name__:
            self.shared = memoryview(bytearray(_SOCKET_BUFFER))

    def new_connection(self) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection, for `loop.create_server`."""
        if len(self.connections) >= self.context.options.max_connections:
            return _Refused()
        return MqttConnection(self)

    def close(self) -> None:
        """Drop every connection at once."""
        for connection in list(self.connections):
            connection.shut("the emulator was stopped")


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


class MqttConnection(asyncio.BufferedProtocol):
    """One socket. It is the `Wire` of its session."""

    __slots__ = (
        "_buffer",
        "_closing",
        "_feeding",
        "_listener",
        "_out",
        "_session",
        "_socket",
        "_timer",
        "_tls",
        "_transport",
        "peer",
    )

    _transport: asyncio.Transport
    _tls: TlsSession

    def __init__(self, listener: MqttListener) -> None:
        self._listener = listener
        self._buffer = listener.shared or memoryview(bytearray(_SOCKET_BUFFER // 4))
        self._session: ServerSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._out: list[bytes] = []
        self._feeding = False
        self._closing = False
        self.peer = ""

    # --- asyncio.BufferedProtocol --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport = transport
        address = transport.get_extra_info("peername") or ("", 0)
        self.peer = f"{address[0]}:{address[1]}"
        self._socket = transport.get_extra_info("socket")
        self._listener.connections.add(self)
        self._tls = TlsSession(self._listener.tls(self.peer))
        seconds = self._listener.limits.connect_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._too_slow, seconds)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._closing:
            return
        self._tls.feed(self._buffer[:nbytes])
        self._feeding = True
        try:
            self._pump()
        except TlsFailed as error:
            self._tls_failed(str(error))
        except TlsClosed:
            self._end("the connection was closed without DISCONNECT")
        except Exception as error:
            # A fault of ours must cost this connection only.
            logger.exception("connection %s", self.peer)
            self._end(f"the emulator failed: {type(error).__name__}")
        finally:
            self._feeding = False
        if not self._flush():
            self._acknowledge_now()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.connections.discard(self)
        self._cancel_timer()
        reason = f"the network failed: {exc}" if exc else "the connection was closed without DISCONNECT"
        if not self._closing:
            self._closing = True
            if not self._tls.established:
                self._handshake_failed("the client closed the connection before TLS was agreed")
        # Without a cycle, thousands of connections are freed as they close and not when the collector comes by.
        session, self._session = self._session, None
        if session is not None:
            session.lost(reason)

    def pause_writing(self) -> None:
        # A client that does not read is not read from either.
        if not self._closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._closing:
            self._transport.resume_reading()

    # --- harness.mqtt.Wire ---------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        self._out.append(data)
        if not self._feeding:
            self._flush()

    def close(self) -> None:
        if not self._closing:
            self._flush()
            self._closing = True
            self._tls.goodbye()
            self._transport.write(self._tls.pending())
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._transport.abort)

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def shut(self, reason: str) -> None:
        """Close from the service's side."""
        if self._session is not None:
            self._session.close(reason)
        self.abort()

    # --- inside --------------------------------------------------------------------------------------

    def _pump(self) -> None:
        tls = self._tls
        if not tls.established:
            if not tls.handshake():
                return
            self._open_session()
        session = self._session
        assert session is not None
        while not self._closing:
            data = tls.read()
            if not data:
                return
            session.receive(data)

    def _open_session(self) -> None:
        self._cancel_timer()
        listener = self._listener
        peer = Peer(self.peer, "mqtt", self._tls.version, self._tls.peer_certificate)
        self._session = ServerSession(self, listener.context.timers, listener.application, peer, listener.limits)

    def _flush(self) -> bool:
        """Send what was written; whether there was anything."""
        if self._closing:
            return True
        if self._out:
            data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            try:
                self._tls.write(data)
            except TlsFailed as error:
                self._end(str(error))
                return True
        data = self._tls.pending()
        if not data:
            return False
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self._end("the client does not read what it is sent")
        return True

    def _acknowledge_now(self) -> None:
        # Devices leave Nagle's algorithm on: a PUBACK that gets no answer would hold back their next packet until
        # this side's delayed acknowledgement, 40 ms later.
        if _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _end(self, reason: str) -> None:
        self.abort()
        if self._session is not None:
            self._session.lost(reason)

    def _tls_failed(self, reason: str) -> None:
        if not self._tls.established:
            self._transport.write(self._tls.pending())  # the alert tells the client what is wrong
            self._closing = True
            self._transport.close()
            self._handshake_failed(reason)
        else:
            self._end(reason)

    def _handshake_failed(self, reason: str) -> None:
        self._listener.context.emit(HandshakeFailed(self.peer, reason))

    def _too_slow(self, seconds: float) -> None:
        if not self._tls.established:
            self._handshake_failed(f"no TLS handshake within {seconds:g} s")
            self.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
