"""Cloud-to-device messages: the queue's rules, and what a device on MQTT sees of them."""

from __future__ import annotations

import json

import pytest

from harness.emulator.context import utc_text
from harness.emulator.errors import ServiceError
from harness.emulator.hub.c2d import Message
from harness.emulator.hub.feedback import body
from harness.emulator.hub.locks import Lent
from harness.emulator.hub.registry import Identity
from harness.emulator.options import EmulatorOptions
from harness.mqtt import Acknowledgement, Connack, Disconnect, Publish, Subscribe, Unsubscribe
from harness.mqtt.packets import PUBACK
from harness.record.events import C2dDelivered, C2dEnqueued, C2dReturned, C2dSettled
from tests.emulator.fakes import WALL, World
from tests.mqtt.fakes import Client

FILTER = "devices/dev-1/messages/devicebound/#"


@pytest.fixture
def world() -> World:
    return World()


def messages(client: Client) -> list[Publish]:
    return [packet for packet in client.received() if isinstance(packet, Publish)]


def message(client: Client) -> Publish:
    (packet,) = messages(client)
    return packet


def acknowledge(client: Client, packet: Publish) -> None:
    client.send(Acknowledgement(PUBACK, packet.packet_id))


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(event.message_id, event.outcome) for event in world.seen(C2dSettled)]


def statuses(world: World) -> list[tuple[str, str]]:
    """Feedback that a service gets, batch by batch."""
    world.advance(15)
    found = []
    while (lent := world.hub.c2d.feedback.take()) is not None:
        found += [(record["originalMessageId"], record["statusCode"]) for record in json.loads(body(lent.item))]
        world.hub.c2d.feedback.complete(lent.token or "")
    return found


def take(world: World, device: Identity) -> Lent[Message]:
    lent = world.hub.c2d.queue(device).take()
    assert lent is not None
    return lent


# --- over MQTT ---------------------------------------------------------------------------------------


def test_a_message_arrives_with_its_properties_and_puback_completes_it(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, FILTER)
    system = {"mid": "m-1", "cid": "c/2", "ct": "application/json", "ce": "utf-8"}
    world.hub.c2d.enqueue("dev-1", b"{}", system, {"a b": "x&y", "none": None, "empty": "", "iothub-ack": "full"})
    packet = message(client)
    assert packet.topic == (
        "devices/dev-1/messages/devicebound/%24.mid=m-1&%24.cid=c%2F2&%24.ct=application%2Fjson&%24.ce=utf-8"
        "&%24.to=%2Fdevices%2Fdev-1%2Fmessages%2FdeviceBound&a%20b=x%26y&none&empty=&iothub-ack=full"
    )
    assert (packet.payload, packet.qos, packet.dup) == (b"{}", 1, False)
    assert device.twin_document()["cloudToDeviceMessageCount"] == 1
    acknowledge(client, packet)
    assert device.document()["cloudToDeviceMessageCount"] == 0
    assert outcomes(world) == [("m-1", "Success")]
    assert world.last(C2dEnqueued).waiting == 1
    assert world.last(C2dDelivered) == C2dDelivered("dev-1", "m-1", 1, "mqtt")
    assert statuses(world) == [("m-1", "Success")]


def test_messages_wait_for_the_device_and_for_its_subscription(world: World) -> None:
    device = world.add_device()
    for name in ("1", "2"):
        world.hub.c2d.enqueue("dev-1", b"", {"mid": name})
    client = world.at_hub(device)
    assert messages(client) == []
    client.send(Subscribe(1, (("devices/+/messages/devicebound/#", 1),)))
    assert [event.message_id for event in world.seen(C2dDelivered)] == ["1", "2"]
    client.send(Unsubscribe(2, ("devices/+/messages/devicebound/#",)))
    world.hub.c2d.enqueue("dev-1", b"", {"mid": "3"})
    assert len(world.seen(C2dDelivered)) == 2


@pytest.mark.parametrize("device_id", ["a#b", "a+b", "#", "+"])
@pytest.mark.parametrize("first", ["message", "subscription"])
def test_no_topic_can_hold_the_id(world: World, device_id: str, first: str) -> None:
    """Ids may have MQTT's wildcards: messages wait, for HTTPS, and nothing fails then or later."""
    device = world.add_device(device_id)
    if first == "message":
        world.hub.c2d.enqueue(device_id, b"", {"mid": "1"})
    client = world.at_hub(device, "devices/+/messages/devicebound/#")
    if first == "subscription":
        world.hub.c2d.enqueue(device_id, b"", {"mid": "1"})
    world.advance(65)
    assert not client.closed
    assert device.waiting_messages == 1
    lent = world.hub.c2d.queue(device).take()
    assert lent is not None
    world.advance(65)
    assert (lent.item.id, world.seen(C2dDelivered)) == ("1", [])


def test_at_qos_0_a_message_is_complete_when_sent(world: World) -> None:
    client = world.at_hub(world.add_device(), FILTER, qos=0)
    world.hub.c2d.enqueue("dev-1", b"x", {"mid": "1"})
    assert message(client).qos == 0
    assert outcomes(world) == [("1", "Success")]


def test_what_was_not_acknowledged_comes_again_with_dup(world: World) -> None:
    device = world.add_device()
    first = world.at_hub(device, FILTER)
    for name in ("1", "2", "3"):
        world.hub.c2d.enqueue("dev-1", name.encode(), {"mid": name})
    sent = messages(first)
    acknowledge(first, sent[1])
    first.session.lost("cable")
    world.hub.c2d.enqueue("dev-1", b"4", {"mid": "4"})
    second = world.client()
    connack, *again = second.send(world.hub_connect(device))
    assert connack == Connack(0, session_present=True)
    found = [(p.payload, p.packet_id, p.dup) for p in again if isinstance(p, Publish)]
    assert found[:2] == [(b"1", sent[0].packet_id, True), (b"3", sent[2].packet_id, True)]
    assert (found[2][0], found[2][2]) == (b"4", False)
    assert len({packet_id for _, packet_id, _ in found}) == 3
    assert [event.duplicate for event in world.seen(C2dDelivered)] == [False] * 3 + [True, True, False]
    assert [event.reason for event in world.seen(C2dReturned)] == ["connection-ended"] * 2


@pytest.mark.parametrize("purges", [True, False])
def test_a_clean_session_drops_what_waits(purges: bool) -> None:
    world = World(EmulatorOptions(c2d_clean_session_purges=purges))
    device = world.add_device()
    client = world.at_hub(device, FILTER)
    world.hub.c2d.enqueue("dev-1", b"x", {"mid": "1"}, {"iothub-ack": "negative"})
    client.session.lost("cable")
    client = world.at_hub(device, FILTER, clean=True)
    assert device.waiting_messages == (0 if purges else 1)
    assert statuses(world) == ([("1", "Purged")] if purges else [])
    assert not any(packet.dup for packet in messages(client))


def test_a_lock_that_ran_out_sends_the_message_again_until_it_expires(world: World) -> None:
    client = world.client()
    client.send(world.hub_connect(world.add_device(), keep_alive=0), Subscribe(1, ((FILTER, 1),)))
    world.hub.c2d.enqueue("dev-1", b"x", {"mid": "1", "exp": utc_text(WALL + 150)}, {"iothub-ack": "full"})
    first = message(client)
    world.advance(60)
    again = message(client)
    assert again.packet_id != first.packet_id
    acknowledge(client, first)
    assert outcomes(world) == []  # too late: that lock is lost
    world.advance(60)
    assert message(client).payload == b"x"
    world.advance(60)
    assert messages(client) == []
    assert outcomes(world) == [("1", "Expired")]
    assert statuses(world) == [("1", "Expired")]


def test_a_device_that_was_deleted_leaves_nothing_behind(world: World) -> None:
    client = world.at_hub(world.add_device(), FILTER)
    world.hub.c2d.enqueue("dev-1", b"x")
    world.hub.delete_device("dev-1", None)
    assert client.closed
    assert world.timers.pending == 0
    assert outcomes(world) == []


def test_reset_leaves_nothing_behind(world: World) -> None:
    device = world.add_device()
    world.hub.c2d.enqueue("dev-1", b"x", {}, {"iothub-ack": "full"})
    world.hub.c2d.queue(device).complete(take(world, device).token or "")
    world.hub.uploads.start("dev-1", {"blobName": "x"}, "h")
    world.hub.reset()
    assert world.timers.pending == 0
    assert statuses(world) == []


# --- the queue's rules -------------------------------------------------------------------------------


def test_delivery_count_counts_what_was_abandoned() -> None:
    world = World(EmulatorOptions(c2d_max_deliveries=2))
    device = world.add_device()
    world.hub.c2d.enqueue("dev-1", b"x", {"mid": "1"}, {"iothub-ack": "full"})
    queue = world.hub.c2d.queue(device)
    for _ in range(2):
        lent = take(world, device)
        assert lent.token
        queue.abandon(lent.token)
        with pytest.raises(ServiceError) as caught:
            queue.complete("gone")
        assert caught.value.code == 412002
    assert outcomes(world) == [("1", "DeliveryCountExceeded")]
    assert statuses(world) == [("1", "DeliveryCountExceeded")]


@pytest.mark.parametrize(("counts", "outcome"), [(True, "DeliveryCountExceeded"), (False, "Expired")])
def test_switch_lock_expiry_counts(counts: bool, outcome: str) -> None:
    world = World(EmulatorOptions(c2d_max_deliveries=2, c2d_count_lock_expiry=counts, c2d_seconds=150))
    device = world.add_device()
    world.hub.c2d.enqueue("dev-1", b"x", {"mid": "1"})
    for _ in range(3):
        world.hub.c2d.queue(device).take()
        world.advance(60)
    assert outcomes(world) == [("1", outcome)]


def test_rejected_and_purged_are_told(world: World) -> None:
    device = world.add_device()
    for name, ack in (("1", "negative"), ("2", "positive"), ("3", "none"), ("4", "full")):
        world.hub.c2d.enqueue("dev-1", b"x", {"mid": name, "ack": ack})
    world.hub.c2d.queue(device).reject(take(world, device).token or "")
    assert world.hub.c2d.purge("dev-1") == 3
    assert statuses(world) == [("1", "Rejected"), ("4", "Purged")]


def test_feedback_comes_at_64_or_after_15_seconds(world: World) -> None:
    device = world.add_device()
    for _ in range(65):
        world.hub.c2d.enqueue("dev-1", b"x", {}, {"iothub-ack": "positive"})
        world.hub.c2d.queue(device).complete(take(world, device).token or "")
    feedback = world.hub.c2d.feedback
    batch = feedback.take()
    assert batch is not None
    assert len(batch.item) == 64
    assert feedback.take() is None
    world.advance(15)
    rest = feedback.take()
    assert rest is not None
    assert len(rest.item) == 1
    feedback.abandon(rest.token or "")
    assert feedback.take() is rest
    record = json.loads(body(rest.item))[0]
    assert set(record) == {
        "originalMessageId",
        "description",
        "deviceGenerationId",
        "deviceId",
        "enqueuedTimeUtc",
        "statusCode",
    }


@pytest.mark.parametrize(
    ("device_id", "payload", "system", "properties", "code"),
    [
        ("nobody", b"", {}, {}, 404001),
        ("dev-1", bytes(64 * 1024 + 1), {}, {}, 413001),
        ("dev-1", bytes(64 * 1024 - 3), {}, {"ab": "cd"}, 413001),
        ("dev-1", b"", {"mid": "x" * 129}, {}, 400004),
        ("dev-1", b"", {"mid": "a b"}, {}, 400004),
        ("dev-1", b"", {"exp": "tomorrow"}, {}, 400004),
        ("dev-1", b"", {"exp": utc_text(WALL + 3 * 86400)}, {}, 403009),
        ("dev-1", b"", {}, {"iothub-ack": "maybe"}, 400004),
        ("dev-1", b"", {"zz": "1"}, {}, 400004),
    ],
)
def test_what_is_refused(
    world: World, device_id: str, payload: bytes, system: dict[str, str], properties: dict[str, str], code: int
) -> None:
    world.add_device()
    with pytest.raises(ServiceError) as caught:
        world.hub.c2d.enqueue(device_id, payload, system, properties)
    assert caught.value.code == code
    assert world.seen(C2dEnqueued) == []


def test_the_51st_message_is_403004(world: World) -> None:
    world.add_device()
    ids = {world.hub.c2d.enqueue("dev-1", b"") for _ in range(50)}
    assert len(ids) == 50
    with pytest.raises(ServiceError) as caught:
        world.hub.c2d.enqueue("dev-1", b"")
    assert (caught.value.code, caught.value.status) == (403004, 403)


def test_one_who_said_goodbye_gets_them_later(world: World) -> None:
    device = world.add_device()
    world.at_hub(device, FILTER).send(Disconnect())
    world.hub.c2d.enqueue("dev-1", b"x")
    client = world.client()
    assert len(client.send(world.hub_connect(device))) == 2


def test_a_message_that_comes_too_late_expires_at_once(world: World) -> None:
    client = world.at_hub(world.add_device(), FILTER)
    world.hub.c2d.enqueue("dev-1", b"1", {"mid": "old", "exp": utc_text(WALL - 1)}, {"iothub-ack": "full"})
    assert messages(client) == []
    assert outcomes(world) == [("old", "Expired")]
    assert statuses(world) == [("old", "Expired")]


def test_properties_that_fit_no_topic_are_refused_and_harm_nobody(world: World) -> None:
    client = world.at_hub(world.add_device(), FILTER)
    with pytest.raises(ServiceError) as caught:
        world.hub.c2d.enqueue("dev-1", b"", {}, {"text": "\u00e4" * 20_000})  # 40 kB in UTF-8, 120 kB in a topic
    assert caught.value.code == 413001
    world.hub.c2d.enqueue("dev-1", b"next")
    assert message(client).payload == b"next"
