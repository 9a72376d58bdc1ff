from __future__ import annotations

import pytest

from harness.emulator.errors import ServiceError
from harness.emulator.hub.filters import METHODS
from harness.emulator.hub.methods import MethodResult
from harness.mqtt import Disconnect, Publish, Subscribe
from harness.record.events import MethodAnswered, MethodRequested, ProtocolViolation
from tests.emulator.fakes import World, publish
from tests.mqtt.fakes import Client

Outcomes = list[MethodResult | ServiceError]


@pytest.fixture
def world() -> World:
    return World()


def request(client: Client) -> Publish:
    (packet,) = client.received()
    assert isinstance(packet, Publish)
    return packet


def error(outcomes: Outcomes) -> ServiceError:
    (outcome,) = outcomes
    assert isinstance(outcome, ServiceError)
    return outcome


def test_request_and_answer(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, METHODS)
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "comp*reboot", b'{"delay":1.0}', outcomes.append)
    packet = request(client)
    assert (packet.topic, packet.payload, packet.qos) == (
        "$iothub/methods/POST/comp*reboot/?$rid=1",
        b'{"delay":1.0}',
        0,
    )
    publish(client, "$iothub/methods/res/-7/?$rid=1", b'"done"', 1)
    assert outcomes == [MethodResult(-7, b'"done"')]
    assert world.last(MethodRequested) == MethodRequested("dev-1", None, "1", "comp*reboot", packet.payload)
    assert world.last(MethodAnswered) == MethodAnswered("dev-1", None, "1", "comp*reboot", -7, b'"done"')
    world.advance(60)
    assert len(outcomes) == 1


@pytest.mark.parametrize("connected", [True, False])
def test_not_online_and_not_subscribed_are_404103_at_once(world: World, connected: bool) -> None:
    device = world.add_device()
    if connected:
        world.at_hub(device)
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append)
    assert (error(outcomes).code, error(outcomes).status) == (404103, 404)
    assert error(outcomes).info == {"timeout": "00:00:00"}
    assert world.seen(MethodRequested) == []


def test_connect_timeout_waits_for_the_subscription(world: World) -> None:
    device = world.add_device()
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append, connect_seconds=20)
    client = world.at_hub(device)
    world.advance(19)
    client.send(Subscribe(1, ((METHODS, 1),)))
    publish(client, "$iothub/methods/res/200/?$rid=1")
    assert outcomes == [MethodResult(200, b"")]


def test_connect_timeout_is_met_by_a_kept_session(world: World) -> None:
    device = world.add_device()
    world.at_hub(device, METHODS).send(Disconnect())
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append, connect_seconds=20)
    client = world.client()
    answers = client.send(world.hub_connect(device))
    assert [type(answer).__name__ for answer in answers] == ["Connack", "Publish"]


def test_connect_timeout_runs_out(world: World) -> None:
    outcomes: Outcomes = []
    world.hub.methods.invoke(world.add_device(), "x", b"", outcomes.append, connect_seconds=20)
    assert outcomes == []
    world.advance(20)
    assert (error(outcomes).code, error(outcomes).info) == (404103, {"timeout": "00:00:20"})


def test_no_answer_is_504101_and_a_late_one_is_marked(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, METHODS)
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "slow", b"", outcomes.append, response_seconds=5)
    world.advance(5)
    assert (error(outcomes).code, error(outcomes).status) == (504101, 504)
    assert error(outcomes).info == {"timeout": "00:00:05"}
    publish(client, "$iothub/methods/res/200/?$rid=1", b"{}")
    assert world.last(MethodAnswered).late
    assert len(outcomes) == 1


def test_unknown_request_ids_are_recorded_and_dropped(world: World) -> None:
    client = world.at_hub(world.add_device(), METHODS)
    publish(client, "$iothub/methods/res/200/?$rid=99", b"{}")
    assert not client.closed
    assert (world.last(ProtocolViolation).rule, world.last(ProtocolViolation).closed) == (
        "unknown-method-request",
        False,
    )


def test_an_answer_counts_once(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, METHODS)
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append)
    for _ in range(2):
        publish(client, "$iothub/methods/res/200/?$rid=1")
    assert len(outcomes) == 1
    assert len(world.seen(MethodAnswered)) == 1


def test_a_withdrawn_call_is_never_answered(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, METHODS)
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append)()
    publish(client, "$iothub/methods/res/200/?$rid=1")
    world.advance(100)
    assert outcomes == []
    assert world.last(MethodAnswered).late


def test_deleting_the_device_ends_its_calls(world: World) -> None:
    device = world.add_device()
    outcomes: Outcomes = []
    world.hub.methods.invoke(device, "x", b"", outcomes.append, connect_seconds=20)
    world.hub.delete_device("dev-1", None)
    assert error(outcomes).code == 404001


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a#", "é", "a?b", "x" * 2000])
def test_names_that_are_refused(world: World, name: str) -> None:
    with pytest.raises(ServiceError, match="method name"):
        world.hub.methods.invoke(world.add_device(), name, b"", print)


@pytest.mark.parametrize("timeouts", [{"response_seconds": 4}, {"response_seconds": 301}, {"connect_seconds": 301}])
def test_timeouts_that_are_refused(world: World, timeouts: dict[str, float]) -> None:
    with pytest.raises(ServiceError, match="TimeoutInSeconds"):
        world.hub.methods.invoke(world.add_device(), "x", b"", print, **timeouts)


def test_payloads_that_are_too_large(world: World) -> None:
    with pytest.raises(ServiceError, match="longer than"):
        world.hub.methods.invoke(world.add_device(), "x", bytes(128 * 1024 + 1), print)
