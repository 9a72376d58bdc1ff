"""Bytes to packets and back, for both directions of MQTT 3.1.1.

`Decoder` is pulled: `feed` takes whatever the socket gave, `next` returns the next whole packet or None.
Pulling lets a session stop between two packets (a CONNECT whose answer is delayed) and change the size limit
on the way. Whatever bytes arrive, `next` returns a packet, returns None or raises `RemoteError`; after an
error the stream is lost and the decoder must not be used again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from harness.mqtt import packets as p
from harness.mqtt.errors import PacketTooLarge, RemoteError, UnsupportedProtocol
from harness.mqtt.fields import (
    Fields,
    encode_filter,
    encode_string,
    encode_topic,
    malformed,
    to_filter,
    to_topic,
)

_CACHED_LENGTH = 512
MAX_REMAINING_LENGTH = 268_435_455
"""What four length bytes can express (3.1.1 section 2.2.3)."""


class Decoder:
    """One direction of one connection. `limit` is the longest body accepted, in bytes; it may be changed."""

    __slots__ = ("_at", "_buffer", "_missing", "_parts", "_topic", "_topic_bytes", "empty", "limit")

    def __init__(self, limit: int = MAX_REMAINING_LENGTH) -> None:
        self.limit = limit
        self._buffer = b""
        self._at = 0
        self._parts: list[bytes] = []
        self._missing = 0
        self._topic = ""
        self._topic_bytes: bytes | None = None
        self.empty = True
        """Nothing was fed that `next` has not returned."""

    def feed(self, data: bytes) -> None:
        """Append bytes as they came. Cheap however small the pieces of a large packet are."""
        if self._missing > 0:
            self._parts.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            self._buffer = b"".join(self._parts)
            self._parts = []
        elif self._at == len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._at :] + data
        self._at = 0
        self.empty = False

    @property
    def held(self) -> int:
        """Bytes fed and not yet returned as packets."""
        return len(self._buffer) - self._at + sum(map(len, self._parts))

    def next(self, data: bytes = b"") -> p.Packet | None:
        """Feed these bytes, if any; return the next packet, or None until more are fed. Raises RemoteError."""
        if data:
            if self.empty:  # written out, for it is the common case
                self._buffer, self._at, self.empty = data, 0, False
            else:
                self.feed(data)
        if self._missing > 0:
            return None
        buffer, at = self._buffer, self._at
        end = len(buffer)
        if end - at < 2:
            return None
        first = buffer[at]
        kind = first >> 4
        if kind != p.PUBLISH and first & 0x0F != _FLAGS[kind]:
            # Before the length is believed: what is not MQTT at all seldom gets further.
            raise malformed(f"no packet begins with 0x{first:02x}")
        length = buffer[at + 1]
        body = at + 2
        if length & 0x80:
            if end - at > 2 and buffer[at + 2] < 0x80:
                length = (length & 0x7F) | buffer[at + 2] << 7
                body = at + 3
            else:
                long = _long_length(buffer, at + 1, end)
                if long is None:
                    return None
                length, body = long
        if length > self.limit:
            raise PacketTooLarge(length, self.limit)
        stop = body + length
        if stop > end:
            self._parts = [buffer[at:]]
            self._buffer, self._at = b"", 0
            self._missing = stop - end
            return None
        if stop == end:
            self._buffer, self._at = b"", 0
            self.empty = True
        else:
            self._at = stop
        if kind == p.PUBLISH:
            return self._publish(first, buffer, body, stop)
        return _PARSERS[kind](kind, Fields(buffer, body, stop))

    def _publish(self, first: int, buffer: bytes, at: int, stop: int) -> p.Publish:
        # Written out, without Fields: every message of every device passes here.
        qos = (first >> 1) & 3
        dup = first & 8 != 0
        if qos == 3 or (dup and not qos):
            raise malformed("a PUBLISH with QoS 3, or with DUP at QoS 0")
        if at + 2 > stop:
            raise malformed("a PUBLISH without a topic")
        start = at + 2
        at = start + (buffer[at] << 8) + buffer[at + 1]
        packet_id = 0
        if qos:
            if at + 2 > stop:
                raise malformed("a PUBLISH that ends inside its topic or packet identifier")
            name = buffer[start:at]
            packet_id = (buffer[at] << 8) + buffer[at + 1]
            if not packet_id:
                raise malformed("packet identifier 0")
            at += 2
        else:
            if at > stop:
                raise malformed("a PUBLISH that ends inside its topic")
            name = buffer[start:at]
        # A device repeats a few topics for ever; long ones are not kept, so that nobody can fill the memory.
        if name == self._topic_bytes:
            topic = self._topic
        elif len(name) <= _CACHED_LENGTH:
            self._topic = topic = _known_topic(name)
            self._topic_bytes = name
        else:
            topic = to_topic(name)
        return p.Publish(topic, buffer[at:stop], qos, packet_id, dup, first & 1 != 0)


def _long_length(buffer: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Remaining length of two to four bytes: (length, index of the body), or None while it is incomplete."""
    length = 0
    for n in range(4):
        if at + n >= end:
            return None
        byte = buffer[at + n]
        length |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return length, at + n + 1
    raise malformed("the remaining length has more than four bytes")


@lru_cache(maxsize=4096)
def _known_topic(data: bytes) -> str:
    return to_topic(data)


def _connect(_: int, fields: Fields) -> p.Packet:
    name = fields.string()
    level = fields.byte()
    if (name, level) != ("MQTT", 4):
        raise UnsupportedProtocol(name, level)
    flags = fields.byte()
    keep_alive = fields.word()
    client_id = fields.string()
    will_qos, will_retain = (flags >> 3) & 3, bool(flags & 0x20)
    if flags & 1:
        raise malformed("the reserved CONNECT flag is set")
    will = None
    if flags & 0x04:
        if will_qos == 3:
            raise malformed("a will with QoS 3")
        will = p.Will(to_topic(fields.data()), fields.data(), will_qos, will_retain)
    elif will_qos or will_retain:
        raise malformed("will flags without a will")
    if flags & 0x40 and not flags & 0x80:
        raise malformed("a password without a user name")
    user_name = fields.string() if flags & 0x80 else None
    password = fields.data() if flags & 0x40 else None
    fields.finish()
    return p.Connect(client_id, user_name, password, bool(flags & 2), keep_alive, will)


def _connack(_: int, fields: Fields) -> p.Packet:
    flags, code = fields.byte(), fields.byte()
    if flags > 1:
        raise malformed("reserved CONNACK flags")
    fields.finish()
    return p.Connack(code, bool(flags))


def _acknowledgement(kind: int, fields: Fields) -> p.Packet:
    packet = p.Acknowledgement(kind, fields.packet_id())
    fields.finish()
    return packet


def _subscribe(_: int, fields: Fields) -> p.Packet:
    packet_id = fields.packet_id()
    filters: list[tuple[str, int]] = []
    while fields.left():
        topic_filter, qos = to_filter(fields.data()), fields.byte()
        if qos > 2:
            raise malformed(f"a subscription with QoS {qos}")
        filters.append((topic_filter, qos))
    if not filters:
        raise malformed("a SUBSCRIBE without a topic filter")
    return p.Subscribe(packet_id, tuple(filters))


def _suback(_: int, fields: Fields) -> p.Packet:
    packet_id, codes = fields.packet_id(), fields.rest()
    if not codes or any(code > 2 and code != p.SUBSCRIPTION_FAILED for code in codes):
        raise malformed("SUBACK codes")
    return p.Suback(packet_id, tuple(codes))


def _unsubscribe(_: int, fields: Fields) -> p.Packet:
    packet_id = fields.packet_id()
    filters: list[str] = []
    while fields.left():
        filters.append(to_filter(fields.data()))
    if not filters:
        raise malformed("an UNSUBSCRIBE without a topic filter")
    return p.Unsubscribe(packet_id, tuple(filters))


def _unsuback(_: int, fields: Fields) -> p.Packet:
    packet = p.Unsuback(fields.packet_id())
    fields.finish()
    return packet


def _empty(kind: int, fields: Fields) -> p.Packet:
    fields.finish()
    return _EMPTY[kind]()


_EMPTY: dict[int, Callable[[], p.Packet]] = {
    p.PINGREQ: p.Pingreq,
    p.PINGRESP: p.Pingresp,
    p.DISCONNECT: p.Disconnect,
}
_FLAGS = [-1, *[0] * 14, -1]
"""The lower four bits of the first byte for each packet type (3.1.1 section 2.2.2); types 0 and 15 do not exist."""
for _kind in (p.PUBREL, p.SUBSCRIBE, p.UNSUBSCRIBE):
    _FLAGS[_kind] = 2
_PARSERS: dict[int, Callable[[int, Fields], p.Packet]] = {
    p.CONNECT: _connect,
    p.CONNACK: _connack,
    p.PUBACK: _acknowledgement,
    p.PUBREC: _acknowledgement,
    p.PUBREL: _acknowledgement,
    p.PUBCOMP: _acknowledgement,
    p.SUBSCRIBE: _subscribe,
    p.SUBACK: _suback,
    p.UNSUBSCRIBE: _unsubscribe,
    p.UNSUBACK: _unsuback,
    p.PINGREQ: _empty,
    p.PINGRESP: _empty,
    p.DISCONNECT: _empty,
}


# --- encoding ----------------------------------------------------------------------------------------


def encode(packet: p.Packet) -> bytes:
    """Return the packet's bytes. Raises ValueError for what MQTT cannot say (a wildcard in a topic, QoS 3)."""
    return _ENCODERS[type(packet)](packet)


def publish(topic: str, payload: bytes, qos: int = 0, packet_id: int = 0, *, dup: bool = False) -> bytes:
    """Encode a PUBLISH, the one packet a server sends often enough to skip the dataclass."""
    return _encode_publish(p.Publish(topic, payload, qos, packet_id, dup))


def _packet(first: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:
        return bytes((first, length)) + body
    if length > MAX_REMAINING_LENGTH:
        raise ValueError(f"a body of {length} bytes does not fit into an MQTT packet")
    header = bytearray((first,))
    while True:
        length, byte = length >> 7, length & 0x7F
        header.append(byte | 0x80 if length else byte)
        if not length:
            return bytes(header) + body


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _id(packet_id: int) -> bytes:
    if not 0 < packet_id <= 0xFFFF:
        raise ValueError(f"packet identifier {packet_id}")
    return packet_id.to_bytes(2, "big")


def _encode_connect(packet: p.Connect) -> bytes:
    will, flags = packet.will, 0x02 if packet.clean_session else 0
    body = [encode_string(packet.client_id)]
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        body += [encode_topic(will.topic), _word(len(will.payload)), will.payload]
    if packet.user_name is not None:
        flags |= 0x80
        body.append(encode_string(packet.user_name))
    if packet.password is not None:
        flags |= 0x40
        body += [_word(len(packet.password)), packet.password]
    head = b"\0\4MQTT\4" + bytes((flags,)) + _word(packet.keep_alive)
    return _packet(p.CONNECT << 4, head + b"".join(body))


def _encode_publish(packet: p.Publish) -> bytes:
    if not 0 <= packet.qos <= 2:
        raise ValueError(f"QoS {packet.qos}")
    first = p.PUBLISH << 4 | (8 if packet.dup else 0) | packet.qos << 1 | (1 if packet.retain else 0)
    packet_id = _id(packet.packet_id) if packet.qos else b""
    return _packet(first, encode_topic(packet.topic) + packet_id + packet.payload)


def _encode_acknowledgement(packet: p.Acknowledgement) -> bytes:
    return _packet(packet.kind << 4 | _FLAGS[packet.kind], _id(packet.packet_id))


def _encode_subscribe(packet: p.Subscribe) -> bytes:
    filters = [encode_filter(name) + bytes((qos,)) for name, qos in packet.filters]
    return _packet(p.SUBSCRIBE << 4 | 2, _id(packet.packet_id) + b"".join(filters))


def _encode_unsubscribe(packet: p.Unsubscribe) -> bytes:
    filters = [encode_filter(name) for name in packet.filters]
    return _packet(p.UNSUBSCRIBE << 4 | 2, _id(packet.packet_id) + b"".join(filters))


_ENCODERS: dict[type, Callable[..., bytes]] = {
    p.Connect: _encode_connect,
    p.Connack: lambda x: bytes((p.CONNACK << 4, 2, x.session_present, x.return_code)),
    p.Publish: _encode_publish,
    p.Acknowledgement: _encode_acknowledgement,
    p.Subscribe: _encode_subscribe,
    p.Suback: lambda x: _packet(p.SUBACK << 4, _id(x.packet_id) + bytes(x.codes)),
    p.Unsubscribe: _encode_unsubscribe,
    p.Unsuback: lambda x: _packet(p.UNSUBACK << 4, _id(x.packet_id)),
    p.Pingreq: lambda _: bytes((p.PINGREQ << 4, 0)),
    p.Pingresp: lambda _: bytes((p.PINGRESP << 4, 0)),
    p.Disconnect: lambda _: bytes((p.DISCONNECT << 4, 0)),
}

__all__ = ["MAX_REMAINING_LENGTH", "Decoder", "RemoteError", "encode", "publish"]
