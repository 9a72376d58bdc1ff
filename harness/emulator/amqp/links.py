"""What a link of a connection can be: a reader of a partition, a request node's two ways, C2D in, feedback out.

A link's object knows its Proton link and what it does; attaching, authorization and closing are the
connection's (connection.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from proton import Condition, Delivery, Receiver, Sender

from harness.emulator.amqp.addresses import Address
from harness.emulator.amqp.encoding import (
    Received,
    decode,
    encode_event,
    encode_feedback,
)
from harness.emulator.amqp.journal import Partition
from harness.emulator.amqp.peerdata import Unreadable
from harness.emulator.context import utc_text
from harness.emulator.errors import ServiceError
from harness.emulator.hub.c2d import CloudToDevice
from harness.emulator.hub.feedback import Feedback, Record, body
from harness.emulator.hub.locks import Lent

Wake = Callable[[], None]
Readers = dict[object, Wake]

CREDIT = 100
MAX_REQUEST = 256 * 1024
"""Bytes of a message that comes in."""
_MAX_REPLIES = 200

_CONDITIONS = {
    400004: "amqp:invalid-field",
    403004: "amqp:resource-limit-exceeded",
    404001: "amqp:not-found",
    413001: "amqp:link:message-size-exceeded",
}
"""AMQP's names for Azure's errors, as the service SDKs map them back."""


class Link(Protocol):
    """The connection's view of one."""

    address: Address

    def pump(self, budget: int) -> int:
        """Send up to so many messages; return how many were sent."""

    def delivery(self, delivery: Delivery) -> None:
        """React to a message that came in, or to the fate of one that went out."""

    def closed(self) -> None:
        """Let go of what was held."""


class EventReader:
    """Sends one partition to one consumer, from a position on, as its credit allows.

    Everything goes out settled: a stream of events keeps no state for a consumer, and azure-eventhub never
    settles.
    """

    def __init__(
        self,
        sender: Sender,
        address: Address,
        partition: Partition,
        sequence: int,
        wake: Wake,
        steal: Callable[[str], None],
        epoch: int | None,
    ) -> None:
        """`epoch` is the consumer's owner level, None without; `steal` closes the link for a stronger one."""
        self.address = address
        self.epoch = epoch
        self.partition = partition
        self.steal = steal
        self._sender = sender
        self._sequence = sequence
        self._tag = 0
        partition.readers[self] = wake

    def pump(self, budget: int) -> int:
        sender, read = self._sender, self.partition.read
        limit = min(budget, sender.credit)
        sent = 0
        while sent < limit:
            event = read(self._sequence)
            if event is None:
                break
            self._sequence = event.sequence + 1
            self._tag += 1
            delivery = sender.delivery(str(self._tag))
            sender.stream(encode_event(event))
            delivery.settle()
            sent += 1
        if sent < budget and sender.drain_mode:
            sender.drained()
        return sent

    def delivery(self, delivery: Delivery) -> None:
        delivery.settle()

    def closed(self) -> None:
        self.partition.readers.pop(self, None)


class ReplyLink:
    """The way back of a request node: answers wait here for credit."""

    def __init__(self, sender: Sender, address: Address, reply_to: str | None) -> None:
        self.address = address
        self.reply_to = reply_to
        self._sender = sender
        self._waiting: deque[bytes] = deque(maxlen=_MAX_REPLIES)
        self._tag = 0

    def put(self, reply: bytes) -> None:
        self._waiting.append(reply)

    def pump(self, budget: int) -> int:
        sent = 0
        while self._waiting and sent < budget and self._sender.credit > 0:
            self._tag += 1
            delivery = self._sender.delivery(str(self._tag))
            self._sender.stream(self._waiting.popleft())
            delivery.settle()
            sent += 1
        return sent

    def delivery(self, delivery: Delivery) -> None:
        delivery.settle()

    def closed(self) -> None:
        self._waiting.clear()


class Inbox:
    """A link on which messages come in. `take` handles one and raises `Rejected` to refuse it."""

    def __init__(
        self, receiver: Receiver, address: Address, take: Callable[[Received], None], oversized: Callable[[], None]
    ) -> None:
        self.address = address
        self._receiver = receiver
        self._take = take
        self._oversized = oversized

    def pump(self, budget: int) -> int:
        return 0

    def delivery(self, delivery: Delivery) -> None:
        if delivery.pending > MAX_REQUEST:
            self._oversized()
            return
        if delivery.partial or not delivery.readable:
            return
        data = self._receiver.recv(delivery.pending) or b""
        self._receiver.advance()
        if not delivery.aborted:
            try:
                self._take(decode(bytes(data)))
            except Unreadable as error:
                _reject(delivery, "amqp:decode-error", str(error))
            except Rejected as error:
                _reject(delivery, error.condition, str(error))
            else:
                delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        self._receiver.flow(1)

    def closed(self) -> None:
        """Nothing is held."""


class FeedbackLink:
    """Sends batches of feedback, one transfer each, and settles a batch as the service settles the transfer."""

    def __init__(self, sender: Sender, address: Address, feedback: Feedback, readers: Readers, wake: Wake) -> None:
        self.address = address
        self._sender = sender
        self._feedback = feedback
        self._readers = readers
        self._lent: dict[str, Lent[tuple[Record, ...]]] = {}
        self._tag = 0
        readers[self] = wake

    def pump(self, budget: int) -> int:
        sent = 0
        while sent < budget and self._sender.credit > 0:
            batch = self._feedback.take()
            if batch is None:
                break
            self._tag += 1
            tag = str(self._tag)
            self._lent[tag] = batch
            self._sender.delivery(tag)
            self._sender.stream(encode_feedback(body(batch.item), batch.token or tag))
            self._sender.advance()
            sent += 1
        return sent

    def delivery(self, delivery: Delivery) -> None:
        if not delivery.updated:
            return
        batch = self._lent.pop(delivery.tag, None)
        if batch is not None and batch.token is not None:
            feedback, outcome = self._feedback, delivery.remote_state
            if outcome == Delivery.ACCEPTED:
                feedback.complete(batch.token)
            else:
                (feedback.reject if outcome == Delivery.REJECTED else feedback.abandon)(batch.token)
        delivery.settle()

    def closed(self) -> None:
        self._readers.pop(self, None)
        for batch in self._lent.values():
            self._feedback.release(batch)
        self._lent.clear()


class Rejected(Exception):
    """A message is refused with an AMQP condition."""

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(message)
        self.condition = condition


def send_to_device(queue: CloudToDevice, message: Received) -> None:
    """Queue a message that came in on `messages/devicebound`. Raises Rejected."""
    to = [part for part in (message.to or "").split("/") if part]
    if len(to) != 4 or to[0].lower() != "devices" or [part.lower() for part in to[2:]] != ["messages", "devicebound"]:
        raise Rejected("amqp:not-found", "the property `to` is not /devices/{id}/messages/devicebound")
    data = message.body.encode() if isinstance(message.body, str) else message.body
    if not isinstance(data, bytes):
        raise Rejected("amqp:not-implemented", "the message has no body of data")
    system = {
        "mid": message.message_id,
        "cid": message.correlation_id,
        "uid": message.user_id.decode(errors="replace") or None,
        "ct": message.content_type,
        "ce": message.content_encoding,
        "exp": _time(message.expiry),
    }
    told = {key: str(value) for key, value in system.items() if value is not None}
    properties: dict[str, str | None] = {str(key): _text(value) for key, value in message.properties.items()}
    try:
        queue.enqueue(to[1], data, told, properties)
    except ServiceError as error:
        raise Rejected(_CONDITIONS.get(error.code, "amqp:not-allowed"), error.message) from None


def _time(seconds: float) -> str | None:
    try:
        return utc_text(seconds) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        raise Rejected("amqp:invalid-field", "absolute-expiry-time is beyond all years") from None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reject(delivery: Delivery, condition: str, description: str) -> None:
    delivery.local.condition = Condition(condition, description, {"emulator": "preflight"})
    delivery.update(Delivery.REJECTED)
