"""The append-only record, and waiting for what it will hold.

Every thread may append; waits end the moment the awaited event arrives. Nothing polls and nothing sleeps:
a wait is a match function that sees each entry once, so a busy device costs no more than its messages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from harness.record.events import Entry, Event
from harness.record.journal import encode

T = TypeVar("T")
Match = Callable[[Entry], T | None]
"""Looks at one entry; anything but None ends the wait and is its result."""


class Recorder:
    """The record of one run. `sink` receives every entry as a journal line, as `encoded`."""

    def __init__(
        self,
        sink: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        encoded: Callable[[Entry], str] = encode,
    ) -> None:
        self._sink = sink
        self._encoded = encoded
        self._clock = clock
        self._began = clock()
        self._lock = threading.RLock()
        self._reader: Callable[[Entry], None] = lambda entry: None
        self._entries: list[Entry] = []
        self._listeners: list[Callable[[Entry], None]] = []

    @classmethod
    def replay(cls, entries: tuple[Entry, ...]) -> Recorder:
        """A record that is over: what a journal held."""
        recorder = cls()
        recorder._entries = list(entries)
        return recorder

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries so far, in order."""
        with self._lock:
            return tuple(self._entries)

    def follow(self, reader: Callable[[Entry], None]) -> None:
        """Let `reader` see every entry, those so far at once, before any wait does. It replaces an earlier one."""
        with self._lock:
            for entry in self._entries:
                reader(entry)
            self._reader = reader

    def frozen(self) -> AbstractContextManager[Any]:
        """A context in which nothing is added, for reading what the follower has gathered."""
        return self._lock

    def emit(self, event: Event) -> Entry:
        """Append an event; it is in the journal when this returns."""
        with self._lock:
            entry = Entry(len(self._entries) + 1, self._clock() - self._began, event)
            self._entries.append(entry)
            if self._sink is not None:
                self._sink(self._encoded(entry))
            self._reader(entry)
            for listener in tuple(self._listeners):
                listener(entry)
        return entry

    def wait(self, match: Match[T], timeout: float, *, after: int = 0) -> T | None:
        """Block until `match` finds its entry among those after number `after`; None when time is up.

        Ctrl-C ends the wait at once.
        """
        future, listener = self._listen(match, after)
        try:
            return future.result(timeout)
        except FutureTimeout:
            return None
        finally:
            self._forget(listener)

    async def until(self, match: Match[T], timeout: float, *, after: int = 0) -> T | None:
        """The same for asyncio: the loop goes on while this waits."""
        future, listener = self._listen(match, after)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except (asyncio.TimeoutError, TimeoutError):
            return None
        finally:
            self._forget(listener)

    def _listen(self, match: Match[T], after: int) -> tuple[Future[T], Callable[[Entry], None]]:
        future: Future[T] = Future()

        def listener(entry: Entry) -> None:
            if future.done():
                return
            try:
                found = match(entry)
            except Exception as e:
                if future.set_running_or_notify_cancel():
                    future.set_exception(e)
                return
            if found is not None and future.set_running_or_notify_cancel():
                future.set_result(found)

        with self._lock:
            for entry in self._entries[after:]:
                listener(entry)
                if future.done():
                    break
            else:
                self._listeners.append(listener)
        return future, listener

    def _forget(self, listener: Callable[[Entry], None]) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
