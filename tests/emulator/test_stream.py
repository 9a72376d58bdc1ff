"""What the stream of events holds for readers to come."""

from __future__ import annotations

from typing import Any

import pytest

from harness.emulator.dps.requests import MAX_BODY
from harness.emulator.stream import EventStream
from harness.mqtt import Publish
from harness.record.events import Entry, Event, HubConnected, RegistrationRequested, Subscribed, TelemetryReceived
from tests.emulator.fakes import World

KB = 1024


def telemetry(payload: bytes = b"", **properties: str) -> TelemetryReceived:
    return TelemetryReceived("dev", None, None, payload, properties=properties)


def connected(user_name: str) -> HubConnected:
    return HubConnected("dev", None, 5, None, "", "", 60, True, False, "mqtt", "sas", user_name)


def held(stream: EventStream) -> list[int]:
    seen: list[Entry] = []
    stream.listen(seen.append, after=0)()
    return [entry.n for entry in seen]


@pytest.mark.parametrize(
    "large",
    [
        telemetry(b"x" * 10 * KB),
        telemetry(colour="x" * 10 * KB),
        connected("x" * 10 * KB),
        Subscribed("dev", None, (("x" * 10 * KB, 1, 128),)),
    ],
    ids=lambda event: event.kind,
)
def test_the_oldest_make_room_for_large_ones(large: Event) -> None:
    forwarded: list[Event] = []
    stream = EventStream(forwarded.append, lambda: 0.0, held=100, held_bytes=64 * KB)
    for _ in range(50):
        stream.emit(large)
    assert held(stream) == [45, 46, 47, 48, 49, 50]
    for _ in range(99):
        stream.emit(telemetry())
    assert len(held(stream)) > 90
    assert len(forwarded) == 149


def test_the_latest_is_held_whatever_it_weighs() -> None:
    stream = EventStream(lambda event: None, lambda: 0.0, held_bytes=10)
    for kilobytes in (5, 10, 5):
        stream.emit(telemetry(b"x" * kilobytes * KB))
    assert held(stream) == [3]


def test_what_went_of_itself_counts_no_more() -> None:
    stream = EventStream(lambda event: None, lambda: 0.0, held=4, held_bytes=25 * KB)
    for kilobytes in (10, 10, 0, 0, 0, 10, 10):
        stream.emit(telemetry(b"x" * kilobytes * KB))
    assert held(stream) == [4, 5, 6, 7]


@pytest.mark.parametrize(("most", "numbers"), [(3, [8, 9, 10]), (0, [])])
@pytest.mark.parametrize("size", [0, 5 * KB])
def test_no_more_are_held_than_asked_for(most: int, numbers: list[int], size: int) -> None:
    stream = EventStream(lambda event: None, lambda: 0.0, held=most)
    for _ in range(10):
        stream.emit(telemetry(b"x" * size))
    assert held(stream) == numbers


def test_of_a_register_request_no_more_is_recorded_than_dps_reads() -> None:
    world = World()
    client = world.at_dps(world.enroll().primary)
    answer: Any = client.send(Publish("$dps/registrations/PUT/iotdps-register/?$rid=1", b" " * 2 * MAX_BODY))[0]
    assert answer.topic.startswith("$dps/registrations/res/400/")
    assert len(world.last(RegistrationRequested).payload) == MAX_BODY
