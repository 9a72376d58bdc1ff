"""A clock that stands still and a client without a socket, to drive sessions and cores packet by packet."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from harness.mqtt import Application, Decoder, Limits, Packet, Peer, ServerSession, encode


class FakeTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeTimers:
    """`harness.mqtt.Timers` whose time passes only when told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._turn = count()
        self._queue: list[tuple[float, int, FakeTimer]] = []

    def time(self) -> float:
        return self.now

    def later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self._queue, (self.now + seconds, next(self._turn), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._queue)
            if timer.callback is not None:
                timer.callback()
        self.now = end

    @property
    def pending(self) -> int:
        return sum(timer.callback is not None for _, _, timer in self._queue)


class Client:
    """The other end of a `ServerSession`: the session's wire, and a way to talk to it in packets."""

    def __init__(
        self,
        application: Application,
        timers: FakeTimers,
        limits: Limits | None = None,
        peer: Peer | None = None,
    ) -> None:
        self._decoder = Decoder()
        self.closed = False
        self.aborted = False
        self.session = ServerSession(self, timers, application, peer, limits)

    def write(self, data: bytes) -> None:
        if not self.closed:
            self._decoder.feed(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def send(self, *packets: Packet) -> list[Packet]:
        """Send packets and return what came back."""
        for packet in packets:
            self.session.receive(encode(packet))
        return self.received()

    def received(self) -> list[Packet]:
        packets = []
        while (packet := self._decoder.next()) is not None:
            packets.append(packet)
        return packets

    def one(self, packet: Packet) -> Packet:
        """Send one packet and return the one answer."""
        (answer,) = self.send(packet)
        return answer
