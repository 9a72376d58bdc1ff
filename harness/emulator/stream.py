"""The events of a running emulator for whoever asks: what is held of the past, and what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from harness.record.events import Entry, Event

HELD = 10_000
"""Events of the past that are kept; the oldest go first."""

Listener = Callable[[Entry], None]


class EventStream:
    """Numbers the events, holds the last of them, and passes each on. For the emulator's own thread."""

    def __init__(self, forward: Callable[[Event], None], clock: Callable[[], float], held: int = HELD) -> None:
        self._forward = forward
        self._clock = clock
        self._began = clock()
        self._held: deque[Entry] = deque(maxlen=held)
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
