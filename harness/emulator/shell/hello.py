"""What a client offers in its first TLS message, read off the bytes: OpenSSL tells only what both sides know."""

from __future__ import annotations

_HANDSHAKE, _CLIENT_HELLO = 0x16, 0x01
_BEFORE_SESSION_ID = 5 + 4 + 2 + 32
"""Record header, handshake header, version and random (RFC 8446, 4.1.2)."""
_RESERVED = 0x0A0A
"""GREASE values (RFC 8701) are reserved: a client strews them in, and they name nothing."""


def offered_suites(data: bytes) -> str:
    """The cipher suites of a ClientHello by IANA number, `c02b c02f`, in the client's order.

    Empty for anything else, and for a ClientHello that does not lie whole up to there in `data`.
    """
    if len(data) <= _BEFORE_SESSION_ID or data[0] != _HANDSHAKE or data[5] != _CLIENT_HELLO:
        return ""
    at = _BEFORE_SESSION_ID + 1 + data[_BEFORE_SESSION_ID]
    size = int.from_bytes(data[at : at + 2], "big")
    listed = data[at + 2 : at + 2 + size]
    if size % 2 or len(listed) < size:
        return ""
    numbers = (int.from_bytes(listed[i : i + 2], "big") for i in range(0, size, 2))
    return " ".join(f"{n:04x}" for n in numbers if n & 0x0F0F != _RESERVED)
