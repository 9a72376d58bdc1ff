from __future__ import annotations

import contextlib
import itertools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.mqtt import (
    Acknowledgement,
    Connack,
    Connect,
    Decoder,
    Disconnect,
    Packet,
    PacketTooLarge,
    Pingreq,
    Pingresp,
    Publish,
    RemoteError,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    UnsupportedProtocol,
    Will,
    encode,
)
from harness.mqtt import packets as p

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
topics = st.text(st.characters(exclude_characters="\0#+", exclude_categories=["Cs"]), min_size=1, max_size=20)
filters = st.lists(topics | st.just("+"), min_size=1, max_size=4).map("/".join) | topics.map(lambda t: t + "/#")
ids = st.integers(1, 0xFFFF)
payloads = st.binary(max_size=300)


@st.composite
def connects(draw: st.DrawFn) -> Connect:
    user_name = draw(st.none() | texts)
    return Connect(
        draw(texts),
        user_name,
        None if user_name is None else draw(st.none() | st.binary(max_size=40)),
        draw(st.booleans()),
        draw(st.integers(0, 0xFFFF)),
        draw(st.none() | st.builds(Will, topics, st.binary(max_size=40), st.integers(0, 2), st.booleans())),
    )


@st.composite
def publishes(draw: st.DrawFn) -> Publish:
    qos = draw(st.integers(0, 2))
    return Publish(
        draw(topics),
        draw(payloads),
        qos,
        draw(ids) if qos else 0,
        draw(st.booleans()) if qos else False,
        draw(st.booleans()),
    )


packets: st.SearchStrategy[Packet] = st.one_of(
    connects(),
    publishes(),
    st.builds(Connack, st.integers(0, 5), st.booleans()),
    st.builds(Acknowledgement, st.sampled_from([p.PUBACK, p.PUBREC, p.PUBREL, p.PUBCOMP]), ids),
    st.builds(Subscribe, ids, st.lists(st.tuples(filters, st.integers(0, 2)), min_size=1, max_size=4).map(tuple)),
    st.builds(Suback, ids, st.lists(st.sampled_from([0, 1, 2, 128]), min_size=1, max_size=4).map(tuple)),
    st.builds(Unsubscribe, ids, st.lists(filters, min_size=1, max_size=4).map(tuple)),
    st.builds(Unsuback, ids),
    st.sampled_from([Pingreq(), Pingresp(), Disconnect()]),
)


def decode(*chunks: bytes, limit: int = 1 << 20) -> list[Packet]:
    decoder = Decoder(limit)
    found: list[Packet] = []
    for chunk in chunks:
        decoder.feed(chunk)
        while (packet := decoder.next()) is not None:
            found.append(packet)
    return found


@given(st.lists(packets, max_size=5), st.lists(st.integers(0, 2000), max_size=8))
@settings(max_examples=200)
def test_packets_survive_the_wire_in_any_pieces(sent: list[Packet], cuts: list[int]) -> None:
    stream = b"".join(map(encode, sent))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert decode(*pieces) == sent
    decoder, found = Decoder(), []
    for piece in pieces:
        packet = decoder.next(piece)
        while packet is not None:
            found.append(packet)
            assert decoder.empty == (decoder.held == 0)
            packet = None if decoder.empty else decoder.next()
    assert found == sent


@given(st.binary(max_size=200), st.integers(1, 64))
@settings(max_examples=300)
def test_any_bytes_are_packets_or_a_remote_error(data: bytes, size: int) -> None:
    with suppress(RemoteError):
        decode(*(data[i : i + size] for i in range(0, len(data), size)), limit=100)


@given(packets, st.data())
@settings(max_examples=300)
def test_a_damaged_packet_is_a_packet_or_a_remote_error(packet: Packet, data: st.DataObject) -> None:
    damaged = bytearray(encode(packet))
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteError):
        decode(bytes(damaged))


def test_a_large_packet_is_put_together_from_single_bytes() -> None:
    packet = Publish("t", bytes(100_000), 1, 7)
    stream = encode(packet)
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == [packet]


def test_a_topic_is_judged_anew_for_each_packet() -> None:
    topics = ["a", "b", "a", "t" * 600, "a", "t" * 600]
    assert [x.topic for x in decode(*(encode(Publish(t, b"")) for t in topics)) if isinstance(x, Publish)] == topics
    for damaged in (b"\x30\x02\x00\x00", b"\x30\x03\x00\x01+"):
        with pytest.raises(RemoteError):
            decode(damaged)


def test_size_limit_is_enforced_before_the_body_arrives() -> None:
    header = encode(Publish("t", bytes(1000)))[:3]
    with pytest.raises(PacketTooLarge, match="limit is 500"):
        decode(header, limit=500)


def test_held_counts_what_was_not_returned() -> None:
    decoder = Decoder()
    stream = encode(Publish("topic", bytes(50)))
    decoder.feed(stream[:10])
    assert decoder.next() is None
    decoder.feed(stream[10:20])
    assert decoder.held == 20


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"\x00\x00", "0x00"),
        (b"\xf0\x00", "0xf0"),
        (b"\xc1\x00", "0xc1"),
        (b"\x80\x02\x00\x01", "0x80"),
        (b"\x82\x02\x00\x01", "without a topic filter"),
        (b"\x82\x06\x00\x00\x00\x01a\x00", "identifier 0"),
        (b"\x82\x06\x00\x01\x00\x01a\x03", "QoS 3"),
        (b"\x82\x08\x00\x01\x00\x03a#b\x00", "wildcard"),
        (b"\x82\x07\x00\x01\x00\x02a+\x00", "wildcard"),
        (b"\x36\x05\x00\x01t\x00\x01", "QoS 3"),
        (b"\x38\x03\x00\x01t", "DUP"),
        (b"\x30\x02\x00\x00", "empty topic"),
        (b"\x30\x03\x00\x01#", "wildcard"),
        (b"\x30\x01\x00", "without a topic"),
        (b"\x30\x03\x00\x05t", "inside its topic"),
        (b"\x32\x04\x00\x01t\x00", "identifier"),
        (b"\x32\x05\x00\x01t\x00\x00", "identifier 0"),
        (b"\x30\x04\x00\x02\xc3\x28", "not UTF-8"),
        (b"\x30\x04\x00\x02t\x00", "U+0000"),
        (b"\x30\xff\xff\xff\xff\x01", "four bytes"),
        (b"\xc0\x01\x00", "after the last field"),
        (b"\x40\x03\x00\x01\x00", "after the last field"),
        (b"\x10\x0e\x00\x04MQTT\x04\x03\x00\x00\x00\x02id", "reserved CONNECT flag"),
        (b"\x10\x0e\x00\x04MQTT\x04\x40\x00\x00\x00\x02id", "without a user name"),
        (b"\x10\x0e\x00\x04MQTT\x04\x08\x00\x00\x00\x02id", "without a will"),
        (b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x02id!", "after the last field"),
    ],
)
def test_malformed_packets_say_what_is_wrong(data: bytes, detail: str) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(data)
    assert caught.value.rule == "malformed-packet"
    assert detail in caught.value.detail


@pytest.mark.parametrize(("name", "level"), [(b"MQTT", 5), (b"MQIsdp", 3)])
def test_other_protocol_levels_are_told_apart(name: bytes, level: int) -> None:
    body = len(name).to_bytes(2, "big") + name + bytes((level, 2, 0, 0, 0, 0))
    with pytest.raises(UnsupportedProtocol):
        decode(bytes((0x10, len(body))) + body)


@pytest.mark.parametrize(
    "packet",
    [
        Publish("a/#", b""),
        Publish("", b""),
        Publish("t", b"", 3, 1),
        Publish("t", b"", 1, 0),
        Publish("x" * 65536, b""),
        Subscribe(1, (("a#", 0),)),
    ],
)
def test_what_mqtt_cannot_say_is_refused(packet: Packet) -> None:
    with pytest.raises(ValueError, match=r"topic|QoS|packet identifier|string"):
        encode(packet)


def test_password_is_not_in_the_repr() -> None:
    assert "secret" not in repr(Connect("id", "user", b"secret"))
