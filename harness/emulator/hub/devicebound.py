"""Cloud-to-device messages over MQTT: QoS 1, completed by PUBACK, sent again with DUP after a reconnect.

MQTT has no way to reject or abandon. A message whose lock runs out is sent again on the same connection; one
that was under way when the connection ended belongs to the persistent session and goes out first, with its old
packet identifier, when the device is back (MQTT 3.1.1, 4.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.emulator.faults import Operation, Point
from harness.emulator.hub.c2d import CloudToDevice, Delivery
from harness.mqtt import ServerSession
from harness.mqtt.codec import publish

if TYPE_CHECKING:
    from harness.emulator.hub.registry import Identity


class DeviceBound:
    """What one connection has sent of its device's queue and has not yet seen acknowledged."""

    __slots__ = ("_c2d", "_identity", "_persistent", "_purges", "_sent", "_session", "qos")

    def __init__(self, c2d: CloudToDevice, identity: Identity, session: ServerSession, *, persistent: bool) -> None:
        self._c2d = c2d
        self._identity = identity
        self._session = session
        self._purges = c2d.clean_session_purges
        self._persistent = persistent
        self._sent: dict[int, tuple[Delivery, str]] = {}
        """By packet identifier: the message and the lock under which it was sent."""
        self.qos: int | None = None
        """Granted QoS; None while the device has not subscribed."""

    def forget(self) -> None:
        """A clean session begins: nothing of an earlier one is left."""
        queue = self._identity.c2d
        for lent in queue or ():
            lent.packet_id = 0
        if queue is not None and self._purges:
            queue.purge()

    def deliver(self) -> None:
        """Send everything that waits, if the device has subscribed."""
        queue = self._identity.c2d
        while queue is not None and self.qos is not None and not self._session.closed:
            lent = queue.take()
            if lent is None:
                return
            self._offer(lent, self.qos)

    def acknowledged(self, packet_id: int) -> None:
        """A PUBACK came: the message is complete, unless its lock was lost in the meantime."""
        lent, token = self._sent.pop(packet_id, (None, ""))
        queue = self._identity.c2d
        if lent is not None and queue is not None and lent.token == token:
            queue.complete(token)

    def ended(self) -> None:
        """The connection is over: what was under way waits for the next one."""
        queue, sent = self._identity.c2d, self._sent
        self._sent = {}
        if queue is None:
            return
        for packet_id, (lent, token) in sent.items():
            if lent.token == token:
                lent.packet_id = packet_id if self._persistent else 0
                queue.release(lent)

    def _offer(self, lent: Delivery, qos: int) -> None:
        """Send a message, unless a fault is ordered for it."""
        faults, queue, token = self._c2d.faults, self._identity.c2d, lent.token
        if not faults.active or queue is None:
            self._send(lent, qos)
            return

        def proceed() -> None:
            if lent.token == token and not self._session.closed:
                self._send(lent, qos)

        faults.run(Operation(Point.C2D, self._identity.name, proceed, None, self._session))
        if self._session.closed and lent.token == token:
            queue.release(lent)  # cut in place of the delivery: it waits for the next connection

    def _send(self, lent: Delivery, qos: int) -> None:
        message = lent.item
        topic = message.topic(self._identity.device_id)
        packet_id, lent.packet_id = lent.packet_id, 0
        again = bool(qos and packet_id and packet_id not in self._session.inflight)
        if again:
            self._session.inflight.add(packet_id)
            self._session.wire.write(publish(topic, message.payload, qos, packet_id, dup=True))
        else:
            packet_id = self._session.send(topic, message.payload, qos)
        self._c2d.delivered(self._identity, lent, "mqtt", duplicate=again)
        queue, token = self._identity.c2d, lent.token
        if queue is None or token is None:
            return
        if qos and packet_id:
            self._sent[packet_id] = (lent, token)
        elif qos:
            queue.release(lent)  # the connection was closed instead
        else:
            queue.complete(token)
