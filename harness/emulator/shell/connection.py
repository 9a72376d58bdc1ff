"""One TLS connection on a listening socket: what MQTT and HTTPS have in common, as asyncio protocols.

asyncio's Protocol over TLS of our own (tls.py), not its streams and not its TLS, for speed and for memory. What is
written while something is being received is gathered and leaves as one record.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from harness.emulator.context import Context, logger
from harness.emulator.shell.hello import offered_suites
from harness.emulator.shell.tls import Tls, TlsClosed, TlsFailed, TlsSource
from harness.record.events import HandshakeFailed

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_SOCKET_BUFFER = 64 * 1024
_HELLO = 2048
"""Bytes of the first segment that are kept until TLS is agreed; a ClientHello has its cipher suites near the start."""
_TAKEN = b"-"
_LINGER_SECONDS = 5.0
"""How long a closed connection may take to read the rest."""
_MAX_UNSENT = 8 * 1024 * 1024
"""Bytes a client may leave unread before it is cut off."""


class Listener:
    """Everything the connections of one listener share."""

    def __init__(self, context: Context, tls: TlsSource, connection: Callable[[], TlsConnection]) -> None:
        """`connection` makes the protocol of a new connection."""
        self.context = context
        self.tls = tls
        self.connections: set[TlsConnection] = set()
        self._make = connection
        # The selector loops read into the buffer and hand it over before they touch another
        # connection, so one buffer serves all. The proactor of Windows reads ahead and needs one for each.
        self.shared: memoryview | None = None
        if "Proactor" not in type(asyncio.get_running_loop()).__name__:
            self.shared = memoryview(bytearray(_SOCKET_BUFFER))

    def new_connection(self) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection, for `loop.create_server`."""
        if len(self.connections) >= self.context.options.max_connections:
            return _Refused()
        return self._make()

    def close(self) -> None:
        """Drop every connection at once."""
        for connection in list(self.connections):
            connection.shut("the emulator was stopped")


def _ignore(data: bytes) -> None:
    """Bytes of a connection that is over."""


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


class TlsConnection(asyncio.Protocol, asyncio.BufferedProtocol):
    """One socket. A subclass says what becomes of plain bytes: `_opened`, `_over`.

    It is both kinds of protocol, so that each loop takes the one that it is good at: uvloop hands over bytes from a
    buffer of its own, asyncio's loops read into ours.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_feeding",
        "_hello",
        "_listener",
        "_out",
        "_socket",
        "_stuffed",
        "_take",
        "_timer",
        "_tls",
        "_transport",
        "peer",
    )

    _transport: asyncio.Transport
    _tls: Tls

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._buffer = listener.shared or memoryview(bytearray(_SOCKET_BUFFER // 4))
        self._timer: asyncio.TimerHandle | None = None
        self._out: list[bytes] = []
        self._feeding = False
        self._closing = False
        self._stuffed = False
        self._hello = b""
        self._take: Callable[[bytes], None] = _ignore
        self.peer = ""
        """The other side's address and port."""

    # --- for subclasses ------------------------------------------------------------------------------

    def _opened(self) -> Callable[[bytes], None]:
        """The TLS handshake is done. Returns what takes plain bytes; what that raises costs this connection only."""
        raise NotImplementedError

    def _over(self, reason: str) -> None:
        """The connection is gone, and not because `close` or `abort` was called. May come twice."""

    def shut(self, reason: str) -> None:
        """Close from the service's side."""
        self.abort()

    # --- asyncio.BufferedProtocol --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport = transport
        address = transport.get_extra_info("peername") or ("", 0)
        self.peer = f"{address[0]}:{address[1]}"
        self._socket = transport.get_extra_info("socket")
        self._listener.connections.add(self)
        self._tls = self._listener.tls.session()
        seconds = self._listener.context.options.handshake_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._too_slow, seconds)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._buffer[:nbytes])

    # --- asyncio.Protocol ----------------------------------------------------------------------------

    def data_received(self, data: bytes | memoryview) -> None:
        if self._closing:
            return
        tls = self._tls
        if not self._hello:
            self._hello = bytes(data[:_HELLO])
        tls.feed(data)
        self._feeding = True
        try:
            if tls.established or self._shake():
                take = self._take
                while data := tls.read():
                    take(data)
                    if self._closing:
                        return
                    if tls.drained:
                        break
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
                when = "in the middle of the handshake" if self._hello else "without a word"
                self._handshake_failed(f"the client closed the connection {when}, before TLS was agreed")
        self._over(reason)
        self._take = _ignore  # or it would hold the connection in a cycle

    def pause_writing(self) -> None:
        # A client that does not read is not read from either.
        self._stuffed = True
        if not self._closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._stuffed = False
        if not self._closing:
            self._transport.resume_reading()

    # --- writing -------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send, at the latest when what was received has been dealt with. A no-op once closed."""
        if self._closing:
            return
        self._out.append(data)
        if not self._feeding:
            self._flush()

    def close(self) -> None:
        """Send what is written, then close."""
        if not self._closing:
            self._flush()
            self._closing = True
            self._tls.goodbye()
            self._transport.write(self._tls.pending())
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """Cut the connection at once."""
        self._closing = True
        self._transport.abort()

    # --- inside --------------------------------------------------------------------------------------

    def _shake(self) -> bool:
        if not self._tls.handshake():
            return False
        self._cancel_timer()
        self._take = self._opened()
        self._hello = _TAKEN
        return True

    @property
    def _suites(self) -> str:
        """What the client offered, while TLS is being opened."""
        return offered_suites(self._hello)

    def _flush(self) -> bool:
        """Send what was written; whether there was anything."""
        if self._closing:
            return True
        out = self._out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            try:
                self._tls.write(data)
            except TlsFailed as error:
                self._end(str(error))
                return True
        data = self._tls.pending()
        if not data:
            return False
        self._transport.write(data)
        if self._stuffed and self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self._end("the client does not read what it is sent")
        return True

    def _acknowledge_now(self) -> None:
        # Devices leave Nagle's algorithm on: a PUBACK that gets no answer would hold back their next packet until
        # this side's delayed acknowledgement, 40 ms later.
        if _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _end(self, reason: str) -> None:
        self.abort()
        self._over(reason)

    def _tls_failed(self, reason: str) -> None:
        if self._tls.established:
            self._end(reason)
            return
        self._transport.write(self._tls.pending())  # the alert tells the client what is wrong
        self._closing = True
        self._transport.close()
        self._handshake_failed(reason)

    def _handshake_failed(self, reason: str) -> None:
        self._listener.context.emit(HandshakeFailed(self.peer, reason))

    def _too_slow(self, seconds: float) -> None:
        sent = "" if self._hello else ", and not a byte came"
        self._handshake_failed(f"no TLS handshake within {seconds:g} s{sent}")
        self.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
