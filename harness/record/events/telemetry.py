"""Device-to-cloud messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.record.events.base import Event, event


# Not frozen like the others: that costs more than all else that is done for a message. Nobody changes one.
@event
@dataclass(slots=True)
class TelemetryReceived(Event):
    """One device-to-cloud message. `system` holds the `$.`-properties by wire name without `$.`.

    `enqueued` is when the hub took it (Unix time), where the message comes by way of the hub's own endpoint.
    """

    device_id: str
    module_id: str | None
    component: str | None
    payload: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    model_id: str | None = None
    system: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    qos: int = 1
    enqueued: float | None = None
