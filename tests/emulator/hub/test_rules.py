"""Rules of the hub on MQTT that `test_hub` has not, modules, and limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.emulator.errors import ServiceError
from harness.emulator.hub.filters import DESIRED, METHODS
from harness.emulator.hub.methods import MethodResult
from harness.emulator.options import EmulatorOptions
from harness.emulator.times import parse
from harness.mqtt import Connack, Publish, Will
from harness.record.events import HubConnected, HubDisconnected, ProtocolViolation, TelemetryReceived
from tests.emulator.fakes import World, publish

EVENTS = "devices/dev-1/messages/events/"


@pytest.mark.parametrize(
    ("reaction", "connack", "closed"), [("close", None, True), ("refuse", 5, True), ("ignore", 0, False)]
)
def test_wills_for_other_topics(reaction: str, connack: int | None, closed: bool) -> None:
    world = World(EmulatorOptions(foreign_will=reaction))
    device = world.add_device()
    client = world.client()
    answers = client.send(replace(world.hub_connect(device), will=Will("devices/dev-2/messages/events/", b"x")))
    assert answers == ([] if connack is None else [Connack(connack)])
    assert client.closed is closed
    assert world.last(ProtocolViolation).rule == "foreign-will"
    assert (device.connection is None) is closed
    client.session.lost("gone")
    assert world.seen(TelemetryReceived) == []


def test_a_will_at_qos_2_is_refused_like_a_publish() -> None:
    world = World()
    client = world.client()
    assert client.send(replace(world.hub_connect(world.add_device()), will=Will(EVENTS, b"x", 2))) == []
    assert world.last(ProtocolViolation).rule == "qos-2"
    assert world.last(HubConnected).return_code == 5


def test_a_will_that_breaks_rules_costs_nothing_but_itself() -> None:
    world = World()
    client = world.client()
    client.send(replace(world.hub_connect(world.add_device()), will=Will(EVENTS + "%24.mid=a%20b", b"x")))
    client.session.lost("gone")
    assert world.last(ProtocolViolation).rule == "bad-properties"
    assert world.seen(TelemetryReceived) == []


@pytest.mark.parametrize(
    "bag",
    [
        "%24.mid=" + "x" * 129,
        "%24.mid=a%20b",
        "iothub-creation-time-utc=yesterday",
        "iothub-creation-time-utc=2024-05-01T10%3A00%3A00%2B02%3A00",
        "%24.ctime=2024-13-01T10%3A00%3A00Z",
    ],
)
def test_properties_that_break_rules(bag: str) -> None:
    for reaction in ("close", "accept"):
        world = World(EmulatorOptions(bad_properties=reaction))
        client = world.at_hub(world.add_device())
        client.send(Publish(EVENTS + bag, b"1", 1, 1))
        assert client.closed is (reaction == "close")
        assert world.last(ProtocolViolation).rule == "bad-properties"
        assert len(world.seen(TelemetryReceived)) == (reaction == "accept")


@pytest.mark.parametrize(
    "bag", ["%24.mid=" + "x" * 128, "%24.cid=%C3%A4", "%24.ctime=2024-05-01T10%3A00%3A00.5Z", "a=%C3%A4"]
)
def test_properties_that_keep_them(bag: str) -> None:
    world = World()
    client = world.at_hub(world.add_device())
    publish(client, EVENTS + bag, b"1")
    assert not client.closed


@pytest.mark.parametrize(("size", "closed"), [(256 * 1024 - 7, False), (256 * 1024 - 6, True)])
def test_properties_count_towards_the_size(size: int, closed: bool) -> None:
    world = World()
    client = world.at_hub(world.add_device())
    publish(client, EVENTS + "%24.mid=abc&xy=%C3%A4", bytes(size))
    assert client.closed is closed


def test_times() -> None:
    assert parse("1970-01-01T00:00:01.25Z") == 1.25
    for bad in ("1970-01-01", "1970-01-01T00:00:01", "1970-02-30T00:00:00Z", "x" * 99):
        assert parse(bad) is None


# --- modules -----------------------------------------------------------------------------------------


def test_modules_have_limits_and_go_with_their_device() -> None:
    world = World(EmulatorOptions(max_modules=2))
    world.hub.put_device("dev-1", {}, None)
    for name in ("a", "b"):
        world.hub.put_device("dev-1", {"moduleId": name}, None, module_id=name)
    with pytest.raises(ServiceError) as many:
        world.hub.put_device("dev-1", {}, None, module_id="c")
    assert many.value.code == 413003
    module = world.hub.registry.get("dev-1", "a")
    client = world.at_hub(module)
    world.hub.put_device("dev-1", {"status": "disabled"}, "*")
    assert client.closed
    assert world.client().one(world.hub_connect(module)) == Connack(5)
    assert world.last(HubConnected).error_code == 403012
    world.hub.put_device("dev-1", {"status": "enabled"}, "*")
    client = world.at_hub(module)
    world.hub.delete_device("dev-1", None, module_id="a")
    assert client.closed
    assert world.last(HubDisconnected).error_code == 404001
    assert [one.module_id for one in world.hub.registry.modules("dev-1")] == ["b"]
    world.hub.delete_device("dev-1", None)
    assert list(world.hub.registry.modules()) == []


def test_a_module_has_twin_and_methods_of_its_own_and_no_messages() -> None:
    world = World()
    device = world.hub.put_device("dev-1", {}, None)
    module = world.hub.put_device("dev-1", {}, None, module_id="mod")
    client = world.at_hub(module, DESIRED, METHODS, "devices/dev-1/modules/mod/#")
    assert not client.closed
    world.hub.update_twin(module, {"properties": {"desired": {"a": 1}}})
    (packet,) = client.received()
    assert isinstance(packet, Publish)
    assert json.loads(packet.payload) == {"a": 1, "$version": 2}
    assert device.twin.desired.version == 1
    done: list[MethodResult | ServiceError] = []
    world.hub.methods.invoke(module, "go", b"", done.append)
    client.send(Publish("$iothub/methods/res/200/?$rid=1", b"1"))
    assert done == [MethodResult(200, b"1")]
    world.hub.c2d.enqueue("dev-1", b"x")
    assert [packet for packet in client.received() if isinstance(packet, Publish) and "bound" in packet.topic] == []


def test_a_module_that_is_there_is_409301() -> None:
    world = World()
    world.hub.put_device("dev-1", {}, None)
    world.hub.put_device("dev-1", {}, None, module_id="mod")
    with pytest.raises(ServiceError) as caught:
        world.hub.put_device("dev-1", {}, None, module_id="mod")
    assert caught.value.code == 409301
    with pytest.raises(ServiceError) as unknown:
        world.hub.put_device("nobody", {}, None, module_id="mod")
    assert unknown.value.code == 404001


# --- limits ------------------------------------------------------------------------------------------


def test_too_many_methods_in_flight() -> None:
    world = World(EmulatorOptions(max_methods_in_flight=2))
    device = world.add_device()
    world.at_hub(device, METHODS)
    for _ in range(2):
        world.hub.methods.invoke(device, "x", b"", lambda _: None)
    with pytest.raises(ServiceError) as caught:
        world.hub.methods.invoke(device, "x", b"", lambda _: None)
    assert caught.value.code == 403800


def test_a_method_answer_that_is_too_large_closes() -> None:
    world = World()
    client = world.at_hub(world.add_device(), METHODS)
    publish(client, "$iothub/methods/res/200/?$rid=1", bytes(128 * 1024 + 1))
    assert client.closed
    assert world.last(ProtocolViolation).rule == "message-too-large"


def test_or_is_dropped_by_switch() -> None:
    world = World(EmulatorOptions(long_method_answer="drop"))
    device = world.add_device()
    client = world.at_hub(device, METHODS)
    done: list[object] = []
    world.hub.methods.invoke(device, "x", b"", done.append, response_seconds=5)
    publish(client, "$iothub/methods/res/200/?$rid=1", bytes(128 * 1024 + 1))
    assert (client.closed, world.last(ProtocolViolation).closed) == (False, False)
    world.advance(5)
    assert isinstance(done[0], ServiceError)
    assert done[0].code == 504101


def test_throttled_twins_are_429() -> None:
    world = World(EmulatorOptions(twin_rate=2))
    client = world.at_hub(world.add_device())
    answers = [publish(client, "$iothub/twin/GET/?$rid=1")[0] for _ in range(2)]
    answers += publish(client, "$iothub/twin/PATCH/properties/reported/?$rid=2", b"{}")
    assert [answer.topic.split("/")[3] for answer in answers] == ["200", "200", "429"]
    assert json.loads(answers[2].payload)["errorCode"] == 429001
    world.advance(0.5)
    assert "/200/" in publish(client, "$iothub/twin/GET/?$rid=3")[0].topic


def test_throttled_telemetry_closes() -> None:
    world = World(EmulatorOptions(telemetry_rate=3))
    client = world.at_hub(world.add_device())
    for _ in range(4):
        assert not client.closed
        publish(client, EVENTS, b"1")
    assert client.closed
    assert world.last(ProtocolViolation).rule == "throttled"
