"""A plan played against the cores: what is counted, what happens, what stands in the record."""

from __future__ import annotations

import json
from typing import Any

from harness.emulator.faults import Plan, fault
from harness.emulator.faults.player import FaultPlayer
from harness.emulator.hub.filters import DESIRED, METHODS, TWIN_ANSWERS
from harness.emulator.options import EmulatorOptions
from harness.mqtt import Acknowledgement, Publish, Suback, Subscribe
from harness.mqtt.packets import PUBACK
from harness.record.events import FaultPlayed, HubConnected, HubDisconnected, ProvisioningConnected
from tests.emulator.fakes import World, publish
from tests.mqtt.fakes import Client, FakeTimers

BOUND = "devices/dev-1/messages/devicebound/#"
EVENTS = "devices/dev-1/messages/events/"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=1"
GET = "$iothub/twin/GET/?$rid=1"
PATCH = "$iothub/twin/PATCH/properties/reported/?$rid=1"


class FaultyWorld(World):
    """A world whose gate plays a plan."""

    def __init__(self, *faults: dict[str, Any]) -> None:
        self.player = FaultPlayer(FakeTimers(), lambda: 0.0, lambda event: None, EmulatorOptions())
        super().__init__()
        self.player = FaultPlayer(self.timers, lambda: self.base, self.events.append, EmulatorOptions())
        self.player.order(Plan(tuple(fault(**words) for words in faults)))
        object.__setattr__(self.context, "faults", self.player)

    @property
    def wall(self) -> float:
        return self.base + self.player.skew

    @wall.setter
    def wall(self, seconds: float) -> None:
        self.base = seconds

    def played(self) -> list[tuple[str, str, str, int]]:
        return [(e.identity, e.at, e.do, e.occurrence) for e in self.seen(FaultPlayed)]

    def provision(self) -> None:
        """Register and poll once: the device is assigned."""
        client = self.at_dps(self.enroll("dev-1").primary, "dev-1")
        (answer,) = publish(client, REGISTER)
        publish(client, poll(answer))


def poll(answer: Publish) -> str:
    operation = json.loads(answer.payload)["operationId"]
    return f"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}"


def connect(world: FaultyWorld, **settings: Any) -> Client:
    client = world.client()
    device = world.hub.registry.find("dev-1") or world.add_device()
    client.send(world.hub_connect(device, **settings))
    return client


def test_moments_are_counted_for_each_device() -> None:
    world = FaultyWorld({"at": "twin-get", "occurrence": 2, "do": "error", "code": 429})
    one, other = (world.at_hub(world.add_device(name)) for name in ("dev-1", "dev-2"))
    statuses = [publish(client, GET)[0].topic[:23] for client in (one, other, one, one)]
    assert statuses == [f"$iothub/twin/res/{status}/?$" for status in (200, 200, 429, 200)]
    assert world.played() == [("dev-1", "twin-get", "error", 2)]
    assert world.player.played() == [1]


def test_the_first_of_several_is_played_and_all_count() -> None:
    world = FaultyWorld(
        {"device": "DEV-1", "at": "twin-get", "do": "error", "code": 500},
        {"at": "twin-get", "times": 2, "do": "error", "code": 503005},
        {"device": "dev-9", "at": "twin-get", "do": "silence"},
    )
    client = world.at_hub(world.add_device())
    bodies = [json.loads(publish(client, GET)[0].payload).get("errorCode") for _ in range(3)]
    assert bodies == [500001, 503005, None]
    assert world.player.played() == [1, 1, 0]


def test_a_new_plan_begins_anew_and_an_addition_goes_on() -> None:
    world = FaultyWorld({"at": "twin-get", "occurrence": 2, "do": "silence"})
    client = world.at_hub(world.add_device())
    assert publish(client, GET)
    world.player.add([fault(at="twin-get", do="error", code=400)])
    assert publish(client, GET) == []
    assert publish(client, GET)[0].topic.startswith("$iothub/twin/res/200")
    world.player.order(world.player.plan)
    assert [bool(publish(client, GET)) for _ in range(2)] == [True, False]
    world.player.order(Plan())
    assert not world.player.active


def test_errors_of_dps_with_and_without_retry_after() -> None:
    world = FaultyWorld(
        {"at": "register", "do": "error", "code": 429, "retry_after": 7},
        {"at": "register", "occurrence": 2, "do": "error", "code": 500},
        {"at": "poll", "do": "error", "code": 404202, "message": "lost"},
    )
    client = world.at_dps(world.enroll().primary)
    answers = [publish(client, REGISTER)[0] for _ in range(3)]
    assert [answer.topic.partition("res/")[2] for answer in answers] == [
        "429/?$rid=1&retry-after=7",
        "500/?$rid=1",
        "202/?$rid=1&retry-after=1",
    ]
    assert json.loads(answers[0].payload)["errorCode"] == 429001
    (lost,) = publish(client, poll(answers[2]))
    assert (json.loads(lost.payload)["errorCode"], json.loads(lost.payload)["message"]) == (404202, "lost")


def test_connack_silence_and_subscriptions() -> None:
    world = FaultyWorld(
        {"at": "connect", "do": "connack", "code": 3},
        {"at": "connect", "occurrence": 2, "do": "silence"},
        {"at": "dps-connect", "do": "connack", "code": 4},
        {"at": "subscribe", "do": "error"},
        {"at": "publish", "do": "silence"},
    )
    connect(world)
    assert world.last(HubConnected).return_code == 3
    silent = world.client()
    assert silent.send(world.hub_connect(world.hub.registry.get("dev-1"))) == []
    world.advance(31)
    assert silent.aborted
    client = connect(world)
    assert client.one(Subscribe(1, ((METHODS, 1),))) == Suback(1, (128,))
    assert client.send(Publish(EVENTS, b"", 1, 1), Publish(EVENTS, b"", 1, 2)) == [Acknowledgement(PUBACK, 2)]
    world.client().send(world.dps_connect(world.enroll().primary))
    assert world.last(ProvisioningConnected).return_code == 4


def test_a_delayed_connect_whose_client_has_gone() -> None:
    world = FaultyWorld({"at": "connect", "do": "delay", "seconds": 5})
    client = connect(world)
    client.session.lost("gone")
    world.advance(5)
    device = world.hub.registry.get("dev-1")
    assert device.connection is None
    patient = connect(world)
    assert device.connection is not None
    assert not patient.closed


def test_cut_now_or_after() -> None:
    world = FaultyWorld(
        {"at": "publish", "do": "cut"},
        {"at": "subscribe", "do": "cut", "after": 0},
        {"at": "connect", "occurrence": 3, "do": "cut", "after": 10},
    )
    client = connect(world)
    client.received()
    assert client.send(Publish(EVENTS, b"", 1, 1)) == []
    assert client.aborted
    client = connect(world)
    client.received()
    assert client.one(Subscribe(1, ((METHODS, 1),))) == Suback(1, (1,))
    world.advance(0)
    assert client.aborted
    client = connect(world)
    assert not client.closed
    world.advance(10)
    assert client.aborted
    assert "fault plan" in world.last(HubDisconnected).reason


def test_what_was_left_for_later_ends_with_its_plan() -> None:
    world = FaultyWorld({"at": "connect", "do": "cut", "after": 10})
    client = connect(world)
    world.player.add([fault(at="poll", do="silence")])
    world.player.order(Plan())
    world.advance(10)
    assert not client.closed


def test_the_token_expires() -> None:
    world = FaultyWorld(
        {"at": "twin-patch", "do": "token-expires"}, {"at": "connect", "occurrence": 2, "do": "token-expires"}
    )
    client = connect(world)
    client.send(Publish(PATCH, b"{}"))
    assert client.closed
    assert world.last(HubDisconnected).error_code == 401003
    for _ in range(2):
        connect(world)
        assert (world.last(HubConnected).return_code, world.last(HubConnected).error_code) == (5, 401003)
    connect(world, expiry=int(world.wall) + 60)
    assert world.last(HubConnected).return_code == 0, "another token"


def test_a_moved_hub_until_the_device_is_assigned_again() -> None:
    world = FaultyWorld({"at": "publish", "do": "hub-moved", "code": 404})
    client = connect(world)
    client.send(Publish(EVENTS, b""))
    assert client.closed
    for _ in range(2):
        connect(world)
        assert (world.last(HubConnected).return_code, world.last(HubConnected).error_code) == (5, 404001)
    world.provision()
    connect(world)
    assert world.last(HubConnected).return_code == 0
    assert world.played() == [("dev-1", "publish", "hub-moved", 1)] + [("dev-1", "publish", "hub-moved", 0)] * 2


def test_a_disabled_device() -> None:
    world = FaultyWorld(
        {"at": "poll", "do": "disabled"},
        {"at": "register", "occurrence": 2, "do": "disabled"},
        {"at": "subscribe", "do": "disabled"},
    )
    client = world.at_dps(world.enroll("dev-1").primary, "dev-1")
    (answer,) = publish(client, REGISTER)
    (result,) = publish(client, poll(answer))
    document = json.loads(result.payload)
    assert result.topic.startswith("$dps/registrations/res/200/")
    assert document["operationId"] == json.loads(answer.payload)["operationId"]
    assert (document["status"], document["registrationState"]["status"]) == ("disabled", "disabled")
    assert world.hub.registry.find("dev-1") is None
    (result,) = publish(client, REGISTER)
    assert json.loads(result.payload)["status"] == "disabled"

    client = connect(world)
    client.send(Subscribe(1, ((METHODS, 1),)))
    assert client.closed
    connect(world)
    assert world.last(HubConnected).error_code == 403012
    world.player.order(Plan())
    connect(world)
    assert world.last(HubConnected).return_code == 0


def test_a_poll_without_operation_id() -> None:
    world = FaultyWorld({"at": "poll", "do": "poll-without-operation-id"})
    client = world.at_dps(world.enroll().primary)
    (answer,) = publish(client, REGISTER)
    (result,) = publish(client, poll(answer))
    assert "operationId" not in json.loads(result.payload)
    assert json.loads(result.payload)["status"] == "assigned"


def test_duplicates_at_both_qualities_of_service() -> None:
    world = FaultyWorld({"at": "desired", "do": "duplicate-delivery"}, {"at": "method", "do": "duplicate-delivery"})
    client = world.at_hub(world.add_device(), METHODS, DESIRED, TWIN_ANSWERS)
    device = world.hub.registry.get("dev-1")
    world.hub.update_twin(device, {"properties": {"desired": {"x": 1}}})
    first, second = client.received()
    assert isinstance(first, Publish)
    assert isinstance(second, Publish)
    assert (first.dup, second.dup, second.packet_id) == (False, True, first.packet_id)
    assert first.payload == second.payload
    world.hub.methods.invoke(device, "reboot", b"{}", lambda _: None)
    first, second = client.received()
    assert first == second
    assert isinstance(second, Publish)
    assert not second.dup


def test_messages_to_the_device_doubled_lost_and_cut() -> None:
    world = FaultyWorld(
        {"at": "c2d", "do": "duplicate-delivery"},
        {"at": "c2d", "occurrence": 2, "do": "cut"},
        {"at": "c2d", "occurrence": 4, "do": "silence"},
    )
    client = world.at_hub(world.add_device(), BOUND)
    world.hub.c2d.enqueue("dev-1", b"1")
    first, second = client.received()
    assert isinstance(first, Publish)
    assert isinstance(second, Publish)
    assert (first.dup, second.dup, second.packet_id) == (False, True, first.packet_id)
    client.send(Acknowledgement(PUBACK, first.packet_id))
    world.hub.c2d.enqueue("dev-1", b"2")
    assert client.aborted
    client = world.client()
    packets = client.send(world.hub_connect(world.hub.registry.get("dev-1")))
    assert [packet.payload for packet in packets if isinstance(packet, Publish)] == [b"2"]
    world.hub.c2d.enqueue("dev-1", b"3")
    assert client.received() == []
    world.advance(EmulatorOptions().c2d_lock_seconds)
    assert b"3" in [packet.payload for packet in client.received() if isinstance(packet, Publish)]


def test_the_service_clock_is_wrong_for_one_device_and_moment() -> None:
    world = FaultyWorld({"at": "connect", "do": "clock-skew", "seconds": 4000})
    connect(world)
    assert (world.last(HubConnected).return_code, world.last(HubConnected).error_code) == (5, 401003)
    connect(world)
    assert world.last(HubConnected).return_code == 0
    assert world.player.skew == 0


def test_without_a_connection_nothing_is_played_or_counted() -> None:
    world = FaultyWorld({"at": "desired", "do": "cut"})
    device = world.add_device()
    world.hub.update_twin(device, {"properties": {"desired": {"x": 1}}})
    assert world.played() == []
    client = world.at_hub(device, DESIRED)
    world.hub.update_twin(device, {"properties": {"desired": {"x": 2}}})
    assert client.aborted
    assert device.twin.desired.values == {"x": 2}


def test_strangers_cannot_fill_the_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr("harness.emulator.faults.player._MAX_COUNTERS", 10)
    world = FaultyWorld({"at": "connect", "occurrence": 9, "do": "cut"})
    for number in range(50):
        world.client().send(world.hub_connect(world.hub.registry.find("x") or world.add_device(f"d{number}")))
    assert len(world.player._counts) == 10


def test_handshakes_are_counted_together() -> None:
    world = FaultyWorld({"at": "tls", "occurrence": 2, "do": "bad-certificate", "kind": "expired"})
    assert [getattr(world.player.handshake(), "kind", None) for _ in range(3)] == [None, "expired", None]
    assert world.played() == [("", "tls", "bad-certificate", 2)]
