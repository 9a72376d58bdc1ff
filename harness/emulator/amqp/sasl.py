"""The SASL layer in front of AMQP, server side, without I/O (AMQP 1.0 part 5, 5.3).

Of our own because Proton's knows neither MSSBCBS (what uamqp asks for: tokens follow on `$cbs`) nor PLAIN
with our policies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proton import UNDESCRIBED, Array, Data, Described, symbol, ubyte, ulong

from harness.emulator.amqp.peerdata import Unreadable, owned, reading

HEADER = b"AMQP\x03\x01\x00\x00"
BARE = b"AMQP\x00\x01\x00\x00"
"""Without the layer, which is as good as ANONYMOUS: Node's SDK begins so and puts its token on `$cbs`."""
MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS")
_MAX_FRAME = 16 * 1024
"""Above SASL's 512 bytes: a password can be a token."""
_OK, _AUTH = 0, 1
_UNDESCRIBED: Any = UNDESCRIBED


class SaslFailed(Exception):
    """The peer broke SASL, or was refused; what `feed` had to say went out before. Close the connection."""


class SaslServer:
    """`write` takes bytes for the peer; `plain` checks a user name and password and says whether they hold."""

    __slots__ = ("_buffer", "_greeted", "_plain", "_write", "done")

    def __init__(self, write: Callable[[bytes], None], plain: Callable[[str, str], bool]) -> None:
        self._write = write
        self._plain = plain
        self._buffer = b""
        self._greeted = False
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """Take what the peer sent; returns what follows the SASL layer. Raises SaslFailed."""
        self._buffer += data
        if not self._greeted:
            if self._buffer.startswith(BARE):
                self.done = True
                rest, self._buffer = self._buffer, b""
                return rest
            if not any(header.startswith(self._buffer[:8]) for header in (HEADER, BARE)):
                self._write(HEADER)
                raise SaslFailed("the connection does not begin with a header of AMQP 1.0")
            if len(self._buffer) < 8:
                return b""
            self._buffer = self._buffer[8:]
            self._greeted = True
            names = Array(_UNDESCRIBED, Data.SYMBOL, *(symbol(name) for name in MECHANISMS))
            self._write(HEADER + _frame(0x40, [names]))
        if len(self._buffer) < 4:
            return b""
        size = int.from_bytes(self._buffer[:4], "big")
        if not 8 <= size <= _MAX_FRAME:
            raise SaslFailed(f"a SASL frame of {size} bytes")
        if len(self._buffer) < size:
            return b""
        frame, rest = self._buffer[:size], self._buffer[size:]
        self._buffer = b""
        self._answer(*_read_init(frame))
        self.done = True
        return rest

    def _answer(self, mechanism: str, response: bytes) -> None:
        accepted = mechanism in MECHANISMS
        if mechanism == "PLAIN":
            try:
                _, user, password = response.decode().split("\0")
            except ValueError:
                accepted = False
            else:
                accepted = self._plain(user, password)
        self._write(_frame(0x44, [ubyte(_OK if accepted else _AUTH), None]))
        if not accepted:
            raise SaslFailed(f"SASL {mechanism[:20]!r} was refused")


def _read_init(frame: bytes) -> tuple[str, bytes]:
    """Return mechanism and initial response of a sasl-init frame. Raises SaslFailed."""
    start = frame[4] * 4
    if frame[5] != 1 or start < 8:
        raise SaslFailed("not a SASL frame")

    def read() -> Any:
        data = Data()
        data.decode(frame[start:])
        data.rewind()
        data.next()
        return owned(data.get_object())

    try:
        init = reading(read)
    except Unreadable as error:
        raise SaslFailed(f"a SASL frame with {error}") from None
    if not isinstance(init, Described) or init.descriptor != 0x41 or not isinstance(init.value, list) or not init.value:
        raise SaslFailed("not a sasl-init")
    mechanism = init.value[0]
    response = init.value[1] if len(init.value) > 1 else None
    if not isinstance(mechanism, str):
        raise SaslFailed("a sasl-init without a mechanism")
    return str(mechanism), response if isinstance(response, bytes) else b""


def _frame(code: int, fields: list[Any]) -> bytes:
    data = Data()
    data.put_object(Described(ulong(code), fields))
    body = bytes(data.encode())
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body
