"""The fields that MQTT packets are made of: words, data, strings, topics, and the rules for each (3.1.1
section 1.5).
"""

from __future__ import annotations

from harness.mqtt.errors import RemoteError


def malformed(detail: str) -> RemoteError:
    """The error for bytes that are not an MQTT packet."""
    return RemoteError("malformed-packet", detail)


class Fields:
    """A reader over one packet's body; reading past its end is the sender's error."""

    __slots__ = ("_at", "_buffer", "_stop")

    def __init__(self, buffer: bytes, at: int, stop: int) -> None:
        self._buffer = buffer
        self._at = at
        self._stop = stop

    def _take(self, count: int) -> bytes:
        at = self._at
        if at + count > self._stop:
            raise malformed("a packet that ends inside a field")
        self._at = at + count
        return self._buffer[at : at + count]

    def byte(self) -> int:
        return self._take(1)[0]

    def word(self) -> int:
        return int.from_bytes(self._take(2), "big")

    def data(self) -> bytes:
        return self._take(self.word())

    def string(self) -> str:
        return to_string(self.data())

    def packet_id(self) -> int:
        value = self.word()
        if not value:
            raise malformed("packet identifier 0")
        return value

    def rest(self) -> bytes:
        return self._take(self._stop - self._at)

    def left(self) -> bool:
        return self._at < self._stop

    def finish(self) -> None:
        if self._at != self._stop:
            raise malformed("bytes after the last field of a packet")


def to_string(data: bytes) -> str:
    """Decode a UTF-8 string without U+0000 [MQTT-1.5.3-1, -2]."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise malformed("a string that is not UTF-8") from None
    if "\0" in text:
        raise malformed("a string with U+0000")
    return text


def to_topic(data: bytes) -> str:
    """Decode a topic name: not empty, no wildcard [MQTT-3.3.2-2, -4.7.3-1]."""
    topic = to_string(data)
    if not topic or "#" in topic or "+" in topic:
        raise malformed("an empty topic name, or one with a wildcard")
    return topic


def to_filter(data: bytes) -> str:
    """Decode a topic filter, wildcards only where section 4.7.1 allows them."""
    text = to_string(data)
    if not is_filter(text):
        raise malformed("a topic filter that is empty or misuses a wildcard")
    return text


def is_filter(text: str) -> bool:
    """Whether the text is a well-formed topic filter."""
    if not text:
        return False
    if "#" not in text and "+" not in text:
        return True
    levels = text.split("/")
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return False
    return all("+" not in level or level == "+" for level in levels)


def encode_string(text: str) -> bytes:
    data = text.encode()
    if len(data) > 0xFFFF or "\0" in text:
        raise ValueError("an MQTT string is at most 65535 bytes, without U+0000")
    return len(data).to_bytes(2, "big") + data


def encode_topic(topic: str) -> bytes:
    if not topic or "#" in topic or "+" in topic:
        raise ValueError(f"not a topic name: {topic!r}")
    return encode_string(topic)


def encode_filter(text: str) -> bytes:
    if not is_filter(text):
        raise ValueError(f"not a topic filter: {text!r}")
    return encode_string(text)
