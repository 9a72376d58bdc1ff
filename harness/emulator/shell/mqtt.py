"""The MQTT listener: a TLS connection on one side, `harness.mqtt.ServerSession` on the other.

A WebSocket is another class with the same two ends (websocket.py).
"""

from __future__ import annotations

from collections.abc import Callable

from harness.emulator.context import Context
from harness.emulator.shell.connection import Listener, TlsConnection
from harness.emulator.shell.tls import TlsSource
from harness.mqtt import Application, Limits, Peer, ServerSession


class MqttListener(Listener):
    """The sockets of one port."""

    def __init__(self, context: Context, application: Application, tls: TlsSource) -> None:
        super().__init__(context, tls, lambda: MqttConnection(self))
        self.application = application
        self.limits = limits(context)


def limits(context: Context) -> Limits:
    """Return what the options allow a session."""
    options = context.options
    return Limits(
        connect_seconds=options.handshake_seconds,
        keep_alive=options.keep_alive_cap,
        packet_seconds=options.packet_seconds,
    )


class MqttConnection(TlsConnection):
    """One socket. It is the `Wire` of its session."""

    __slots__ = ("_session",)

    _listener: MqttListener

    def __init__(self, listener: MqttListener) -> None:
        super().__init__(listener)
        self._session: ServerSession | None = None

    def shut(self, reason: str) -> None:
        if self._session is not None:
            self._session.close(reason)
        self.abort()

    def _opened(self) -> Callable[[bytes], None]:
        listener = self._listener
        peer = Peer(self.peer, "mqtt", self._tls.version, self._tls.peer_chain, self._suites)
        self._session = ServerSession(self, listener.context.timers, listener.application, peer, listener.limits)
        return self._session.receive

    def _over(self, reason: str) -> None:
        # Without a cycle, thousands of connections are freed as they close and not when the collector comes by.
        session, self._session = self._session, None
        if session is None:
            return
        if session.waiting and not session.closed:
            self._handshake_failed("the client left after TLS was agreed and before CONNECT")
        session.lost(reason)
