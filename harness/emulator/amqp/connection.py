"""One AMQP connection without I/O: SASL first, then Proton's engine, and the links opened over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import proton
from proton import Condition, Connection, Event, Transport

from harness.emulator.amqp.attaching import Attacher, Detached
from harness.emulator.amqp.authorization import Authority, Grant, Grants, Refused
from harness.emulator.amqp.frames import FrameFiller
from harness.emulator.amqp.journal import EventHub
from harness.emulator.amqp.links import Link, Readers
from harness.emulator.amqp.peerdata import Unreadable, reading
from harness.emulator.amqp.sasl import SaslFailed, SaslServer
from harness.emulator.context import Context, log_failure, logger
from harness.emulator.hub.c2d import CloudToDevice
from harness.mqtt import Timer

_MAX_FRAME = 64 * 1024
_MAX_SESSIONS = 64
_MAX_LINKS = 256
_IDLE_SECONDS = 480.0
"""Of this Proton tells a client the half, 240 s, which is what Azure asks for."""
_TURN = 128
"""Messages a link may send before another has its turn."""
_MAX_HELD = 1024 * 1024
"""Bytes of a session that wait for the client's window."""


class Wire(Protocol):
    """The way to the peer. `full` while the peer does not read what was written."""

    full: bool

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Endpoint:
    """What all connections share. `host` and `port` are as clients were told them."""

    context: Context
    event_hub: EventHub
    credentials: Authority
    c2d: CloudToDevice
    host: str
    port: int = 0
    feedback_readers: Readers = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.c2d.feedback.ready = self._feedback_ready

    def _feedback_ready(self) -> None:
        for wake in tuple(self.feedback_readers.values()):
            wake()


class AmqpConnection:
    """Feed it with `receive`, tell it of the end with `lost` and of room to write with `turn`."""

    def __init__(self, endpoint: Endpoint, wire: Wire, peer: str) -> None:
        self.endpoint = endpoint
        self._context = endpoint.context
        self._wire = wire
        self._peer = peer
        self.grants = Grants(self._context.wall)
        self._sasl: SaslServer | None = SaslServer(wire.write, self._plain)
        self._filler = FrameFiller()
        self.links: dict[proton.Link, Link] = {}
        self._attacher = Attacher(self)
        self._ended = False
        self._failed = False
        self._turn_timer: Timer | None = None
        self._tick_timer: Timer | None = None
        self._expiry_timer: Timer | None = None
        self._proof_timer: Timer | None = self._context.timers.later(
            self._context.options.handshake_seconds, self._too_slow
        )
        self._connection = Connection()
        self._connection.container = "preflight-emulator"
        self._collector = proton.Collector()
        self._connection.collect(self._collector)
        self._transport = Transport(Transport.SERVER)
        self._transport.max_frame_size = _MAX_FRAME
        self._transport.channel_max = _MAX_SESSIONS - 1
        self._transport.idle_timeout = _IDLE_SECONDS
        self._transport.bind(self._connection)

    # --- from the shell ------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take what the peer sent."""
        if self._ended:
            return
        if self._sasl is not None:
            try:
                data = self._sasl.feed(data)
            except SaslFailed as error:
                self._end(str(error))
                return
            if not self._sasl.done:
                return
            self._sasl = None
        self._push(data)
        self.turn()

    def lost(self) -> None:
        """The socket is gone."""
        self._finish()

    def turn(self) -> None:
        """Send what may be sent now; called again by itself while there is more."""
        self._turn_timer = None
        if self._ended or self._sasl is not None:
            return
        more = False if self._failed else self._pump()
        self._handle_events()
        self._tick()
        self._flush()
        if self._failed:
            self._end("the hub closed it")
        elif more and not self._wire.full:
            self.wake()

    def wake(self) -> None:
        """Have `turn` called soon, once for many calls."""
        if self._turn_timer is None and not self._ended:
            self._turn_timer = self._context.timers.later(0, self._due)

    def _due(self) -> None:
        try:
            self.turn()
        except Exception as error:
            # A fault of ours must cost this connection only.
            log_failure(f"AMQP connection {self._peer}", error)
            self._end("the emulator failed")

    # --- the engine ----------------------------------------------------------------------------------

    def _push(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._failed:
            capacity = self._transport.capacity()
            if capacity <= 0:  # the engine has closed its input: an error, or a close in good order
                break
            self._transport.push(bytes(view[:capacity]))
            view = view[capacity:]
            self._handle_events()

    def _pump(self) -> bool:
        """Let every link send; whether one could send more at once."""
        more = False
        if self._wire.full:
            return False
        for link, handler in list(self.links.items()):
            if link.is_sender and link.session.outgoing_bytes < _MAX_HELD:
                more = handler.pump(_TURN) == _TURN or more
        return more

    def _flush(self) -> None:
        if self._ended:
            return
        transport, out = self._transport, []
        while (pending := transport.pending()) > 0:
            piece = transport.peek(pending)
            if not piece:
                break
            out.append(self._filler.feed(bytes(piece)))
            transport.pop(len(piece))
        if out:
            self._wire.write(b"".join(out))
        if pending < 0:
            self._end("the connection was closed")

    def _tick(self) -> None:
        # Time-outs of both sides: empty frames for the peer, and an end for a peer that has gone silent.
        if self._tick_timer is not None:
            self._tick_timer.cancel()
            self._tick_timer = None
        timers = self._context.timers
        deadline = self._transport.tick(timers.time())
        if deadline:
            self._tick_timer = timers.later(max(deadline - timers.time(), 0.01), self._due)

    def _handle_events(self) -> None:
        while (event := self._collector.peek()) is not None:
            handle = _HANDLERS.get(event.type)
            if handle is not None and not self._failed:
                try:
                    handle(self, event)
                except Unreadable as error:
                    self.fail("amqp:decode-error", str(error))
            self._collector.pop()

    # --- what the engine tells -----------------------------------------------------------------------

    def _on_connection_open(self, event: Any) -> None:
        event.connection.open()

    def _on_connection_close(self, event: Any) -> None:
        event.connection.close()

    def _on_session_open(self, event: Any) -> None:
        event.session.open()

    def _on_session_close(self, event: Any) -> None:
        for link in [link for link in self.links if link.session == event.session]:
            self._forget(link)
        event.session.close()
        event.session.free()

    def _on_link_open(self, event: Any) -> None:
        link = event.link
        if len(self.links) >= _MAX_LINKS:
            self.fail("amqp:resource-limit-exceeded", f"more than {_MAX_LINKS} links")
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        try:
            handler = self._attacher.attach(link)
        except Detached as error:
            link.open()
            _detach(link, error)
            return
        self.links[link] = handler

    def _on_link_close(self, event: Any) -> None:
        self._forget(event.link)
        event.link.close()
        event.link.free()

    def _on_link_detach(self, event: Any) -> None:
        self._forget(event.link)
        event.link.detach()
        event.link.free()

    def _on_delivery(self, event: Any) -> None:
        handler = self.links.get(event.link)
        if handler is not None:
            handler.delivery(event.delivery)

    def _on_transport_error(self, event: Any) -> None:
        condition = reading(lambda: event.transport.condition)
        logger.debug("AMQP connection %s: %s", self._peer, condition)

    # --- authorization -------------------------------------------------------------------------------

    def _plain(self, user: str, password: str) -> bool:
        try:
            self.granted(self.endpoint.credentials.plain(user, password))
        except Refused as error:
            logger.debug("AMQP connection %s: %s", self._peer, error)
            return False
        return True

    def granted(self, grant: Grant) -> None:
        """Take note of a credential that holds."""
        self.grants.add(grant)
        self._cancel("_proof_timer")
        self._watch_expiry()

    def _watch_expiry(self) -> None:
        self._cancel("_expiry_timer")
        expiry = self.grants.next_expiry()
        if expiry is not None:
            seconds = max(expiry - self._context.wall(), 0) + 0.01
            self._expiry_timer = self._context.timers.later(seconds, self._token_expired)

    def _token_expired(self) -> None:
        self._expiry_timer = None
        for link, handler in list(self.links.items()):
            if not self._attacher.permitted(handler.address):
                self.take_away(
                    link, Detached("amqp:unauthorized-access", "ExpiredToken: this link's token has expired")
                )
        self._watch_expiry()

    def _too_slow(self) -> None:
        seconds = self._context.options.handshake_seconds
        self._proof_timer = None
        self.fail("amqp:connection:forced", f"no valid credential within {seconds:g} s")
        if self._sasl is None:
            self._due()
        self._end("too slow")

    # --- the end -------------------------------------------------------------------------------------

    def take_away(self, link: proton.Link, reason: Detached) -> None:
        """Close a link from this side."""
        self._forget(link)
        _detach(link, reason)
        self.wake()

    def _forget(self, link: proton.Link) -> None:
        handler = self.links.pop(link, None)
        if handler is not None:
            handler.closed()

    def fail(self, condition: str, description: str) -> None:
        """Close the connection with a condition; what follows from the peer is ignored."""
        logger.debug("AMQP connection %s: %s (%s)", self._peer, description, condition)
        self._connection.condition = Condition(condition, description, {"emulator": "preflight"})
        self._connection.close()
        self._failed = True

    def _end(self, reason: str) -> None:
        if not self._ended:
            logger.debug("AMQP connection %s ends: %s", self._peer, reason)
            self._finish()
            self._wire.close()

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        for name in ("_turn_timer", "_tick_timer", "_expiry_timer", "_proof_timer"):
            self._cancel(name)
        for link in list(self.links):
            self._forget(link)
        self._transport.unbind()
        self._connection.free()

    def _cancel(self, name: str) -> None:
        timer: Timer | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


def _detach(link: proton.Link, reason: Detached) -> None:
    link.condition = Condition(reason.condition, str(reason), reason.info)
    link.close()


_HANDLERS: dict[Any, Callable[[AmqpConnection, Any], None]] = {
    Event.CONNECTION_REMOTE_OPEN: AmqpConnection._on_connection_open,
    Event.CONNECTION_REMOTE_CLOSE: AmqpConnection._on_connection_close,
    Event.SESSION_REMOTE_OPEN: AmqpConnection._on_session_open,
    Event.SESSION_REMOTE_CLOSE: AmqpConnection._on_session_close,
    Event.LINK_REMOTE_OPEN: AmqpConnection._on_link_open,
    Event.LINK_REMOTE_CLOSE: AmqpConnection._on_link_close,
    Event.LINK_REMOTE_DETACH: AmqpConnection._on_link_detach,
    Event.DELIVERY: AmqpConnection._on_delivery,
    Event.TRANSPORT_ERROR: AmqpConnection._on_transport_error,
}
