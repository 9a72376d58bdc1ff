"""Waits for the events of an emulator that runs in its own thread."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

from harness.emulator import Emulator, Endpoints
from harness.record.events import Event

E = TypeVar("E", bound=Event)

DEADLINE = 10.0


class Watcher:
    """Everything an emulator recorded, and a way to wait for more."""

    emulator: Emulator
    endpoints: Endpoints

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.errors: list[tuple[str, BaseException]] = []
        self._changed = threading.Condition()

    def emit(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def on_error(self, where: str, error: BaseException) -> None:
        self.errors.append((where, error))

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """Return the first such event, waiting for it if need be."""

        def found() -> list[E]:
            return [event for event in self.seen(kind) if where(event)]

        with self._changed:
            if not self._changed.wait_for(lambda: bool(found()), DEADLINE):
                raise AssertionError(f"no {kind.kind} within {DEADLINE:g} s; seen: {self.events}")
            return found()[0]

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.endpoints.ca_path)
