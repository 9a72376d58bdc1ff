"""The AMQP side of the hub as one client meets it, without sockets: SASL, tokens, links, limits."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

proton = pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")

from proton import Delivery, Endpoint, Message, ulong  # noqa: E402

from harness.emulator.amqp.connection import AmqpConnection  # noqa: E402
from harness.emulator.amqp.encoding import decode  # noqa: E402
from harness.emulator.amqp.peerdata import Unreadable  # noqa: E402
from harness.emulator.amqp.sasl import MECHANISMS  # noqa: E402
from harness.emulator.options import EmulatorOptions  # noqa: E402
from tests.emulator.amqp.fakes import (  # noqa: E402
    ENTITY,
    PARTITION,
    SASL_HEADER,
    AmqpWorld,
    Client,
    payloads,
    received,
    refusal,
    sasl_init,
)

WELCOMED = SASL_HEADER + sasl_init("ANONYMOUS")
OK, REFUSED = b"\x50\x00\x40", b"\x50\x01\x40"


def conversation() -> bytes:
    """What a client says to read events."""
    client = Client(AmqpWorld()).authorized()
    client.receiver(PARTITION + "0")
    return client.said


CONVERSATION = conversation()


# --- SASL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["ANONYMOUS", "MSSBCBS"])
def test_sasl_lets_in_who_will_bring_a_token(world: AmqpWorld, mechanism: str) -> None:
    client = Client(world, mechanism=mechanism)
    assert client.sasl.startswith(SASL_HEADER)
    assert all(name.encode() in client.sasl for name in MECHANISMS)
    assert client.sasl.endswith(OK)
    client.run()
    assert client.remote.state & Endpoint.REMOTE_ACTIVE


def test_without_the_sasl_layer_a_token_is_needed_as_ever(world: AmqpWorld) -> None:
    world.telemetry(1)
    client = Client(world, mechanism=None)
    assert refusal(client.receiver(PARTITION + "0"))[0] == "amqp:unauthorized-access"
    assert client.put_token(world.events_token()) == 202
    assert payloads(client.receiver(PARTITION + "0")) == [b"0"]
    idle = Client(world, mechanism=None)
    idle.run()
    world.advance(world.context.options.handshake_seconds)
    assert idle.closed


def test_plain_with_policy_and_key(world: AmqpWorld) -> None:
    world.telemetry(1)
    client = Client(world, mechanism="PLAIN", response=f"\0service\0{world.key('service')}".encode())
    assert payloads(client.receiver(PARTITION + "0")) == [b"0"]


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [("PLAIN", b"\0service\0wrong"), ("PLAIN", b"service"), ("PLAIN", b"\xff\0\xff\0\xff"), ("SCRAM-SHA-256", b"")],
)
def test_sasl_refuses(world: AmqpWorld, mechanism: str, response: bytes) -> None:
    client = Client(world, mechanism=mechanism, response=response)
    assert client.sasl.endswith(REFUSED)
    assert client.closed
    assert world.timers.pending == 0


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        SASL_HEADER + b"\xff\xff\xff\xff",
        SASL_HEADER + b"\x00\x00\x00\x02",
        SASL_HEADER + b"\x00\x00\x00\x0a\x02\x01\x00\x00\x00\x53",
        SASL_HEADER + b"\x00\x00\x00\x09\x02\x01\x00\x00\x40",
        SASL_HEADER + sasl_init("ANONYMOUS").replace(b"\x02\x01", b"\xff\x01", 1),
        WELCOMED + b"GET / HTTP/1.1\r\n\r\n",
        WELCOMED + b"AMQP\x00\x01\x00\x00" + b"\x7f\xff\xff\xff\x02\x00\x00\x00",
        WELCOMED + b"AMQP\x00\x01\x00\x00" + b"\x00\x00\x00\x04\x02\x00\x00\x00",
    ],
)
def test_what_is_not_amqp_closes_the_connection(world: AmqpWorld, data: bytes) -> None:
    client = Client.__new__(Client)
    client.raw, client.closed = b"", False
    connection = AmqpConnection(world.endpoint, client, "peer")
    connection.receive(data)
    world.advance(0)
    assert client.closed
    connection.receive(b"more")
    connection.lost()


def test_who_shows_nothing_is_dropped() -> None:
    world = AmqpWorld(EmulatorOptions(handshake_seconds=5))
    silent, talking, proven = Client(world), Client(world), Client(world).authorized()
    talking.run()
    world.advance(6)
    assert (silent.closed, talking.closed, proven.closed) == (True, True, False)
    talking.run()
    assert refusal(talking.remote)[0] == "amqp:connection:forced"


# --- $cbs and $management ----------------------------------------------------------------------------


def test_put_token(world: AmqpWorld) -> None:
    client = Client(world)
    assert client.put_token(world.events_token()) == 202
    assert client.put_token(world.hub_token()) == 200
    assert client.put_token(world.events_token("registryRead")) == 401
    assert client.put_token("nonsense") == 401
    assert client.put_token(world.events_token(), kind="jwt") == 401
    assert client.put_token("x", operation="delete-token") == 400


def test_numbers_as_message_ids_keep_their_type(world: AmqpWorld) -> None:
    client = Client(world)
    answers, requests = client.receiver("$cbs"), client.sender("$cbs")
    client.send(requests, Message(body="x", id=ulong(0), properties={"operation": "put-token"}))
    raw = answers.recv(answers.current.pending)
    assert b"\x00\x53\x73" in raw  # properties
    assert b"\x40\x40\x40\x40\x40\x44" in raw or b"\x40\x40\x40\x40\x40\x80" in raw  # ulong, which uamqp insists on


def test_management_describes_hub_and_partitions(world: AmqpWorld) -> None:
    world.telemetry(3)
    client = Client(world).authorized()
    answers, requests = client.receiver("$management"), client.sender("$management")

    def read(kind: str, **properties: str) -> Any:
        asked = {"operation": "READ", "type": f"com.microsoft:{kind}", "name": ENTITY, **properties}
        client.send(requests, Message(id="m", properties=asked))
        (answer,) = received(answers)
        return answer

    hub = read("eventhub").body
    assert (hub["name"], hub["partition_count"], hub["partition_ids"]) == (ENTITY, 2, ["0", "1"])
    assert hub["created_at"] == int(world.wall * 1000)
    full, empty = read("partition", partition="0").body, read("partition", partition="1").body
    assert (full["begin_sequence_number"], full["last_enqueued_sequence_number"]) == (0, 2)
    assert (full["is_partition_empty"], full["last_enqueued_offset"]) == (False, "130")
    assert (empty["is_partition_empty"], empty["last_enqueued_sequence_number"]) == (True, -1)
    assert read("partition", partition="2").properties["status-code"] == 404
    assert read("eventhub", name="other").properties["status-code"] == 401
    assert read("namespace").properties["status-code"] == 400
    assert read("eventhub", operation="WRITE").properties["status-code"] == 400


def test_management_needs_a_token(world: AmqpWorld) -> None:
    client = Client(world)
    answers, requests = client.receiver("$management"), client.sender("$management")
    asked = {"operation": "READ", "type": "com.microsoft:eventhub", "name": ENTITY}
    client.send(requests, Message(id="m", properties=asked))
    assert received(answers)[0].properties["status-code"] == 401


def test_a_request_without_a_way_back_is_rejected(world: AmqpWorld) -> None:
    client = Client(world)
    delivery = client.send(client.sender("$cbs"), Message(body="x", properties={"operation": "put-token"}))
    assert delivery.remote_state == Delivery.REJECTED


# --- limits ------------------------------------------------------------------------------------------


def test_a_message_without_end_closes_the_connection(world: AmqpWorld) -> None:
    client = Client(world)
    link = client.sender("$cbs")
    link.delivery("1")
    link.stream(b"\x00\x53\x77\xb0\x7f\xff\xff\xff" + b"x" * 300_000)
    client.run()
    assert refusal(client.remote)[0] == "amqp:link:message-size-exceeded"
    assert client.closed


def test_too_many_links_close_the_connection(world: AmqpWorld) -> None:
    client = Client(world)
    for _ in range(300):
        if client.closed:
            break
        client.sender("$cbs")
    assert refusal(client.remote)[0] == "amqp:resource-limit-exceeded"


@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\x00\x53\x77" + tail))
def test_bytes_that_are_no_message(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        decode(data)


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
def test_any_bytes_in_a_conversation_cost_that_connection_at_most(noise: bytes, at: int) -> None:
    world = AmqpWorld()
    sound = Client(world).authorized()
    link = sound.receiver(PARTITION + "0")
    said = CONVERSATION[:at] + noise + CONVERSATION[at + len(noise) :]
    broken = Client.__new__(Client)
    broken.raw, broken.closed = b"", False
    connection = AmqpConnection(world.endpoint, broken, "peer")
    for start in range(0, len(said), 50):
        connection.receive(said[start : start + 50])
    world.advance(0)
    connection.lost()
    world.telemetry(1)
    sound.run()
    assert payloads(link) == [b"0"]


def test_nothing_is_left_of_a_lost_connection(world: AmqpWorld) -> None:
    client = Client(world).authorized()
    client.receiver(PARTITION + "0")
    assert world.event_hub.partitions["0"].readers
    client.connection.lost()
    world.telemetry(1)
    assert not world.event_hub.partitions["0"].readers
    assert world.timers.pending == 0
