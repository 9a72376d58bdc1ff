"""Cloud-to-device messages: queued, delivered, settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class C2dEnqueued(Event):
    """The service sent a message to a device. `waiting` counts the device's messages with this one."""

    device_id: str
    message_id: str
    payload: bytes
    ack: str = "none"
    system: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    waiting: int = 1


@event
@dataclass(frozen=True, slots=True)
class C2dDelivered(Event):
    """A message went to the device, for the `delivery`-th time. `duplicate` when MQTT's DUP was set."""

    device_id: str
    message_id: str
    delivery: int
    protocol: str
    duplicate: bool = False


@event
@dataclass(frozen=True, slots=True)
class C2dReturned(Event):
    """A delivered message waits again: abandoned, lock-expired or connection-ended."""

    device_id: str
    message_id: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class C2dSettled(Event):
    """A message left its queue: Success, Rejected, Expired, DeliveryCountExceeded or Purged."""

    device_id: str
    message_id: str
    outcome: str
    deliveries: int
