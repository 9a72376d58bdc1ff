"""Frames filled up to full arity, and addresses of links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.amqp.addresses import Address, Node, parse_address
from harness.emulator.amqp.frames import FrameFiller, fill

HEADER = b"AMQP\x00\x01\x00\x00"
NULL = b"\x40"


def frame(body: bytes, kind: int = 0) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + bytes((2, kind, 0, 1)) + body


def performative(code: int, fields: bytes, count: int, form: int = 0xC0, payload: bytes = b"") -> bytes:
    if form == 0x45:
        return frame(b"\x00\x53" + bytes((code, form)) + payload)
    if form == 0xC0:
        return frame(b"\x00\x53" + bytes((code, form, len(fields) + 1, count)) + fields + payload)
    size = (len(fields) + 4).to_bytes(4, "big") + count.to_bytes(4, "big")
    return frame(b"\x00\x53" + bytes((code, form)) + size + fields + payload)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        # close without an error
        (performative(0x18, b"", 0, 0x45), performative(0x18, NULL, 1)),
        # detach with handle and closed
        (performative(0x16, b"\x43\x41", 2), performative(0x16, b"\x43\x41" + NULL, 3)),
        (performative(0x16, b"\x43\x41", 2, 0xD0), performative(0x16, b"\x43\x41" + NULL, 3)),
        # transfer: the payload stays behind the list
        (
            performative(0x14, b"\x43\x43", 2, payload=b"data"),
            performative(0x14, b"\x43\x43" + NULL * 9, 11, payload=b"data"),
        ),
        # a list that outgrows its short form
        (
            performative(0x10, b"\xa1\xf7" + b"a" * 247, 1),
            performative(0x10, b"\xa1\xf7" + b"a" * 247 + NULL * 9, 10, 0xD0),
        ),
    ],
)
def test_short_lists_are_filled(short: bytes, full: bytes) -> None:
    assert fill(short) == full
    assert fill(full) == full


@pytest.mark.parametrize(
    "other", [frame(b""), frame(b"\x00\x53\x44\xc0\x03\x01\x50\x00", 1), frame(b"\x00\x53\x99\x45")]
)
def test_other_frames_pass(other: bytes) -> None:
    assert fill(other) == other


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frames_come_in_any_pieces(cuts: list[int]) -> None:
    frames = [performative(0x14, b"\x43", 1, payload=b"x" * n) for n in range(5)] + [frame(b"")]
    stream, filler, out = HEADER + b"".join(frames), FrameFiller(), b""
    for cut in [*cuts, len(stream)]:
        piece, stream = stream[:cut], stream[cut:]
        out += filler.feed(piece)
    assert out == HEADER + b"".join(fill(each) for each in frames)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$cbs", Address(Node.CBS, "$cbs")),
        ("amqps://host:5671/$cbs", Address(Node.CBS, "$cbs")),
        ("hub/$management", Address(Node.MANAGEMENT, "hub/$management")),
        ("$management", Address(Node.MANAGEMENT, "$management")),
        (
            "amqps://[::1]:5671/hub/ConsumerGroups/%24Default/Partitions/1",
            Address(Node.EVENTS, "hub/ConsumerGroups/%24Default/Partitions/1", "hub", "$Default", "1"),
        ),
        ("messages/events/$management", Address(Node.HUB_EVENTS, "messages/events/$management", rest="$management")),
        ("/Messages/Events", Address(Node.HUB_EVENTS, "Messages/Events")),
        ("/messages/deviceBound", Address(Node.DEVICE_BOUND, "messages/deviceBound")),
        ("/messages/serviceBound/feedback/", Address(Node.FEEDBACK, "messages/serviceBound/feedback")),
        ("hub/other", Address(Node.UNKNOWN, "hub/other", "hub")),
        ("", Address(Node.UNKNOWN, "")),
        (None, Address(Node.UNKNOWN, "")),
    ],
)
def test_addresses(text: str | None, expected: Address) -> None:
    assert parse_address(text) == expected
