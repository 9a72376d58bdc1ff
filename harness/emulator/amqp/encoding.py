"""Messages as bytes: telemetry with Azure's annotations, answers of request nodes, feedback; and requests read.

Sections are encoded with Proton's `Data` and put together here. What is the same for all messages of a
device is encoded once: the annotations of a message are a constant and four numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from proton import Data, Described, Message, int32, symbol, ulong

from harness.emulator.amqp.journal import StoredEvent
from harness.emulator.amqp.peerdata import owned, reading
from harness.emulator.hub.feedback import CONTENT_TYPE

_PROPERTIES, _APPLICATION, _DATA, _VALUE = 0x73, 0x74, 0x75, 0x77
_MAP32_HEAD = 9
"""Type code, size and count, 4 bytes each."""
_NUMBERS = (
    b"\xa3\x15x-opt-sequence-number\x81%b\xa3\x13x-opt-enqueued-time\x83%b"
    b"\xa3\x13iothub-enqueuedtime\x83%b\xa3\x0cx-opt-offset\xa1%c%b"
)
_BINARY32 = b"\x00\x53\x75\xb0"


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in. `body` is bytes for data, else the value; `properties` the application's."""

    body: Any
    message_id: Any = None
    correlation_id: Any = None
    to: str | None = None
    reply_to: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    user_id: bytes = b""
    expiry: float = 0.0
    properties: Mapping[str, Any] = field(default_factory=dict)


def decode(data: bytes) -> Received:
    """Raises Unreadable."""
    return reading(lambda: _decode(data))


def _decode(data: bytes) -> Received:
    message = Message()
    message.decode(data)
    return Received(
        owned(message.body),
        owned(message.id),
        owned(message.correlation_id),
        message.address,
        message.reply_to,
        _given(message.content_type),
        _given(message.content_encoding),
        bytes(message.user_id or b""),
        message.expiry_time or 0.0,
        owned(message.properties) if isinstance(message.properties, dict) else {},
    )


def _given(text: str | None) -> str | None:
    # Proton makes a symbol of what is not there too, and that reads "None".
    return None if text in (None, "", "None") else str(text)


def encode_event(event: StoredEvent) -> bytes:
    """Return the event as the built-in endpoint delivers it; the result is kept in the event."""
    if event.encoded is None:
        message = event.message
        constant, pairs = _device_annotations(
            message.device_id,
            message.module_id,
            event.authentication,
            event.generation_id,
            message.model_id,
            message.component,
        )
        offset = str(event.offset).encode()
        time = struct.pack(">q", event.enqueued)
        numbers = _NUMBERS % (struct.pack(">q", event.sequence), time, time, len(offset), offset)
        size = len(constant) + len(numbers) + 4
        parts = [b"\x00\x53\x72\xd1", struct.pack(">II", size, pairs + 8), numbers, constant]
        system = message.system
        parts.append(
            _properties(
                message.device_id,
                message.module_id,
                system.get("mid"),
                system.get("cid"),
                system.get("uid"),
                message.content_type,
                message.content_encoding,
            )
        )
        if message.properties:
            parts.append(_section(_APPLICATION, dict(message.properties)))
        parts += (_BINARY32, struct.pack(">I", len(message.payload)), message.payload)
        event.encoded = b"".join(parts)
    return event.encoded


def encode_reply(correlation_id: Any, status: int, description: str, body: Mapping[str, Any] | None = None) -> bytes:
    """Return the answer of a request node, its status under both spellings that clients look for."""
    if isinstance(correlation_id, int):  # the one kind of number that an id can be; uamqp's are
        correlation_id = ulong(correlation_id)
    told = {"status-code": status, "statusCode": status}
    told_in_words = {"status-description": description, "statusDescription": description}
    properties = {key: int32(value) for key, value in told.items()} | told_in_words
    value = None if body is None else dict(body)
    return (
        _section(_PROPERTIES, [None, None, None, None, None, correlation_id])
        + _section(_APPLICATION, properties)
        + _section(_VALUE, value)
    )


def encode_feedback(body: bytes, message_id: str) -> bytes:
    """Return one batch of feedback."""
    properties = [message_id, None, None, None, None, None, symbol(CONTENT_TYPE), symbol("utf-8")]
    return _section(_PROPERTIES, properties) + _section(_DATA, body)


@lru_cache(maxsize=4096)
def _device_annotations(
    device_id: str,
    module_id: str | None,
    authentication: str,
    generation_id: str,
    model_id: str | None,
    component: str | None,
) -> tuple[bytes, int]:
    """Encode the pairs that do not change from message to message; also returns how many values they are."""
    kind = "device" if module_id is None else "module"
    method = {"scope": kind, "type": authentication, "issuer": "iothub", "acceptingIpFilterRule": None}
    pairs = {
        "iothub-connection-device-id": device_id,
        "iothub-connection-module-id": module_id,
        "iothub-connection-auth-method": json.dumps(method, separators=(",", ":")),
        "iothub-connection-auth-generation-id": generation_id,
        "iothub-message-source": "Telemetry",
        "dt-dataschema": model_id,
        "dt-subject": component,
    }
    present = {symbol(key): value for key, value in pairs.items() if value is not None}
    return _encode(present)[_MAP32_HEAD:], 2 * len(present)


@lru_cache(maxsize=4096)
def _properties(
    device_id: str,
    module_id: str | None,
    message_id: str | None,
    correlation_id: str | None,
    user_id: str | None,
    content_type: str | None,
    content_encoding: str | None,
) -> bytes:
    to = f"/devices/{device_id}" + (f"/modules/{module_id}" if module_id else "") + "/messages/events"
    user = user_id.encode() if user_id else None
    types = [symbol(text) if text and text.isascii() else None for text in (content_type, content_encoding)]
    return _section(_PROPERTIES, [message_id, user, to, None, None, correlation_id, *types])


def _section(code: int, value: Any) -> bytes:
    return _encode(Described(ulong(code), value))


def _encode(value: Any) -> bytes:
    data = Data()
    data.put_object(value)
    return bytes(data.encode())
