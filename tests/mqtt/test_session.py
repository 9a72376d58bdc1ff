from __future__ import annotations

import pytest

from harness.mqtt import (
    Acknowledgement,
    Connack,
    Connect,
    Disconnect,
    Limits,
    Packet,
    Pingreq,
    Pingresp,
    Publish,
    RemoteError,
    ServerSession,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    encode,
)
from harness.mqtt.packets import PUBACK, PUBREL
from tests.mqtt.fakes import Client, FakeTimers


class Echo:
    """Application and handler in one: notes everything, acknowledges everything."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.decide = True

    def connect(self, session: ServerSession, packet: Connect) -> None:
        self.seen.append(packet)
        if self.decide:
            session.accept(self, keep_alive=packet.keep_alive)

    def publish(self, session: ServerSession, packet: Publish) -> None:
        if packet.topic == "bad":
            raise RemoteError("bad-topic", "not that one")
        self.seen.append(packet)
        session.puback(packet)

    def subscribe(self, session: ServerSession, packet: Subscribe) -> None:
        session.suback(packet, tuple(min(qos, 1) for _, qos in packet.filters))

    def unsubscribe(self, session: ServerSession, packet: Unsubscribe) -> None:
        session.unsuback(packet)

    def acknowledged(self, session: ServerSession, packet_id: int) -> None:
        self.seen.append(packet_id)

    def silent(self, session: ServerSession, seconds: float) -> None:
        session.close(f"silent for {seconds:g} s")

    def violated(self, session: ServerSession, error: RemoteError) -> None:
        self.seen.append(error.rule)

    def ended(self, session: ServerSession, by: str, reason: str, error_code: int | None) -> None:
        self.seen.append((by, reason))


@pytest.fixture
def timers() -> FakeTimers:
    return FakeTimers()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def client(echo: Echo, timers: FakeTimers) -> Client:
    return Client(echo, timers, Limits(connect_seconds=10))


def connected(client: Client, keep_alive: int = 0) -> Client:
    assert client.one(Connect("id", keep_alive=keep_alive)) == Connack(0)
    return client


def test_each_request_gets_its_answer(client: Client, echo: Echo) -> None:
    connected(client)
    assert client.one(Subscribe(5, (("a", 0), ("b", 2)))) == Suback(5, (0, 1))
    assert client.one(Unsubscribe(6, ("a",))) == Unsuback(6)
    assert client.one(Publish("t", b"1", 1, 9)) == Acknowledgement(PUBACK, 9)
    assert client.send(Publish("t", b"2")) == []
    assert client.one(Pingreq()) == Pingresp()


def test_disconnect_ends_it_and_later_packets_are_ignored(client: Client, echo: Echo) -> None:
    connected(client).send(Disconnect(), Publish("t", b""))
    assert client.closed
    assert echo.seen[1:] == [("device", "DISCONNECT")]


@pytest.mark.parametrize("packet", [Publish("t", b""), Pingreq(), Disconnect(), Connack(0)])
def test_the_first_packet_must_be_connect(client: Client, echo: Echo, packet: Packet) -> None:
    assert client.send(packet) == []
    assert client.closed
    assert echo.seen == ["connect-first"]


@pytest.mark.parametrize("packet", [Connect("again"), Connack(0), Suback(1, (0,)), Acknowledgement(PUBREL, 3)])
def test_packets_that_do_not_belong_close(client: Client, echo: Echo, packet: Packet) -> None:
    connected(client).send(packet)
    assert client.closed
    assert echo.seen[1] == "unexpected-packet"


def test_another_protocol_level_is_told_so(client: Client) -> None:
    client.session.receive(b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x00\x00\x00")
    assert client.received() == [Connack(1)]
    assert client.closed


def test_no_client_id_needs_a_clean_session(client: Client) -> None:
    assert client.one(Connect("", clean_session=False)) == Connack(2)
    assert client.closed


def test_a_breach_in_a_handler_closes_after_what_came_before(client: Client, echo: Echo) -> None:
    connected(client)
    stream = [Publish("t", b"", 1, 1), Publish("bad", b"", 1, 2), Publish("t", b"", 1, 3)]
    client.session.receive(b"".join(map(encode, stream)))
    assert client.received() == [Acknowledgement(PUBACK, 1)]
    assert echo.seen[2:] == ["bad-topic", ("service", "bad-topic: not that one")]


def test_keep_alive_is_one_and_a_half_times_and_any_packet_counts(
    client: Client, echo: Echo, timers: FakeTimers
) -> None:
    connected(client, keep_alive=10)
    timers.advance(14)
    client.send(Pingreq())
    timers.advance(14.9)
    assert not client.closed
    timers.advance(0.2)
    assert client.closed
    assert echo.seen[-1] == ("service", "silent for 15 s")


def test_keep_alive_is_capped_and_zero_means_none(echo: Echo, timers: FakeTimers) -> None:
    capped = connected(Client(echo, timers, Limits(keep_alive=100)), keep_alive=10_000)
    endless = connected(Client(echo, timers), keep_alive=0)
    timers.advance(101)
    assert capped.closed
    timers.advance(1e6)
    assert not endless.closed
    assert timers.pending == 0


def test_connect_must_come_in_time(client: Client, echo: Echo, timers: FakeTimers) -> None:
    timers.advance(10.1)
    assert client.closed
    assert echo.seen == ["connect-timeout"]


def test_a_packet_must_be_completed_in_time_without_keep_alive_too(echo: Echo, timers: FakeTimers) -> None:
    client = connected(Client(echo, timers, Limits(packet_seconds=60)), keep_alive=0)
    packet = encode(Publish("t", bytes(100), 1, 1))
    client.session.receive(packet[:1])
    timers.advance(59)
    client.session.receive(packet[1:-1])  # nor may it come drop by drop
    timers.advance(0.5)
    assert not client.closed
    timers.advance(1)
    assert client.closed
    assert echo.seen[-2:] == [
        "packet-timeout",
        ("service", "packet-timeout: a packet was begun and not completed within 60 s"),
    ]
    assert timers.pending == 0


def test_each_packet_has_its_own_time(echo: Echo, timers: FakeTimers) -> None:
    client = connected(Client(echo, timers, Limits(packet_seconds=60)), keep_alive=0)
    packet = encode(Publish("t", bytes(100), 1, 1))
    client.session.receive(packet[:50])
    timers.advance(50)
    client.session.receive(packet[50:] + packet[:50])
    timers.advance(59)
    client.session.receive(packet[50:])
    timers.advance(30)
    client.session.receive(packet[:50])
    timers.advance(59)
    client.session.receive(packet[50:])
    assert len(client.received()) == 3
    timers.advance(1e6)
    assert not client.closed
    assert timers.pending == 0


def test_what_came_with_connect_is_timed_from_its_answer(echo: Echo, timers: FakeTimers) -> None:
    echo.decide = False
    client = Client(echo, timers, Limits(packet_seconds=60))
    client.session.receive(encode(Connect("id")) + encode(Publish("t", bytes(100)))[:50])
    timers.advance(5)
    client.session.accept(echo, keep_alive=0)
    timers.advance(59)
    assert not client.closed
    timers.advance(2)
    assert client.closed


def test_what_follows_an_undecided_connect_waits(client: Client, echo: Echo) -> None:
    echo.decide = False
    assert client.send(Connect("id"), Publish("t", b"", 1, 1), Pingreq()) == []
    client.session.accept(echo, keep_alive=0)
    assert client.received() == [Connack(0), Acknowledgement(PUBACK, 1), Pingresp()]


def test_an_undecided_connect_does_not_collect_data_for_ever(echo: Echo, timers: FakeTimers) -> None:
    echo.decide = False
    client = Client(echo, timers, Limits(connect=1000))
    client.send(Connect("id"), *[Publish("t", bytes(400))] * 4)
    assert client.closed
    assert echo.seen[-1] == "too-much-before-connack"


def test_a_connect_left_undecided_is_cut(client: Client, echo: Echo, timers: FakeTimers) -> None:
    echo.decide = False
    client.send(Connect("id"))
    timers.advance(11)
    assert client.aborted


def test_size_limits_before_and_after_connect(echo: Echo, timers: FakeTimers) -> None:
    limits = Limits(connect=100, packet=1000)
    client = Client(echo, timers, limits)
    client.send(Connect("x" * 200))
    assert client.closed
    client = connected(Client(echo, timers, limits))
    assert client.send(Publish("t", bytes(900), 1, 1)) == [Acknowledgement(PUBACK, 1)]
    client.send(Publish("t", bytes(1000), 1, 2))
    assert client.closed


def test_outgoing_identifiers_are_free_ones(client: Client, echo: Echo) -> None:
    connected(client)
    first, second = client.session.send("t", b"1", 1), client.session.send("t", b"2", 1)
    assert first != second
    assert client.session.inflight == {first, second}
    client.send(Acknowledgement(PUBACK, first), Acknowledgement(PUBACK, first), Acknowledgement(PUBACK, 999))
    assert client.session.inflight == {second}
    assert echo.seen[1:] == [first]


def test_a_client_that_never_acknowledges_is_dropped(client: Client, echo: Echo) -> None:
    connected(client)
    client.session.inflight.update(range(1, 0x10000))
    assert client.session.send("t", b"", 1) == 0
    assert client.closed
    assert "no-acknowledgements" in echo.seen


def test_the_end_is_told_once(client: Client, echo: Echo) -> None:
    connected(client)
    client.session.cut("a fault")
    client.session.lost("the network")
    client.session.close("again")
    assert client.aborted
    assert echo.seen[1:] == [("service", "a fault")]
