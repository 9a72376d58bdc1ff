"""Receivers on the hub's partitions as one client meets them, without sockets."""

from __future__ import annotations

import gc

import pytest

proton = pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")

from proton import Endpoint, Message, symbol  # noqa: E402

from harness.emulator.amqp.encoding import decode  # noqa: E402
from harness.emulator.amqp.listener import AmqpListener  # noqa: E402
from harness.emulator.options import EmulatorOptions  # noqa: E402
from tests.emulator.amqp.fakes import (  # noqa: E402
    ENTITY,
    PARTITION,
    AmqpWorld,
    Client,
    payloads,
    received,
    refusal,
)
from tests.emulator.fakes import publish  # noqa: E402


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
