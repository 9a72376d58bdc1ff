"""The gate that every operation passes: whatever is put there decides, and the cores do not notice."""

from __future__ import annotations

from collections.abc import Callable

from harness.emulator.faults import Answer, Operation, Point, carry_out_later
from harness.emulator.hub.filters import METHODS, TWIN_ANSWERS
from harness.mqtt import Acknowledgement, Connack, Publish, Suback, Subscribe
from harness.mqtt.packets import PUBACK
from harness.record.events import HubConnected, ProtocolViolation, RegistrationAnswered, ReportedPatched
from tests.emulator.fakes import World, publish

EVENTS = "devices/dev-1/messages/events/"


Order = Callable[[Operation], None]


def proceed(operation: Operation) -> None:
    operation.proceed()


class Gate:
    active = True

    def __init__(self, **orders: Order) -> None:
        self.orders = orders
        self.points: list[Point] = []

    def run(self, operation: Operation) -> None:
        self.points.append(operation.point)
        self.orders.get(operation.point.name, proceed)(operation)

    def assigned(self, device_id: str) -> None:
        pass


def say(status: int, code: int | None = None, retry_after: int | None = None) -> Order:
    def order(operation: Operation) -> None:
        assert operation.answer is not None
        operation.answer(Answer(status, code, retry_after, "ordered"))

    return order


def nothing(operation: Operation) -> None:
    """Silence."""


def test_an_answer_in_place_of_the_result() -> None:
    world = World(faults=Gate(DPS_REGISTER=say(429, 429001, 7), TWIN_PATCH=say(500, 500001), HUB_SUBSCRIBE=say(0)))
    client = world.at_dps(world.enroll().primary)
    (answer,) = publish(client, "$dps/registrations/PUT/iotdps-register/?$rid=1")
    assert answer.topic == "$dps/registrations/res/429/?$rid=1&retry-after=7"
    assert world.last(RegistrationAnswered).retry_after == 7

    client = world.at_hub(world.add_device())
    assert client.one(Subscribe(1, ((METHODS, 1),))) == Suback(1, (128,))
    (answer,) = publish(client, "$iothub/twin/PATCH/properties/reported/?$rid=1", b"{}")
    assert answer.topic.startswith("$iothub/twin/res/500/")
    assert world.last(ReportedPatched).error_code == 500001


def test_connack_of_any_code_and_none_at_all() -> None:
    world = World(faults=Gate(HUB_CONNECT=say(3)))
    device = world.add_device()
    assert world.client().one(world.hub_connect(device)) == Connack(3)
    assert world.last(HubConnected).return_code == 3
    world = World(faults=Gate(HUB_CONNECT=nothing))
    client = world.client()
    assert client.send(world.hub_connect(world.add_device()), Publish(EVENTS, b"")) == []
    world.advance(31)
    assert client.aborted


def later(world: World, seconds: float) -> Order:
    def order(operation: Operation) -> None:
        world.timers.later(seconds, lambda: carry_out_later(operation))

    return order


def twice(operation: Operation) -> None:
    operation.proceed()
    operation.proceed()


def test_delay_and_silence_and_repetition() -> None:
    world = World(faults=(gate := Gate()))
    gate.orders |= {"HUB_CONNECT": later(world, 2), "HUB_PUBLISH": later(world, 3)}
    client = world.client()
    assert client.send(world.hub_connect(world.add_device()), Publish(EVENTS, b"", 1, 4)) == []
    world.advance(2)
    assert client.received() == [Connack(0)]
    world.advance(3)
    assert client.received() == [Acknowledgement(PUBACK, 4)]

    gate.orders |= {"HUB_PUBLISH": twice}
    assert len(client.send(Publish(EVENTS, b"", 1, 5))) == 2
    gate.orders |= {"HUB_PUBLISH": proceed, "TWIN_GET": nothing}
    assert publish(client, "$iothub/twin/GET/?$rid=1") == []


def test_a_breach_found_late_still_closes() -> None:
    world = World(faults=(gate := Gate()))
    client = world.at_hub(world.add_device(), TWIN_ANSWERS)
    gate.orders["HUB_PUBLISH"] = later(world, 1)
    client.send(Publish("elsewhere", b""))
    world.advance(1)
    assert client.closed
    assert world.last(ProtocolViolation).rule == "unknown-topic"
