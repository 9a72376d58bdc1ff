"""Reading a source: what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Severity
from harness.watch.choosing import Choice
from harness.watch.following import Ended, Taken, follow
from harness.watch.monitor import Watched, monitor, silence
from harness.watch.source import Broken, Known, Seen
from harness.watch.validate import Validation
from tests.watch.model import ROOT, rig_model


class Told:
    """A source that tells these events, then is silent, or breaks."""

    name = "a test"
    hint = ""
    lag = 0.0

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


@pytest.mark.parametrize(("lag", "unanswered"), [(0.0, True), (15.0, False)])
def test_what_a_source_may_tell_late_is_not_called_unanswered(lag: float, unanswered: bool) -> None:
    later = (ev.TelemetryReceived("d", None, None, b'{"d": 1}', "application/json", "utf-8") for _ in range(12))
    source = Told(ev.DesiredChanged("d", None, 2, {"target": 5}, True), *later)
    source.lag = lag
    model = (ROOT, rig_model())
    validation = Validation(source, Choice(), Severity.WARNING, _unasked, model=model)
    asyncio.run(validation.watch(duration=0.2))
    validation.finish()
    codes = {row.finding.code for row in validation.watched.ledger.rows}
    assert ("property-not-acknowledged" in codes) is unanswered


def _unasked(model_id: str) -> Any:
    raise AssertionError(model_id)
