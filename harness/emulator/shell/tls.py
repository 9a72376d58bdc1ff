"""TLS on one connection, over memory: bytes from the socket in, plain bytes out, and the other way.

Why not asyncio's own: it keeps a 256 KiB buffer for every connection and hides why a handshake failed. Here
all connections of a loop share their buffers, and a second implementation can stand beside `TlsSession`: one
that asks for the client's certificate (tls_asking.py). `ServerTls` chooses between them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

RECORD = 16 * 1024
"""A TLS record holds at most this many bytes of plain text."""


class TlsFailed(Exception):
    """The handshake or the record layer broke. The message says why in words for a device's maker."""


class TlsClosed(Exception):
    """The peer ended TLS in good order."""


class Tls(Protocol):
    """The server's side of one TLS connection, without the socket."""

    established: bool
    drained: bool
    """After `read`: it would return nothing until more is fed. False where that is not known."""

    def feed(self, data: bytes | memoryview, /) -> object:
        """Take what the socket gave."""

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is done. Raises TlsFailed."""

    def read(self) -> bytes:
        """Return decrypted bytes, empty when more must be fed first. Raises TlsFailed, TlsClosed."""

    def write(self, data: bytes) -> None:
        """Encrypt; take the result from `pending`. Raises TlsFailed."""

    def pending(self) -> bytes:
        """Return what must go to the socket."""

    def goodbye(self) -> None:
        """Say close-notify; the peer's is not waited for."""

    @property
    def version(self) -> str:
        """`TLSv1.2` or `TLSv1.3`."""

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """The client's certificates as it sent them, unverified, DER, its own first."""


class TlsSource(Protocol):
    """Where a listener gets the TLS of each new connection."""

    def session(self) -> Tls: ...


class ServerTls:
    """What a listener shows: one certificate with its key, and whether it asks clients for theirs."""

    def __init__(self, certificate: Path, asks: Callable[[], bool] = lambda: False) -> None:
        """`certificate` is a PEM file with key and chain. `asks` is looked at for each new connection."""
        self._certificate = certificate
        self._asks = asks
        self._plain = server_context(certificate)
        self._asking: Callable[[], Tls] | None = None

    def session(self) -> Tls:
        """Return the TLS of a new connection."""
        if not self._asks():
            return TlsSession(self._plain)
        if self._asking is None:
            from harness.emulator.shell.tls_asking import AskingTlsSession, asking_context

            context = asking_context(self._certificate)
            self._asking = lambda: AskingTlsSession(context)
        return self._asking()


class TlsSession:
    """`Tls` on Python's own `ssl`. It does not ask for a certificate."""

    __slots__ = ("_incoming", "_tls", "drained", "established", "feed", "pending")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, outgoing, server_side=True)
        self.established = False
        self.drained = True
        # The methods themselves: each packet of each device passes here.
        self.feed: Callable[[bytes | memoryview], object] = self._incoming.write
        self.pending: Callable[[], bytes] = outgoing.read

    def handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, OSError) as error:
            raise TlsFailed(explain(error)) from None
        self.established = True
        return True

    def read(self) -> bytes:
        # Plain text is shorter than what it came in, and a small buffer costs less. What is left is read next.
        incoming = self._incoming
        size = incoming.pending or RECORD
        if size > RECORD:
            size = RECORD
        try:
            data = self._tls.read(size)
        except ssl.SSLWantReadError:
            self.drained = True
            return b""
        except ssl.SSLZeroReturnError:
            raise TlsClosed from None
        except (ssl.SSLError, OSError) as error:
            raise TlsFailed(explain(error)) from None
        if not data:
            raise TlsClosed
        # Cheaper to know than to be told so by an exception.
        self.drained = len(data) < size and not incoming.pending
        return data

    def write(self, data: bytes) -> None:
        try:
            sent = self._tls.write(data)
            while sent < len(data):
                sent += self._tls.write(data[sent:])
        except (ssl.SSLError, OSError) as error:
            raise TlsFailed(explain(error)) from None

    def goodbye(self) -> None:
        try:
            self._tls.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            return

    @property
    def version(self) -> str:
        return self._tls.version() or ""

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        return ()


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return a context for a PEM file with key and chain. TLS 1.2 (all that the Python SDK speaks) and 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1
    context.load_cert_chain(certificate)
    return context


_REASONS = {
    "ALERT_UNKNOWN_CA": "the client does not trust the emulator's CA",
    "ALERT_BAD_CERTIFICATE": "the client refused the server's certificate: host name or trust",
    "ALERT_CERTIFICATE_UNKNOWN": "the client refused the server's certificate: host name or trust",
    "ALERT_CERTIFICATE_EXPIRED": "the client says the server's certificate has expired: check its clock",
    "ALERT_HANDSHAKE_FAILURE": "the client and the emulator share no TLS parameters",
    "ALERT_PROTOCOL_VERSION": "the client does not speak TLS 1.2 or 1.3",
    "UNSUPPORTED_PROTOCOL": "the client does not speak TLS 1.2 or 1.3",
    "NO_SHARED_CIPHER": "the client offers no cipher of the emulator's",
    "WRONG_VERSION_NUMBER": "what came is not TLS; plain MQTT on the TLS port?",
    "HTTP_REQUEST": "what came is HTTP, not TLS",
    "UNEXPECTED_EOF_WHILE_READING": "the client went away in the middle of TLS",
}


def explain(error: OSError) -> str:
    """Return OpenSSL's reason in words, with OpenSSL's own name for it."""
    return in_words(getattr(error, "reason", None) or type(error).__name__)


def in_words(reason: str) -> str:
    """The same, for a reason as OpenSSL names it in capitals."""
    words = next((text for key, text in _REASONS.items() if key in reason), "TLS failed")
    return f"{words} ({reason})"
