"""The built-in endpoint's store: what it keeps, what it drops, and where reading starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.amqp.journal import EventHub, Partition
from harness.emulator.amqp.positions import FROM_START, InvalidPosition, parse_selector
from harness.record.events import TelemetryReceived


def telemetry(payload: bytes = b"{}", **properties: str) -> TelemetryReceived:
    return TelemetryReceived("dev", None, None, payload, properties=properties)


def filled(times: list[int], max_events: int = 100, max_bytes: int = 1_000_000) -> Partition:
    partition = Partition("0", max_events, max_bytes)
    for time in times:
        partition.append(telemetry(), time, "1", "sas")
    return partition


def read(partition: Partition, selector: str) -> list[int]:
    """Return the sequence numbers a receiver with this selector gets."""
    at, found = parse_selector(selector).start_in(partition), []
    while (event := partition.read(at)) is not None:
        found.append(event.sequence)
        at = event.sequence + 1
    return found


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("amqp.annotation.x-opt-offset > '-1'", [0, 1, 2, 3]),
        ("amqp.annotation.x-opt-offset > '@latest'", []),
        ("amqp.annotation.x-opt-offset >= '@latest'", [3]),
        ("amqp.annotation.x-opt-offset > '66'", [2, 3]),
        ("amqp.annotation.x-opt-offset >= '66'", [1, 2, 3]),
        ("amqp.annotation.x-opt-sequence-number > '1'", [2, 3]),
        ("amqp.annotation.x-opt-sequence-number >= '1'", [1, 2, 3]),
        ("amqp.annotation.x-opt-sequence-number > '-1'", [0, 1, 2, 3]),
        ("amqp.annotation.x-opt-sequence-number > '3'", []),
        ("amqp.annotation.x-opt-enqueued-time > '1000'", [1, 2, 3]),
        ("amqp.annotation.x-opt-enqueued-time >= '1000'", [0, 1, 2, 3]),
        ("amqp.annotation.x-opt-enqueued-time > '2000'", [3]),
        ("amqp.annotation.x-opt-enqueued-time > '9000'", []),
        ("amqp.annotation.x-opt-enqueuedtimeutc >= 2000", [1, 2, 3]),
    ],
)
def test_where_reading_starts(selector: str, expected: list[int]) -> None:
    assert read(filled([1000, 2000, 2000, 3000]), selector) == expected


@pytest.mark.parametrize("text", ["", "x", "amqp.annotation.x-opt-offset < '3'", "amqp.annotation.x-opt-offset > 'a'"])
def test_a_selector_that_is_none(text: str) -> None:
    with pytest.raises(InvalidPosition):
        parse_selector(text)


@pytest.mark.parametrize("what", ["offset", "sequence-number"])
def test_a_position_behind_the_end_is_refused(what: str) -> None:
    with pytest.raises(InvalidPosition, match="4711"):
        parse_selector(f"amqp.annotation.x-opt-{what} > '4711'").start_in(filled([1]))


def test_the_oldest_make_room() -> None:
    by_number = filled(list(range(10)), max_events=4)
    assert read(by_number, "amqp.annotation.x-opt-offset > '-1'") == [6, 7, 8, 9]
    assert read(by_number, "amqp.annotation.x-opt-sequence-number > '2'") == [6, 7, 8, 9]
    by_size = filled(list(range(10)), max_bytes=3 * 66)
    assert (by_size.first_sequence, by_size.next_sequence) == (7, 10)


def test_properties_take_room_too() -> None:
    partition = Partition("0", 100, 10_000)
    for _ in range(10):
        partition.append(telemetry(b"", colour="x" * 4000), 1, "1", "sas")
    assert (partition.first_sequence, partition.next_sequence) == (8, 10)


def test_a_reader_that_fell_behind_goes_on_with_the_oldest() -> None:
    partition = filled([1, 2], max_events=2)
    at = FROM_START.start_in(partition)
    for _ in range(3):
        partition.append(telemetry(), 5, "1", "sas")
    event = partition.read(at)
    assert event is not None
    assert event.sequence == 3


def test_one_message_larger_than_the_store_is_kept_alone() -> None:
    partition = Partition("0", 10, 100)
    for size in (10, 500):
        partition.append(telemetry(b"x" * size), 1, "1", "sas")
    assert (partition.first_sequence, partition.next_sequence) == (1, 2)


@given(st.lists(st.integers(0, 2**40), max_size=50), st.integers(0, 2**40))
def test_time_never_runs_backwards(times: list[int], wanted: int) -> None:
    partition = filled(times)
    start = partition.after_time(wanted, inclusive=True)
    events = [partition.read(number) for number in range(len(times))]
    stored = [event.enqueued for event in events if event is not None]
    assert stored == sorted(stored)
    assert [time >= wanted for time in stored] == [number >= start for number in range(len(times))]


def test_readers_are_told_and_forgotten() -> None:
    partition, told = filled([]), []
    partition.readers["me"] = lambda: told.append(partition.next_sequence)
    partition.append(telemetry(), 1, "1", "sas")
    del partition.readers["me"]
    partition.append(telemetry(), 1, "1", "sas")
    assert told == [1]


def test_a_device_stays_in_its_partition() -> None:
    def hub() -> EventHub:
        return EventHub("name", 0, partitions=4, max_events=1, max_bytes=1, consumer_groups=("Mine",))

    ids = [f"device-{n}" for n in range(64)]
    first, second = hub(), hub()
    assert [first.partition_of(i).name for i in ids] == [second.partition_of(i).name for i in ids]
    assert {first.partition_of(i).name for i in ids} == {"0", "1", "2", "3"}
    assert first.has_group("$default")
    assert first.has_group("mine")
    assert not first.has_group("other")
