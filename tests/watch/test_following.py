"""Reading a source: what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.record import events as ev
from harness.record.events import Entry
from harness.watch.choosing import Choice
from harness.watch.following import Ended, Taken, follow
from harness.watch.monitor import Watched, monitor, silence
from harness.watch.source import Broken, Known, Seen


class Told:
    """A source that tells these events, then is silent, or breaks."""

    name = "a test"

    def __init__(self, *events: ev.Event, known: Sequence[Known] = (), breaks: bool = False) -> None:
        self._events = events
        self._known = list(known)
        self._breaks = breaks

    async def known(self) -> list[Known]:
        return self._known

    @asynccontextmanager
    async def listen(self, *, past: bool = False) -> AsyncIterator[AsyncIterator[Seen]]:
        yield self._tell()

    async def _tell(self) -> AsyncIterator[Seen]:
        for n, event in enumerate(self._events, 1):
            yield Seen(1_700_000_000 + n, Entry(n, float(n), event))
        if self._breaks:
            raise Broken("it broke")
        await asyncio.Event().wait()


def message(device_id: str = "d", payload: bytes = b"{}") -> ev.TelemetryReceived:
    return ev.TelemetryReceived(device_id, None, None, payload)


def read(source: Told, taken: Taken = Taken.USED, **limits: Any) -> tuple[Ended, int]:
    seen: list[Seen] = []

    async def take(one: Seen) -> Taken:
        seen.append(one)
        return taken

    async def listening(known: Sequence[Known]) -> None:
        pass

    return asyncio.run(follow(source, take, listening=listening, **limits)), len(seen)


def test_enough() -> None:
    assert read(Told(message(), message()), Taken.ENOUGH) == (Ended.ENOUGH, 1)


def test_idle_and_time_over() -> None:
    assert read(Told(message()), idle=0.05) == (Ended.IDLE, 1)
    assert read(Told(message()), idle=30, duration=0.05) == (Ended.TIME_OVER, 1)


def test_a_broken_source_is_not_hidden() -> None:
    with pytest.raises(Broken, match="it broke"):
        read(Told(message(), breaks=True), idle=30)


def test_a_fault_of_ours_is_not_hidden() -> None:
    async def take(seen: Seen) -> Taken:
        raise ZeroDivisionError

    async def listening(known: Sequence[Known]) -> None:
        pass

    with pytest.raises(ZeroDivisionError):
        asyncio.run(follow(Told(message()), take, listening=listening))


@pytest.mark.parametrize(
    ("choice", "known", "events", "sentence"),
    [
        (Choice(), [], [], "has no device yet"),
        (Choice("pump"), [Known("rig")], [], "no device 'pump'; it has rig"),
        (Choice("rig"), [Known("rig")], [], "watched: 1; connected when it began: 0"),
        (Choice("pump"), [Known("rig")], [message("rig"), message("rig")], "passed over 2 of telemetry"),
    ],
)
def test_silence_is_explained(choice: Choice, known: list[Known], events: list[ev.Event], sentence: str) -> None:
    watched = Watched()
    asyncio.run(monitor(Told(*events, known=known), choice, lambda seen: None, watched, timeout=0.02))
    assert watched.ended is Ended.IDLE
    assert sentence in silence(watched, choice)
