"""HTTPS over the same TLS as MQTT: aiohttp's protocol on top, our connection below.

asyncio's own TLS would neither ask for client certificates nor play the handshake's faults, and keeps 256 KiB for
every idle connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.emulator.context import Context
from harness.emulator.shell.connection import Listener, TlsConnection
from harness.emulator.shell.tls import Tls, TlsSource


class HttpsListener(Listener):
    """The sockets of one port. `protocol` makes what reads and writes HTTP on a connection."""

    def __init__(self, context: Context, tls: TlsSource, protocol: Callable[[], asyncio.Protocol]) -> None:
        super().__init__(context, tls, lambda: HttpsConnection(self))
        self.protocol = protocol


class HttpsConnection(TlsConnection):
    """One socket."""

    __slots__ = ("_first_request", "_http")

    _listener: HttpsListener

    def __init__(self, listener: HttpsListener) -> None:
        super().__init__(listener)
        self._http: asyncio.Protocol | None = None
        self._first_request: asyncio.TimerHandle | None = None

    def served(self) -> None:
        """A request was understood: the client has shown that it speaks HTTP in good time."""
        if self._first_request is not None:
            self._first_request.cancel()
            self._first_request = None

    def pause_writing(self) -> None:
        self._stuffed = True
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        self._stuffed = False
        if self._http is not None:
            self._http.resume_writing()

    def _opened(self) -> Callable[[bytes], None]:
        seconds = self._listener.context.options.handshake_seconds
        self._first_request = asyncio.get_running_loop().call_later(seconds, self.abort)
        self._http = self._listener.protocol()
        self._http.connection_made(PlainTransport(self, self._tls))
        return self._http.data_received

    def _over(self, reason: str) -> None:
        self.served()
        http, self._http = self._http, None
        if http is not None:
            http.connection_lost(None)


class PlainTransport(asyncio.Transport):
    """What aiohttp sees of a connection: plain bytes; `peer_chain` and `tls_version` as extra information."""

    def __init__(self, connection: HttpsConnection, tls: Tls) -> None:
        raw = connection._transport
        extra = {name: raw.get_extra_info(name) for name in ("peername", "sockname", "socket")}
        # aiohttp calls the scheme https when there is a context.
        super().__init__({**extra, "sslcontext": True, "peer_chain": tls.peer_chain, "tls_version": tls.version})
        self.connection = connection
        self._raw = raw

    def write(self, data: Any) -> None:
        self.connection.write(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.connection.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self._raw.is_closing()

    def close(self) -> None:
        self.connection.close()

    def abort(self) -> None:
        self.connection.abort()

    def pause_reading(self) -> None:
        if not self._raw.is_closing():
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        if not self._raw.is_closing():
            self._raw.resume_reading()

    def is_reading(self) -> bool:
        return self._raw.is_reading()

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._raw.get_write_buffer_limits()

    def can_write_eof(self) -> bool:
        return False
