"""TLS that asks the client for a certificate and takes any: judging it is the business of the cores.

Azure lets a device with a wrong certificate finish the handshake and refuses it in MQTT or HTTP, with a reason.
Python's `ssl` cannot do that: it verifies, and breaks the handshake for what it does not trust, or does not
ask. Hence pyOpenSSL, over memory as `TlsSession`. OpenSSL still makes the client prove that it has the key.

Measured side by side (CPython 3.11, one core): the same 0.4 ms for a handshake, 1.1 against 1.2 GB/s in bulk,
but 12 against 7 µs for a small message and its answer, and 45 ms for the import. So it is imported and used
once something is attested by certificate (`EmulatorOptions.client_certificates`), and not before.
"""

from __future__ import annotations

from pathlib import Path

from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

from harness.emulator.shell.tls import RECORD, TlsClosed, TlsFailed, in_words

_RELEASE_BUFFERS = 0x10
"""SSL_MODE_RELEASE_BUFFERS: idle connections keep no record buffers. `ssl` sets it by itself."""
_PENDING = 64 * 1024
_HEADER = 5
"""Bytes of a record's header, the last two its length."""


def asking_context(certificate: Path) -> SSL.Context:
    """The counterpart of `tls.server_context`, for a PEM file with key and chain."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # A resumed session would come without the client's chain.
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(_RELEASE_BUFFERS)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))
    context.set_verify(SSL.VERIFY_PEER, _take)
    return context


def _take(*_: object) -> bool:
    return True


class AskingTlsSession:
    """The server's side of one TLS connection; the methods are those of `TlsSession`."""

    __slots__ = ("_ahead", "_single", "_tls", "drained", "established")

    def __init__(self, context: SSL.Context) -> None:
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()
        self.established = False
        self.drained = True
        self._ahead = 0
        """Bytes that the record begun last still lacks; -1 when track was lost, in a header that came in pieces."""
        self._single = 0
        """Size of what was fed last if that was one whole record, as a small packet is, else 0."""

    def feed(self, data: bytes | memoryview, /) -> None:
        if not data:
            return  # BIO_write calls it an error
        self._follow(data)
        self._tls.bio_write(bytes(data))

    def _follow(self, data: bytes | memoryview) -> None:
        at, size = self._ahead, len(data)
        if at < 0:
            return
        begins = at == 0
        records = 0
        while size - at >= _HEADER:
            at += _HEADER + (data[at + 3] << 8 | data[at + 4])
            records += 1
        self._ahead = at - size if at >= size else -1
        self._single = size if begins and records == 1 and self._ahead == 0 else 0

    def handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsFailed(_explain(error)) from None
        self.established = True
        return True

    def read(self) -> bytes:
        # Plain text is shorter than what it came in, and a small buffer costs less.
        try:
            data: bytes = self._tls.recv(self._single or RECORD)
        except SSL.WantReadError:
            return b""
        except SSL.ZeroReturnError:
            raise TlsClosed from None
        except SSL.Error as error:
            raise TlsFailed(_explain(error)) from None
        self.drained = self._single > 0  # cheaper to know than to be told so by an exception
        return data

    def write(self, data: bytes) -> None:
        try:
            self._tls.sendall(data)
        except SSL.Error as error:
            raise TlsFailed(_explain(error)) from None

    def pending(self) -> bytes:
        parts: list[bytes] = []
        try:
            while not parts or len(parts[-1]) == _PENDING:
                parts.append(self._tls.bio_read(_PENDING))
        except SSL.WantReadError:
            pass
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def goodbye(self) -> None:
        try:
            self._tls.shutdown()
        except SSL.Error:
            return

    @property
    def version(self) -> str:
        return self._tls.get_protocol_version_name()

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """The client's certificates as it sent them, unverified, DER, its own first."""
        own = self._tls.get_peer_certificate()
        if own is None:
            return ()
        first = dump_certificate(FILETYPE_ASN1, own)
        rest = [dump_certificate(FILETYPE_ASN1, one) for one in self._tls.get_peer_cert_chain() or ()]
        return (first, *(one for one in rest if one != first))


def _explain(error: SSL.Error) -> str:
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reason = str(reasons[0][2]) if reasons else type(error).__name__
    return in_words(reason.upper().replace(" ", "_"))
