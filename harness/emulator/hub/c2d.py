"""Cloud-to-device messages: a queue for each device, its limits, and what the sender is told afterwards.

    hub.c2d.enqueue("dev-1", b"{}", {"mid": "7", "ct": "application/json"}, {"iothub-ack": "full", "colour": "red"})

System properties go by their names in property bags without `$.`: `mid`, `cid`, `uid`, `to`, `ct`, `ce`, `exp`
(expiry, an RFC 3339 time in UTC), `ack`. A protocol translates its own names into these, as REST headers or
AMQP's properties, takes messages with `queue(identity).take()`, and settles them with the queue's `complete`,
`reject` and `abandon`. Feedback is `hub.c2d.feedback` (iot-hub-devguide-messages-c2d).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.emulator import times
from harness.emulator.context import Context, new_guid, utc_text
from harness.emulator.errors import ServiceError
from harness.emulator.faults import FaultGate
from harness.emulator.hub import messages
from harness.emulator.hub.bags import write_bag
from harness.emulator.hub.feedback import Feedback, Record
from harness.emulator.hub.locks import Lent, LockQueue, Outcome, Return
from harness.emulator.hub.registry import Identity, Registry
from harness.record.events import C2dDelivered, C2dEnqueued, C2dReturned, C2dSettled

ACKS = ("none", "positive", "negative", "full")
ACK = "iothub-ack"
_NEGATIVE = frozenset(Outcome) - {Outcome.COMPLETED}
_SYSTEM = frozenset({"mid", "cid", "uid", "to", "ct", "ce", "exp", "ack"})
_MAX_TOPIC = 0xFFFF
"""Bytes of an MQTT topic, which is where the properties go, percent-encoded."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the service sent. `system` holds wire names without `$.`, `to` and `mid` always among them."""

    id: str
    payload: bytes
    system: Mapping[str, str]
    properties: Mapping[str, str | None]
    ack: str

    def topic(self, device_id: str) -> str:
        """Return the topic under which a device gets it over MQTT; ASCII."""
        properties = self.properties if self.ack == "none" else {**self.properties, ACK: self.ack}
        return f"devices/{device_id}/messages/devicebound/{write_bag(self.system, properties)}"


Queue = LockQueue[Message]
Delivery = Lent[Message]


class CloudToDevice:
    """All messages to all devices of one hub, and their feedback."""

    def __init__(self, context: Context, registry: Registry) -> None:
        self._context = context
        self._registry = registry
        self.feedback = Feedback(context)
        self.clean_session_purges = context.options.c2d_clean_session_purges

    @property
    def faults(self) -> FaultGate:
        return self._context.faults

    def enqueue(
        self,
        device_id: str,
        payload: bytes,
        system: Mapping[str, str] | None = None,
        properties: Mapping[str, str | None] | None = None,
    ) -> str:
        """Queue a message for a device. Returns its message id, made up when the sender gave none.

        Raises ServiceError: 404001 no such device, 400004 a property that breaks a rule, 403009 an expiry
        beyond two days, 413001 over 64 KB or with more properties than an MQTT topic holds, 403004 a full queue.
        """
        identity = self._registry.get(device_id)
        message = self._read(device_id, payload, dict(system or {}), dict(properties or {}))
        options, now = self._context.options, self._context.wall()
        expires = times.parse(message.system["exp"]) if "exp" in message.system else now + options.c2d_seconds
        if expires is None:
            raise ServiceError(400004, "the expiry is not a UTC time with Z")
        if expires > now + options.c2d_max_seconds:
            raise ServiceError(403009, "the expiry is later than two days from now")
        queue = self.queue(identity)
        if len(queue) >= options.c2d_queue:
            raise ServiceError(403004, f"the device already has {options.c2d_queue} messages waiting")
        self._context.emit(
            C2dEnqueued(device_id, message.id, payload, message.ack, message.system, message.properties, len(queue) + 1)
        )
        queue.put(message, max(expires - now, 0))
        return message.id

    def queue(self, identity: Identity) -> Queue:
        """Return the device's queue."""
        if identity.c2d is None:
            options = self._context.options
            identity.c2d = LockQueue(
                self._context,
                lock_seconds=options.c2d_lock_seconds,
                max_deliveries=options.c2d_max_deliveries,
                strike_on_lock_expiry=options.c2d_count_lock_expiry,
                ended=lambda lent, outcome: self._ended(identity, lent, outcome),
                returned=lambda lent, why: self._returned(identity, lent, why),
                ready=lambda: _deliver(identity),
            )
        return identity.c2d

    def delivered(self, identity: Identity, lent: Delivery, protocol: str, *, duplicate: bool = False) -> None:
        """Record that a message that was taken has gone to the device."""
        self._context.emit(C2dDelivered(identity.device_id, lent.item.id, lent.deliveries, protocol, duplicate))

    def purge(self, device_id: str) -> int:
        """Drop a device's messages; returns how many. Raises ServiceError 404001."""
        identity = self._registry.get(device_id)
        return identity.c2d.purge() if identity.c2d is not None else 0

    def _read(
        self, device_id: str, payload: bytes, system: dict[str, str], properties: dict[str, str | None]
    ) -> Message:
        unknown = system.keys() - _SYSTEM
        if unknown:
            raise ServiceError(400004, f"{sorted(unknown)[0]!r} is not a system property of a message to a device")
        messages.check(system, properties)
        ack = (properties.pop(ACK, None) or system.pop("ack", None) or "none").lower()
        if ack not in ACKS:
            raise ServiceError(400004, f"{ACK} must be one of {', '.join(ACKS)}")
        size = messages.size_of(payload, system, properties)
        if size > self._context.options.max_c2d:
            raise ServiceError(413001, f"the message has {size} bytes; the limit is {self._context.options.max_c2d}")
        system.setdefault("mid", new_guid())
        system["to"] = f"/devices/{device_id}/messages/deviceBound"
        message = Message(system["mid"], payload, system, properties, ack)
        if len(message.topic(device_id)) > _MAX_TOPIC:
            raise ServiceError(413001, f"the properties, percent-encoded, make a topic of more than {_MAX_TOPIC} bytes")
        return message

    def _ended(self, identity: Identity, lent: Delivery, outcome: Outcome) -> None:
        message = lent.item
        self._context.emit(C2dSettled(identity.device_id, message.id, outcome.value, lent.deliveries))
        wanted = message.ack == "full" or message.ack == ("negative" if outcome in _NEGATIVE else "positive")
        if wanted:
            now = utc_text(self._context.wall())
            self.feedback.add(Record(message.id, identity.device_id, identity.generation_id, now, outcome.value))

    def _returned(self, identity: Identity, lent: Delivery, why: Return) -> None:
        self._context.emit(C2dReturned(identity.device_id, lent.item.id, why.value))


def _deliver(identity: Identity) -> None:
    if identity.connection is not None:
        identity.connection.deliver_c2d()
