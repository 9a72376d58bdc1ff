"""The AMQP side of the hub as one client meets it, without sockets: SASL, tokens, links, limits."""

from __future__ import annotations

import contextlib
import gc
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

proton = pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")

from proton import Delivery, Endpoint, Message, symbol, ulong  # noqa: E402

from harness.emulator.amqp.connection import AmqpConnection  # noqa: E402
from harness.emulator.amqp.encoding import decode  # noqa: E402
from harness.emulator.amqp.listener import AmqpListener  # noqa: E402
from harness.emulator.amqp.peerdata import Unreadable  # noqa: E402
from harness.emulator.amqp.sasl import MECHANISMS  # noqa: E402
from harness.emulator.options import EmulatorOptions  # noqa: E402
from tests.emulator.amqp.fakes import ENTITY, SASL_HEADER, AmqpWorld, Client, received, refusal, sasl_init  # noqa: E402
from tests.emulator.fakes import HOST, publish  # noqa: E402

PARTITION = f"amqps://{HOST}:5671/{ENTITY}/ConsumerGroups/$Default/Partitions/"
WELCOMED = SASL_HEADER + sasl_init("ANONYMOUS")
OK, REFUSED = b"\x50\x00\x40", b"\x50\x01\x40"


def conversation() -> bytes:
    """What a client says to read events."""
    client = Client(AmqpWorld()).authorized()
    client.receiver(PARTITION + "0")
    return client.said


CONVERSATION = conversation()


@pytest.fixture
def world() -> AmqpWorld:
    return AmqpWorld()


def payloads(link: Any) -> list[bytes]:
    return [bytes(message.body) for message in received(link)]


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


# --- receivers ---------------------------------------------------------------------------------------


def test_events_come_as_credit_allows(world: AmqpWorld) -> None:
    world.telemetry(5)
    client = Client(world).authorized()
    link = client.receiver(PARTITION + "0", credit=2)
    assert payloads(link) == [b"0", b"1"]
    link.flow(10)
    client.run()
    assert payloads(link) == [b"2", b"3", b"4"]
    world.telemetry(1)
    client.run()
    assert payloads(link) == [b"0"]


def test_many_events_for_several_consumers(world: AmqpWorld) -> None:
    world.telemetry(700)
    clients = [Client(world).authorized() for _ in range(3)]
    links = [client.receiver(PARTITION + "0", credit=1000) for client in clients]
    assert [len(received(link)) for link in links] == [700] * 3


def test_draining_gives_credit_back(world: AmqpWorld) -> None:
    world.telemetry(1)
    client = Client(world).authorized()
    link = client.receiver(PARTITION + "0", credit=0)
    link.drain(10)
    client.run()
    assert (payloads(link), link.credit) == ([b"0"], 0)


def test_an_event_carries_azures_annotations(world: AmqpWorld) -> None:
    from harness.record.events import TelemetryReceived

    message = TelemetryReceived(
        "dev-1",
        "mod",
        "thermostat1",
        b"\x00\x01",
        "application/json",
        "utf-8",
        "dtmi:a;1",
        {"mid": "7", "cid": "8", "uid": "u"},
        {"colour": "röt"},
    )
    world.event_hub.partitions["0"].append(message, 1_700_000_000_123, "636", "x509")
    client = Client(world).authorized()
    (event,) = received(client.receiver(PARTITION + "0"))
    method = '{"scope":"module","type":"x509","issuer":"iothub","acceptingIpFilterRule":null}'
    assert event.annotations == {
        "x-opt-sequence-number": 0,
        "x-opt-offset": "0",
        "x-opt-enqueued-time": 1_700_000_000_123,
        "iothub-enqueuedtime": 1_700_000_000_123,
        "iothub-connection-device-id": "dev-1",
        "iothub-connection-module-id": "mod",
        "iothub-connection-auth-method": method,
        "iothub-connection-auth-generation-id": "636",
        "iothub-message-source": "Telemetry",
        "dt-dataschema": "dtmi:a;1",
        "dt-subject": "thermostat1",
    }
    assert all(isinstance(key, symbol) for key in event.annotations)
    assert (event.id, event.correlation_id, event.user_id) == ("7", "8", b"u")
    assert event.address == "/devices/dev-1/modules/mod/messages/events"
    assert (event.content_type, event.content_encoding) == ("application/json", "utf-8")
    assert (event.properties, bytes(event.body)) == ({"colour": "röt"}, b"\x00\x01")


@pytest.mark.parametrize(
    ("address", "condition"),
    [
        (PARTITION + "7", "amqp:not-found"),
        (PARTITION.replace("$Default", "nobody") + "0", "amqp:not-found"),
        (f"{ENTITY}/other", "amqp:unauthorized-access"),
        ("nowhere", "amqp:not-found"),
        ("messages/devicebound", "amqp:unauthorized-access"),
        ("messages/events", "amqp:unauthorized-access"),
    ],
)
def test_receivers_that_are_refused(world: AmqpWorld, address: str, condition: str) -> None:
    client = Client(world).authorized()
    assert refusal(client.receiver(address))[0] == condition
    assert not client.closed


def test_the_condition_of_an_unknown_partition_is_an_option() -> None:
    world = AmqpWorld(EmulatorOptions(unknown_partition_condition="com.microsoft:argument-out-of-range"))
    link = Client(world).authorized().receiver(PARTITION + "7")
    assert refusal(link) == ("com.microsoft:argument-out-of-range", "There is no partition '7': they are 0 to 1.")


def test_a_receiver_without_a_token_is_refused(world: AmqpWorld) -> None:
    assert refusal(Client(world).receiver(PARTITION + "0"))[0] == "amqp:unauthorized-access"


@pytest.mark.parametrize("selector", ["amqp.annotation.x-opt-offset > '99'", "rubbish", 7, b"\xff"])
def test_a_selector_that_points_nowhere(world: AmqpWorld, selector: object) -> None:
    link = Client(world).authorized().receiver(PARTITION + "0", selector=selector)
    assert refusal(link)[0] == "com.microsoft:argument-error"


def test_a_selector_is_obeyed(world: AmqpWorld) -> None:
    world.telemetry(3)
    client = Client(world).authorized()
    late = client.receiver(PARTITION + "0", selector="amqp.annotation.x-opt-offset > '@latest'")
    second = client.receiver(PARTITION + "0", selector=b"amqp.annotation.x-opt-sequence-number > '0'")
    assert payloads(second) == [b"1", b"2"]
    world.telemetry(1)
    client.run()
    assert payloads(late) == [b"0"]


def test_a_higher_owner_level_takes_the_partition(world: AmqpWorld) -> None:
    first, second = Client(world).authorized(), Client(world).authorized()
    free, low = first.receiver(PARTITION + "0"), first.receiver(PARTITION + "0", epoch=1)
    first.run()
    assert refusal(free)[0] == "amqp:link:stolen"
    high = second.receiver(PARTITION + "0", epoch=2)
    first.run()
    assert refusal(low)[0] == "amqp:link:stolen"
    for epoch in (None, 1):
        assert refusal(first.receiver(PARTITION + "0", epoch=epoch))[0] == "amqp:link:stolen"
    world.telemetry(1)
    second.run()
    assert payloads(high) == [b"0"]


def test_five_receivers_share_a_partition(world: AmqpWorld) -> None:
    client = Client(world).authorized()
    links = [client.receiver(PARTITION + "0") for _ in range(6)]
    assert refusal(links[5])[0] == "amqp:resource-limit-exceeded"
    links[0].close()
    client.run()
    assert client.receiver(PARTITION + "0").state & Endpoint.REMOTE_ACTIVE


def test_a_token_that_ends_takes_its_links_along() -> None:
    world = AmqpWorld(EmulatorOptions(token_skew=0))
    client = Client(world)
    client.put_token(world.events_token(seconds=100))
    link = client.receiver(PARTITION + "0")
    world.advance(90)
    client.put_token(world.events_token(seconds=200))
    world.advance(60)
    client.run()
    assert link.state & Endpoint.REMOTE_ACTIVE
    world.advance(200)
    client.run()
    assert refusal(link)[0] == "amqp:unauthorized-access"
    assert not client.closed


def test_a_silent_client_is_dropped(world: AmqpWorld) -> None:
    client = Client(world).authorized()
    world.advance(481)
    assert client.closed


def test_binary_values_outlive_what_they_were_read_from() -> None:
    values = [bytes([number]) * 1000 for number in range(20)]
    sent = [Message(value, inferred=True, properties={"k": value}).encode() for value in values]
    read = [decode(data) for data in sent]
    gc.collect()
    assert [(each.body, each.properties["k"]) for each in read] == [(value, value) for value in values]


def test_what_a_device_sends_is_kept_and_found(world: AmqpWorld) -> None:
    listener = AmqpListener(world.context, world.hub)
    device = world.add_device("dev-1")
    publish(world.at_hub(device), "devices/dev-1/messages/events/%24.sub=thermostat1&a=b", b"{}", qos=1)
    event = listener.event_hub.partition_of("dev-1").read(0)
    assert event is not None
    message = event.message
    assert (message.payload, message.component, message.properties) == (b"{}", "thermostat1", {"a": "b"})
    assert (event.generation_id, event.authentication) == (device.generation_id, "sas")
    assert event.enqueued == int(world.wall * 1000)
    assert (listener.event_hub.name, list(listener.event_hub.partitions)) == ("iothub-ehub-hub", ["0", "1", "2", "3"])


# --- the hub's own address ---------------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["$management", "ConsumerGroups/$Default/Partitions/0", ""])
def test_the_hub_redirects_to_its_event_hub(world: AmqpWorld, rest: str) -> None:
    response = f"\0service@sas.root.hub\0{world.hub_token()}".encode()
    link = Client(world, mechanism="PLAIN", response=response).receiver(f"messages/events/{rest}")
    assert refusal(link)[0] == "amqp:link:redirect"
    assert link.remote_condition.info == {
        "hostname": HOST,
        "network-host": HOST,
        "port": 5671,
        "address": f"amqps://{HOST}:5671/{ENTITY}/{rest}",
    }


def c2d(device_id: str = "dev-1", body: Any = b"hi", **properties: str) -> Any:
    return Message(
        body=body, inferred=True, address=f"/devices/{device_id}/messages/devicebound", properties=properties
    )


def test_a_message_to_a_device(world: AmqpWorld) -> None:
    device = world.add_device()
    client = Client(world).at_hub()
    message = c2d(colour="red", **{"iothub-ack": "full"})
    message.id, message.content_type, message.expiry_time = "m-1", "text/plain", world.wall + 60
    delivery = client.send(client.sender("/messages/devicebound"), message)
    assert delivery.remote_state == Delivery.ACCEPTED
    lent = world.hub.c2d.queue(device).take()
    assert lent is not None
    assert (lent.item.payload, lent.item.ack, lent.item.properties) == (b"hi", "full", {"colour": "red"})
    assert (lent.item.id, lent.item.system["ct"]) == ("m-1", "text/plain")
    assert lent.expires == world.wall + 60


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (c2d("nobody"), "amqp:not-found"),
        (Message(body=b"hi", address="/devices/dev-1"), "amqp:not-found"),
        (c2d(body=b"x" * 70_000), "amqp:link:message-size-exceeded"),
        (c2d(body=7), "amqp:not-implemented"),
        (c2d(**{"iothub-ack": "perhaps"}), "amqp:invalid-field"),
    ],
)
def test_messages_that_are_rejected(world: AmqpWorld, message: Message, condition: str) -> None:
    world.add_device()
    client = Client(world).at_hub()
    delivery = client.send(client.sender("/messages/devicebound"), message)
    assert delivery.remote_state == Delivery.REJECTED
    assert delivery.remote.condition.name == condition


def test_a_full_queue_rejects(world: AmqpWorld) -> None:
    world.add_device()
    client = Client(world).at_hub()
    link = client.sender("/messages/devicebound")
    for _ in range(world.context.options.c2d_queue):
        assert client.send(link, c2d()).remote_state == Delivery.ACCEPTED
    delivery = client.send(link, c2d())
    assert delivery.remote.condition.name == "amqp:resource-limit-exceeded"


def test_feedback_is_settled_as_the_service_settles_it(world: AmqpWorld) -> None:
    device = world.add_device()
    client = Client(world).at_hub()
    client.send(client.sender("/messages/devicebound"), c2d(**{"iothub-ack": "full"}))
    link = client.receiver("/messages/servicebound/feedback")
    queue = world.hub.c2d.queue(device)
    queue.complete(queue.take().token)  # type: ignore[union-attr, arg-type]
    world.advance(world.context.options.feedback_batch_seconds)
    for outcome, left in ((Delivery.RELEASED, 1), (Delivery.ACCEPTED, 0)):
        client.run()
        delivery = link.current
        (message,) = received(link)
        (record,) = json.loads(bytes(message.body))
        assert (record["deviceId"], record["statusCode"]) == ("dev-1", "Success")
        assert message.content_type == "application/vnd.microsoft.iothub.feedback.json"
        delivery.update(outcome)
        delivery.settle()
        client.run()
        assert len(world.hub.c2d.feedback) == left


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


def test_a_message_without_content_type_has_none(world: AmqpWorld) -> None:
    device = world.add_device()
    client = Client(world).at_hub()
    assert client.send(client.sender("/messages/devicebound"), c2d()).remote_state == Delivery.ACCEPTED
    lent = world.hub.c2d.queue(device).take()
    assert lent is not None
    assert lent.item.system.keys() == {"mid", "to"}


def test_an_expiry_beyond_all_years_is_refused(world: AmqpWorld) -> None:
    world.add_device()
    client = Client(world).at_hub()
    message = c2d()
    message.expiry_time = 1e15
    delivery = client.send(client.sender("/messages/devicebound"), message)
    assert delivery.remote_state == Delivery.REJECTED
    assert delivery.remote.condition.name == "amqp:invalid-field"
