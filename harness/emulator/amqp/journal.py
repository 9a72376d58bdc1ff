"""The built-in endpoint's store: telemetry in partitions, each a bounded ring with positions to read from.

Fed by what the hub accepts, in the hub's order, and read by any number of consumers; it never blocks. The
oldest events make room for new ones, as they do after Azure's retention time.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from harness.emulator.hub.messages import size_of
from harness.record.events import TelemetryReceived

_OVERHEAD = 64
"""Bytes an event counts beside its payload and properties."""


@dataclass(slots=True, eq=False)
class StoredEvent:
    """One message of a partition. `enqueued` is Unix time in ms; `size` is in bytes, roughly.

    `encoded` caches the AMQP form: what was read takes as much memory again.
    """

    sequence: int
    offset: int
    enqueued: int
    message: TelemetryReceived
    generation_id: str
    authentication: str
    size: int
    encoded: bytes | None = None


class Partition:
    """A ring of at most `max_events` events and `max_bytes` bytes. Sequence numbers rise by one from 0."""

    def __init__(self, name: str, max_events: int, max_bytes: int) -> None:
        self.name = name
        self._events: deque[StoredEvent] = deque()
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._bytes = 0
        self._end_offset = 0
        self.next_sequence = 0
        self.last: StoredEvent | None = None
        self.readers: dict[object, Callable[[], None]] = {}
        """Called whenever there is something new."""

    @property
    def first_sequence(self) -> int:
        """Sequence number of the oldest event kept, or of the next one when none is."""
        return self.next_sequence - len(self._events)

    def append(self, message: TelemetryReceived, enqueued: int, generation_id: str, authentication: str) -> None:
        """Store one message and tell the readers."""
        # Time never runs backwards in a partition, or a start by time could not be searched for.
        if self.last is not None:
            enqueued = max(enqueued, self.last.enqueued)
        size = _OVERHEAD + size_of(message.payload, message.system, message.properties)
        event = StoredEvent(
            self.next_sequence, self._end_offset, enqueued, message, generation_id, authentication, size
        )
        self._events.append(event)
        self.last = event
        self.next_sequence += 1
        self._end_offset += size
        self._bytes += size
        while len(self._events) > 1 and (len(self._events) > self._max_events or self._bytes > self._max_bytes):
            self._bytes -= self._events.popleft().size
        for told in tuple(self.readers.values()):
            told()

    def read(self, sequence: int) -> StoredEvent | None:
        """Return the event of this number or, when that is gone, the oldest; None when it is yet to come."""
        index = max(sequence - self.first_sequence, 0)
        return self._events[index] if index < len(self._events) else None

    def after_offset(self, offset: int, inclusive: bool) -> int:
        """Return the sequence number of the first event behind (or at) an offset."""
        return self._search(lambda event: event.offset, offset, inclusive)

    def after_time(self, enqueued: int, inclusive: bool) -> int:
        """Return the sequence number of the first event enqueued after (or at) a time in ms."""
        return self._search(lambda event: event.enqueued, enqueued, inclusive)

    def _search(self, key: Callable[[StoredEvent], int], value: int, inclusive: bool) -> int:
        find = bisect_left if inclusive else bisect_right
        return self.first_sequence + find(self._events, value, key=key)


class EventHub:
    """The Event Hubs-compatible endpoint of one hub. `created` is Unix time in ms."""

    def __init__(
        self,
        name: str,
        created: int,
        *,
        partitions: int,
        max_events: int,
        max_bytes: int,
        consumer_groups: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.created = created
        self.partitions = {str(n): Partition(str(n), max_events, max_bytes) for n in range(partitions)}
        self._groups = {group.lower() for group in ("$Default", *consumer_groups)}

    def has_group(self, name: str) -> bool:
        """Whether there is such a consumer group; case does not matter."""
        return name.lower() in self._groups

    def partition_of(self, device_id: str) -> Partition:
        """Return the partition of all this device's messages: the same one in every run."""
        return self.partitions[str(zlib.crc32(device_id.encode()) % len(self.partitions))]
