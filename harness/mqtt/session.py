"""The server's side of one MQTT connection: the protocol's rules, without I/O and without IoT Hub.

A `ServerSession` is fed bytes and speaks through a `Wire`. The first packet must be CONNECT; it goes to the
`Application`, which answers with `accept` (naming the `Handler` of this connection) or `refuse`, at once or
later. From then on each packet goes to the handler, which answers through the session; nothing is
acknowledged behind its back, so that a fault can withhold, delay or repeat any answer.

To extend: a new transport (WebSocket) is another `Wire` that feeds the same session; a new service (another
DPS or hub) is another `Handler`. The session itself should need neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.mqtt import packets as p
from harness.mqtt.codec import Decoder, encode, publish
from harness.mqtt.errors import RemoteError, UnsupportedProtocol

KEEP_ALIVE_FACTOR = 1.5
"""A client is given one and a half times its keep-alive [MQTT-3.1.2-24]."""

PINGRESP = encode(p.Pingresp())


class Wire(Protocol):
    """What a session needs of a transport. `write` never blocks; after `close` or `abort` it is a no-op."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None:
        """Send what is written, then close."""

    def abort(self) -> None:
        """Cut the connection at once, as a dying network does."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """Monotonic time in seconds, and callbacks at a later time, on the thread that feeds the session."""

    def time(self) -> float: ...
    def later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom the transport is connected to. `peer_chain` is what the client showed of certificates: unverified, DER,
    its own first; empty if it showed none. `tls_offered` are the cipher suites of its ClientHello, `c02b c02f`.
    """

    address: str = ""
    transport: str = "mqtt"
    tls_version: str = ""
    peer_chain: tuple[bytes, ...] = ()
    tls_offered: str = ""

    @property
    def certificate(self) -> bytes | None:
        """The client's own."""
        return self.peer_chain[0] if self.peer_chain else None


@dataclass(frozen=True, slots=True)
class Limits:
    """`connect` and `packet` are body sizes in bytes before and after CONNECT; times in seconds.

    `keep_alive` caps the silence allowed, whatever the client asked for; `packet_seconds` is from a packet's first
    byte to its last.
    """

    connect: int = 128 * 1024
    packet: int = 512 * 1024
    connect_seconds: float = 30.0
    keep_alive: float = 1767.0
    packet_seconds: float = 60.0


class Handler(Protocol):
    """What a service does with an accepted connection. Each method may raise RemoteError: it closes the
    connection.
    """

    def publish(self, session: ServerSession, packet: p.Publish) -> None: ...
    def subscribe(self, session: ServerSession, packet: p.Subscribe) -> None: ...
    def unsubscribe(self, session: ServerSession, packet: p.Unsubscribe) -> None: ...
    def acknowledged(self, session: ServerSession, packet_id: int) -> None: ...
    def silent(self, session: ServerSession, seconds: float) -> None:
        """The keep-alive ran out: nothing was heard for that long. Close the session."""

    def violated(self, session: ServerSession, error: RemoteError) -> None:
        """The peer broke a rule; `ended` follows."""

    def ended(self, session: ServerSession, by: str, reason: str, error_code: int | None) -> None:
        """The connection is over. `by` is device, service or network. Called once."""


class Application(Protocol):
    """Where CONNECT goes."""

    def connect(self, session: ServerSession, packet: p.Connect) -> None: ...
    def violated(self, session: ServerSession, error: RemoteError) -> None:
        """A rule was broken before any handler had the connection."""


class ServerSession:
    """One connection from its first byte to its last. Public state: `peer`, `wire`, `closed`, `inflight`."""

    __slots__ = (
        "_application",
        "_begun",
        "_decoder",
        "_handler",
        "_heard",
        "_last_id",
        "_late",
        "_limits",
        "_patience",
        "_running",
        "_state",
        "_time",
        "_timer",
        "_timers",
        "closed",
        "inflight",
        "peer",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        timers: Timers,
        application: Application,
        peer: Peer | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.wire = wire
        self.peer = peer or Peer()
        self.closed = False
        self.inflight: set[int] = set()
        """Packet identifiers of QoS 1 messages sent and not yet acknowledged."""
        self._application = application
        self._limits = limits or Limits()
        self._decoder = Decoder(self._limits.connect)
        self._timers = timers
        self._time = timers.time
        self._heard = timers.time()
        self._handler: Handler | None = None
        self._state = _WAITING
        self._running = False
        self._last_id = 0
        self._patience = self._limits.connect_seconds
        self._begun = self._heard
        self._late: Timer | None = None
        self._timer: Timer | None = timers.later(self._patience, self._silence)

    @property
    def waiting(self) -> bool:
        """Whether CONNECT has yet to come."""
        return self._state == _WAITING

    # --- from the transport --------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes as they came. Never raises for what they hold."""
        if self.closed:
            return
        self._heard = now = self._time()
        decoder = self._decoder
        if decoder.empty:
            self._begun = now
        if self._state == _DECIDING:
            decoder.feed(data)
            if decoder.held > self._limits.connect:
                self.fail(RemoteError("too-much-before-connack", "more data than allowed before CONNECT was answered"))
            return
        self._running = True
        try:
            packet = decoder.next(data)
            while packet is not None:
                if type(packet) is p.Publish and self._handler is not None:
                    self._handler.publish(self, packet)
                else:
                    self._dispatch(packet)
                if decoder.empty or self.closed or self._state == _DECIDING:
                    return
                self._begun = now
                packet = decoder.next()
            self._watch_packet()
        except RemoteError as error:
            self.fail(error)
        finally:
            self._running = False

    def lost(self, reason: str) -> None:
        """The transport died, or the peer closed it without DISCONNECT."""
        self._end("network", reason, None)

    # --- from the application and the handler ----------------------------------------------------------

    def accept(self, handler: Handler, *, keep_alive: int, session_present: bool = False) -> None:
        """Answer CONNECT with CONNACK 0 and go on. `keep_alive` in seconds, as the client asked; 0 is none."""
        if self.closed:
            return
        self._handler = handler
        self._state = _OPEN
        self._decoder.limit = self._limits.packet
        self._heard = self._begun = self._time()
        self._stop_timer()
        if keep_alive:
            self._patience = min(keep_alive * KEEP_ALIVE_FACTOR, self._limits.keep_alive)
            self._timer = self._timers.later(self._patience, self._silence)
        self.wire.write(encode(p.Connack(p.ACCEPTED, session_present)))
        if not self._running:
            self.receive(b"")  # decided later: what came meanwhile was held back

    def refuse(self, return_code: int) -> None:
        """Answer CONNECT with a refusal and close."""
        if not self.closed:
            self.wire.write(encode(p.Connack(return_code)))
            self._close()

    def send(self, topic: str, payload: bytes, qos: int = 0) -> int:
        """Publish to the client. Returns the packet identifier (0 at QoS 0, or when the connection is over)."""
        if self.closed:
            return 0
        packet_id = 0
        if qos:
            packet_id = self._next_id()
            if not packet_id:
                self.fail(RemoteError("no-acknowledgements", "65535 messages are waiting for their PUBACK"))
                return 0
        self.wire.write(publish(topic, payload, qos, packet_id))
        return packet_id

    def puback(self, packet: p.Publish) -> None:
        """Acknowledge a PUBLISH; at QoS 0 there is nothing to say."""
        if packet.qos:
            self.wire.write(b"\x40\x02" + packet.packet_id.to_bytes(2, "big"))

    def suback(self, packet: p.Subscribe, codes: tuple[int, ...]) -> None:
        self.wire.write(encode(p.Suback(packet.packet_id, codes)))

    def unsuback(self, packet: p.Unsubscribe) -> None:
        self.wire.write(encode(p.Unsuback(packet.packet_id)))

    def close(self, reason: str, error_code: int | None = None) -> None:
        """Close as the service does: silently, for 3.1.1 has no way to say why."""
        if not self.closed:
            self._close()
            self._tell_end("service", reason, error_code)

    def cut(self, reason: str) -> None:
        """Drop the connection as a failing network does, without sending what is written."""
        if not self.closed:
            self.closed = True
            self._stop_timer()
            self.wire.abort()
            self._tell_end("service", reason, None)

    def fail(self, error: RemoteError) -> None:
        """Close because the peer broke a rule; for handlers that find out after their method returned."""
        if self.closed:
            return
        if isinstance(error, UnsupportedProtocol) and self._state == _WAITING:
            self.wire.write(encode(p.Connack(p.UNACCEPTABLE_PROTOCOL)))
        party: Handler | Application = self._handler or self._application
        party.violated(self, error)
        self.close(f"{error.rule}: {error.detail}")

    # --- inside --------------------------------------------------------------------------------------

    def _dispatch(self, packet: p.Packet) -> None:
        handler = self._handler
        if handler is None:
            self._first(packet)
        elif isinstance(packet, p.Pingreq):
            self.wire.write(PINGRESP)
        elif isinstance(packet, p.Acknowledgement) and packet.kind == p.PUBACK:
            # An unknown identifier is a repetition, not a breach.
            if packet.packet_id in self.inflight:
                self.inflight.discard(packet.packet_id)
                handler.acknowledged(self, packet.packet_id)
        elif isinstance(packet, p.Subscribe):
            handler.subscribe(self, packet)
        elif isinstance(packet, p.Unsubscribe):
            handler.unsubscribe(self, packet)
        elif isinstance(packet, p.Disconnect):
            self._close()
            self._tell_end("device", "DISCONNECT", None)
        elif isinstance(packet, p.Acknowledgement):
            raise RemoteError("unexpected-packet", "a packet of the QoS 2 exchange, which no service here starts")
        else:
            raise RemoteError("unexpected-packet", f"{type(packet).__name__} is not for a client to send here")

    def _first(self, packet: p.Packet) -> None:
        if not isinstance(packet, p.Connect):
            raise RemoteError("connect-first", f"{type(packet).__name__} came before CONNECT [MQTT-3.1.0-1]")
        if not packet.client_id and not packet.clean_session:
            self.refuse(p.IDENTIFIER_REJECTED)
            return
        self._state = _DECIDING
        self._application.connect(self, packet)

    def _next_id(self) -> int:
        for _ in range(0xFFFF):
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self.inflight:
                self.inflight.add(self._last_id)
                return self._last_id
        return 0

    def _silence(self) -> None:
        # One timer a connection, re-armed when it rings: resetting it on every packet would cost more than
        # the packet.
        rest = self._heard + self._patience - self._timers.time()
        if rest > 0.001 and self._state == _OPEN:
            self._timer = self._timers.later(rest, self._silence)
        elif self._state == _OPEN:
            if self._handler is not None:
                self._handler.silent(self, self._patience)
        elif self._state == _DECIDING:
            self.cut("CONNECT was left without an answer")
        else:
            self.fail(RemoteError("connect-timeout", f"no CONNECT within {self._patience:g} s"))

    def _watch_packet(self) -> None:
        # A part of a packet came. As with silence, the timer is not touched again before it rings.
        if self._late is None and self._state == _OPEN and not self._decoder.empty:
            self._late = self._timers.later(self._limits.packet_seconds, self._incomplete)

    def _incomplete(self) -> None:
        self._late = None
        if self._decoder.empty:
            return
        allowed = self._limits.packet_seconds
        rest = self._begun + allowed - self._time()
        if rest > 0.001:
            self._late = self._timers.later(rest, self._incomplete)
        else:
            self.fail(RemoteError("packet-timeout", f"a packet was begun and not completed within {allowed:g} s"))

    def _close(self) -> None:
        self.closed = True
        self._stop_timer()
        self.wire.close()

    def _end(self, by: str, reason: str, error_code: int | None) -> None:
        if not self.closed:
            self.closed = True
            self._stop_timer()
            self._tell_end(by, reason, error_code)

    def _tell_end(self, by: str, reason: str, error_code: int | None) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.ended(self, by, reason, error_code)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._late is not None:
            self._late.cancel()
            self._late = None


_WAITING, _DECIDING, _OPEN = range(3)
