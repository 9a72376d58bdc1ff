"""The events of a running emulator for whoever asks: what is held of the past, and what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from harness.record.events import KINDS, Entry, Event, TelemetryReceived

HELD = 10_000
"""Events of the past that are kept; the oldest go first."""
HELD_BYTES = 64 * 2**20
"""What the heavy ones among them may weigh together: a device may send 256 KB with each."""
_LIGHT = 2048
"""Bytes of an event that are not counted; most have less."""
_OVERHEAD = 512

Listener = Callable[[Entry], None]


class EventStream:
    """Numbers the events, holds the last of them, and passes each on. For the emulator's own thread."""

    def __init__(
        self,
        forward: Callable[[Event], None],
        clock: Callable[[], float],
        held: int = HELD,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self._forward = forward
        self._clock = clock
        self._began = clock()
        self._held: deque[Entry] = deque(maxlen=held)
        self._heavy: deque[tuple[int, int]] = deque()
        """Numbers of the heavy events, and what they weigh."""
        self._heavy_bytes = 0
        self._most_bytes = held_bytes
        self._light_system: Mapping[str, str | None] = {}
        self._light_properties: Mapping[str, str | None] = {}
        """Of the latest telemetry that weighed little."""
        self._listeners: list[Listener] = []
        self.last = 0
        """Number of the latest event."""

    @property
    def now(self) -> float:
        """Seconds since the record began, as entries have them."""
        return self._clock() - self._began

    def emit(self, event: Event) -> None:
        self.last += 1
        entry = Entry(self.last, self._clock() - self._began, event)
        self._held.append(entry)
        # Most are known to be light: devices repeat themselves, and the hub gives equal properties as one object.
        if (
            type(event) is not TelemetryReceived
            or event.properties is not self._light_properties
            or event.system is not self._light_system
            or len(event.payload) > _LIGHT
        ):
            self._weigh(entry)
        if self._listeners:
            for listener in tuple(self._listeners):
                listener(entry)
        self._forward(event)

    def listen(self, listener: Listener, after: int | None = None) -> Callable[[], None]:
        """Call the listener with what is held after number `after` (None: nothing) and with all that comes.

        Returns a function that ends it.
        """
        if after is not None:
            for entry in self._held:
                if entry.n > after:
                    listener(entry)
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _weigh(self, entry: Entry) -> None:
        if not self._held:
            return
        event, size, heavy = entry.event, weight(entry.event), self._heavy
        if size <= _LIGHT:
            if type(event) is TelemetryReceived:
                self._light_system, self._light_properties = event.system, event.properties
            return
        heavy.append((entry.n, size))
        self._heavy_bytes += size
        # Those that went of themselves, being the oldest, and those for which there is no room; never the latest.
        while len(heavy) > 1 and (heavy[0][0] < self._held[0].n or self._heavy_bytes > self._most_bytes):
            number, size = heavy.popleft()
            self._heavy_bytes -= size
            while self._held[0].n <= number:
                self._held.popleft()


def weight(event: Event) -> int:
    """Return roughly the bytes of memory that an event takes."""
    return _OVERHEAD + sum([_weight(getattr(event, name)) for name in _names(event.kind)])


def _weight(value: Any) -> int:
    if not value:
        return 0
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, Mapping):
        return sum([len(name) + _weight(one) for name, one in value.items()])
    if isinstance(value, (tuple, list)):
        return sum([_weight(one) for one in value])
    return 0


@cache
def _names(kind: str) -> tuple[str, ...]:
    cls: Any = KINDS[kind]
    return tuple(field.name for field in fields(cls))
