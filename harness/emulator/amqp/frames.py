"""Outgoing frames, filled up to the full number of fields of their performative.

AMQP lets a sender leave out null fields at the end, and Proton does. The pure-Python client of
azure-eventhub reads fields by position and breaks on a list that is too short; a list with the nulls written
out is the same to every other client (AMQP 1.0 part 1, 1.4, "Composite Type Representation").
"""

from __future__ import annotations

_ARITY = {
    0x10: 10,  # open
    0x11: 8,  # begin
    0x12: 14,  # attach
    0x13: 11,  # flow
    0x14: 11,  # transfer
    0x15: 6,  # disposition
    0x16: 3,  # detach
    0x17: 1,  # end
    0x18: 1,  # close
}
_NULL = b"\x40"
_AMQP = 0


class FrameFiller:
    """Takes the engine's output in pieces of any size and returns whole frames, filled up."""

    __slots__ = ("_header", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._header = True

    def feed(self, data: bytes) -> bytes:
        """Return what may go out; an unfinished frame waits for its end."""
        data = self._rest + data
        out: list[bytes] = []
        at = 0
        if self._header:
            if len(data) < 8:
                self._rest = data
                return b""
            out.append(data[:8])
            at, self._header = 8, False
        while at + 8 <= len(data):
            end = at + int.from_bytes(data[at : at + 4], "big")
            if end > len(data):
                break
            out.append(fill(data[at:end]))
            at = end
        self._rest = data[at:]
        return b"".join(out)


def fill(frame: bytes) -> bytes:
    """Return one frame with every field of its performative present."""
    start = frame[4] * 4
    if frame[5] != _AMQP or len(frame) < start + 4 or frame[start : start + 2] != b"\x00\x53":
        return frame
    arity = _ARITY.get(frame[start + 2])
    form = frame[start + 3]
    fields = start + 4
    if form == 0x45:  # list0
        count, body, end = 0, b"", fields
    elif form == 0xC0:  # list8: size (of count and fields), count
        end = fields + 1 + frame[fields]
        count, body = frame[fields + 1], frame[fields + 2 : end]
    elif form == 0xD0:  # list32
        end = fields + 4 + int.from_bytes(frame[fields : fields + 4], "big")
        count, body = int.from_bytes(frame[fields + 4 : fields + 8], "big"), frame[fields + 8 : end]
    else:
        return frame
    if arity is None or count >= arity:
        return frame
    body += _NULL * (arity - count)
    if len(body) < 255:
        head = bytes((0xC0, len(body) + 1, arity))
    else:
        head = b"\xd0" + (len(body) + 4).to_bytes(4, "big") + arity.to_bytes(4, "big")
    filled = frame[4 : start + 3] + head + body + frame[end:]
    return (len(filled) + 4).to_bytes(4, "big") + filled
