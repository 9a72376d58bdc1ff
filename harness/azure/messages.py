"""An event of the hub's built-in endpoint as the record's `TelemetryReceived`.

Names: IoT Hub documentation, "Create and read IoT Hub messages" (system properties of device-to-cloud messages) and the
plug and play conventions (`dt-subject` is the component, `dt-dataschema` the model id).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.record.events import TelemetryReceived

_TELEMETRY = "telemetry"
_SYSTEM = {"message-id": "mid", "correlation-id": "cid", "user-id": "uid"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message and where it stood: `enqueued` is Unix time; order is by `sequence` within a `partition`."""

    event: TelemetryReceived
    enqueued: float
    sequence: int
    partition: str


def device_of(event: Any) -> str:
    """The device id of an azure-eventhub EventData; empty where the hub did not say."""
    return _text(_annotations(event).get(b"iothub-connection-device-id"))


def is_telemetry(event: Any) -> bool:
    """Whether a device sent it; routes may bring twin changes and the like to the same endpoint."""
    source = _text(_annotations(event).get(b"iothub-message-source"))
    return not source or source.lower() == _TELEMETRY


def delivered(event: Any, partition: str) -> Delivered:
    """What an azure-eventhub EventData says."""
    annotations = _annotations(event)
    system = {name: _text(value) for name, value in _system(event).items() if value not in (None, b"", "")}
    told: dict[str, str | None] = {wire: system[name] for name, wire in _SYSTEM.items() if name in system}
    content_type, encoding = system.get("content-type"), system.get("content-encoding")
    component = _text(annotations.get(b"dt-subject")) or None
    for wire, value in (("ct", content_type), ("ce", encoding), ("sub", component)):
        if value:
            told[wire] = value
    enqueued = event.enqueued_time
    return Delivered(
        TelemetryReceived(
            device_id=device_of(event),
            module_id=_text(annotations.get(b"iothub-connection-module-id")) or None,
            component=component,
            payload=_payload(event),
            content_type=content_type,
            content_encoding=encoding,
            model_id=_text(annotations.get(b"dt-dataschema")) or None,
            system=told,
            properties={_text(k): None if v is None else _text(v) for k, v in (event.properties or {}).items()},
        ),
        enqueued.timestamp() if enqueued is not None else 0.0,
        event.sequence_number if event.sequence_number is not None else -1,
        partition,
    )


def _annotations(event: Any) -> Mapping[bytes, Any]:
    return event.raw_amqp_message.annotations or {}


def _system(event: Any) -> dict[str, Any]:
    properties = event.raw_amqp_message.properties
    if properties is None:
        return {}
    return {
        "message-id": properties.message_id,
        "correlation-id": properties.correlation_id,
        "user-id": properties.user_id,
        "content-type": properties.content_type,
        "content-encoding": properties.content_encoding,
    }


def _payload(event: Any) -> bytes:
    """The bytes as they were sent; of an AMQP value, which only devices on AMQP can send, its JSON."""
    body = event.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    try:
        parts = list(body)
    except TypeError:
        parts = [body]
    if all(isinstance(part, (bytes, bytearray, memoryview)) for part in parts):
        return b"".join(parts)
    return json.dumps(body if isinstance(body, Mapping) else parts, default=_text).encode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
