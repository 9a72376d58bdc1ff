"""The hub's own address: the redirect to its event hub, messages to devices, feedback."""

from __future__ import annotations

import json
from typing import Any

import pytest

proton = pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")

from proton import Delivery, Message  # noqa: E402

from tests.emulator.amqp.fakes import (  # noqa: E402
    ENTITY,
    AmqpWorld,
    Client,
    received,
    refusal,
)
from tests.emulator.fakes import HOST  # noqa: E402


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
