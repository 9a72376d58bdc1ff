"""Hears out a device that comes by AMQP, which neither the certification nor the emulator takes.

Without it such a device would find a closed port, and look as if it had never tried anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.emulator.context import Context
from harness.emulator.shell.connection import Listener, TlsConnection
from harness.emulator.shell.tls import TlsSource
from harness.record.events import ProtocolViolation

RULE = "amqp"
"""Of the ProtocolViolation, whether AMQP came over TLS or in a WebSocket."""
_HEADER = b"AMQP"
"""Both protocol headers begin so, of AMQP and of SASL (AMQP 1.0, 2.2 and 5.3.2)."""


class AmqpRefusal(Listener):
    """The sockets of the AMQP port."""

    def __init__(self, context: Context, tls: TlsSource) -> None:
        super().__init__(context, tls, lambda: _Connection(self))


class _Connection(TlsConnection):
    __slots__ = ("_heard",)

    def __init__(self, listener: AmqpRefusal) -> None:
        super().__init__(listener)
        self._heard = b""

    def _opened(self) -> Callable[[bytes], None]:
        seconds = self._listener.context.options.handshake_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self.close)
        return self._hear

    def _hear(self, data: bytes) -> None:
        self._heard += data[: len(_HEADER)]
        if len(self._heard) < len(_HEADER):
            return
        is_amqp = self._heard.startswith(_HEADER)
        rule, what = (RULE, "AMQP") if is_amqp else ("unsupported-protocol", "something else than AMQP")
        detail = f"{what} on the port of AMQP; devices are served by MQTT and HTTPS"
        self._listener.context.emit(ProtocolViolation("", None, rule, detail, closed=True))
        self.close()
