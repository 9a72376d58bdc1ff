"""TLS that no device should accept, or that never comes about: the faults of the handshake.

It stands where `tls.ServerTls` stands and asks the fault player before each handshake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.emulator.faults.plan import Fault
from harness.emulator.faults.player import FaultPlayer
from harness.emulator.options import EmulatorError
from harness.emulator.shell.tls import ServerTls, Tls, TlsFailed

_ALERT = bytes((0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 40))
"""A TLS record with the fatal alert handshake_failure (RFC 5246, 7.2)."""


class FaultyTls:
    """A `ServerTls` with faults. `unfit` makes the PEM file of a kind of bad certificate."""

    def __init__(self, sound: ServerTls, player: FaultPlayer, unfit: Callable[[str], Path]) -> None:
        self._sound = sound
        self._player = player
        self._unfit = unfit
        self._servers: dict[str, ServerTls] = {}

    def prepare(self, faults: Iterable[Fault]) -> None:
        """Make the bad certificates of these faults now, for it takes longer than a handshake may.

        Raises EmulatorError.
        """
        for kind in {fault.kind for fault in faults if fault.do == "bad-certificate"} - self._servers.keys():
            try:
                self._servers[str(kind)] = ServerTls(self._unfit(str(kind)))
            except OSError as error:
                raise EmulatorError(f"Could not keep a certificate for the fault plan: {error}.") from error

    def session(self) -> Tls:
        """Return the TLS of a new connection, good or bad."""
        fault = self._player.handshake()
        if fault is None:
            return self._sound.session()
        if fault.do == "bad-certificate":
            return self._servers[str(fault.kind)].session()
        return NoTls(_ALERT if fault.do == "tls-refused" else b"", silent=fault.do == "silence")


class NoTls:
    """A handshake that ends at once with these bytes, or with `silent` not at all."""

    established = False
    drained = True
    version = ""
    peer_chain: tuple[bytes, ...] = ()

    def __init__(self, last_words: bytes, *, silent: bool) -> None:
        self._last_words = last_words
        self._silent = silent

    def feed(self, data: bytes | memoryview) -> None:
        """Whatever it is, it gets no answer."""

    def handshake(self) -> bool:
        if self._silent:
            return False
        raise TlsFailed("the fault plan ended the handshake")

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        """There is nobody to write to."""

    def pending(self) -> bytes:
        last_words, self._last_words = self._last_words, b""
        return last_words

    def goodbye(self) -> None:
        """Nothing was begun."""
