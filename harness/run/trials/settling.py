"""When a device that was started has come to rest: it has done what it did when it was started first, and no more.

A trial that disturbed it before would show how it bears to be disturbed at its start, which is not what it is for.
"""

from __future__ import annotations

from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.record.events import Entry, Event
from harness.record.recorder import Recorder

_SETTLING = 10.0
"""Seconds a device may take to do what it did at its first start."""
_REST = 1.0
"""A device that has subscribed, read and reported nothing for so many seconds is at rest."""
_STEPS: tuple[type[Event], ...] = (ev.TwinRequested, ev.ReportedPatched, ev.TelemetryReceived)
_STARTING = (ev.HubConnected, ev.Subscribed, ev.TwinRequested, ev.ReportedPatched)
_ASKING: tuple[type[Event], ...] = (ev.PropertyWritten, ev.CommandSent, ev.C2dSent)


async def rests(recorder: Recorder, run: Evidence, after: int) -> None:
    """Wait until the device that was started after entry `after` has come to rest; 10 s are enough for any."""
    began = recorder.now
    await recorder.until(Settling(run).take, _SETTLING, after=after)
    while (left := _left(recorder, began)) > 0:
        n = len(recorder.entries)
        await recorder.until(lambda entry: isinstance(entry.event, _STARTING) or None, left, after=n)


def _left(recorder: Recorder, began: float) -> float:
    last = max((entry.t for entry in recorder.entries if isinstance(entry.event, _STARTING)), default=began)
    return min(last + _REST, began + _SETTLING) - recorder.now


class Settling:
    """What is still awaited of the device since it was started again, by the ordinary run `run`."""

    def __init__(self, run: Evidence) -> None:
        asked = run.entries(*_ASKING)
        before = asked[0].n if asked else float("inf")
        self._steps = {step for step in _STEPS if (found := run.first(step)) is not None and found[0] < before}
        self._filters = {
            name
            for n, event in run.of(ev.Subscribed)
            if n < before
            for name, _, granted in event.filters
            if granted < 128
        }
        self._connected = False

    def take(self, entry: Entry) -> bool | None:
        """Look at an entry; True when the device has come to rest."""
        match entry.event:
            case ev.HubConnected(return_code=0) as event:
                self._connected = True
                if event.session_present:
                    self._filters.clear()
            case ev.Subscribed() as event:
                self._filters -= {name for name, *_ in event.filters}
            case _:
                self._steps.discard(type(entry.event))
        return True if self._connected and not self._steps and not self._filters else None
