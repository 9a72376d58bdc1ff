"""When a device that was started again has come to rest: it has done what it did when it was started first.

A trial that disturbed it before would show how it bears to be disturbed at its start, which is not what it is for.
"""

from __future__ import annotations

from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.record.events import Entry, Event

_STEPS: tuple[type[Event], ...] = (ev.TwinRequested, ev.ReportedPatched, ev.TelemetryReceived)
_ASKING: tuple[type[Event], ...] = (ev.PropertyWritten, ev.CommandSent, ev.C2dSent)


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
