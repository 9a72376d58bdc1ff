"""The window in which telemetry and read-only properties are watched."""

from __future__ import annotations

from harness.checks import pace
from harness.checks.sameness import same
from harness.record import events as ev
from harness.record.events import Entry
from harness.run.exercise.stage import Stage

_MESSAGES = "messages"
"""What stands for the stated number of messages of any kind, beside the paths of the elements."""


async def watch(stage: Stage) -> None:
    """One window for all telemetry and all read-only properties. It ends when all were seen as often as is stated,
    or when the time of each that is missing is over."""
    recorder = stage.recorder
    began = recorder.now
    awaited = _Awaited(stage)
    reason = "interrupted"
    try:
        while not (reason := awaited.reason(recorder.now - began)):
            left = awaited.patience - (recorder.now - began)
            with stage.progress.deadline(left):
                await recorder.until(awaited.take, left, after=awaited.read)
    finally:
        recorder.emit(ev.ObservationEnded(reason or "interrupted", recorder.now - began, awaited.missing))


class _Awaited:
    """What is still awaited. It looks at each entry once, so that a device that floods costs no more than its
    messages. `patience` is in seconds since the watch began; `read` is the last entry that was looked at."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._evidence = stage.evidence
        self._telemetry = frozenset(c.path for c in stage.of("telemetry"))
        self._properties = frozenset(c.path for c in stage.of("property"))
        self._messages = pace.Messages(stage.evidence)
        self._rate = pace.Rate() if pace.is_thorough(stage.evidence) and stage.judges("central_limits") else None
        self._unexpected = {path for path in self._telemetry if not pace.is_as_expected(stage.evidence, path)}
        self._limits = self._time_for_each()
        self._began = stage.recorder.now
        self.patience = 0.0
        self.read = 0
        for entry in stage.recorder.entries:
            self._note(entry)
        self._look()

    @property
    def missing(self) -> tuple[str, ...]:
        """The elements that were not seen as often as is stated, by path."""
        return tuple(sorted(path for path in self._limits if path != _MESSAGES))

    def reason(self, elapsed: float) -> str:
        """Why the watch is over; empty while it is not."""
        if not self._limits and (elapsed >= self.patience or self._evidence.device_gone):
            return "complete"
        if self._evidence.device_gone:
            return "device-gone"
        return "window-elapsed" if elapsed >= self.patience else ""

    def take(self, entry: Entry) -> bool | None:
        """Look at an entry; True when the watch is over or may end earlier than it seemed."""
        before = self.patience
        self._note(entry)
        if isinstance(entry.event, (ev.TelemetryReceived, ev.ReportedPatched)):
            self._look()
        return True if self.patience < before or self._evidence.device_gone else None

    def _time_for_each(self) -> dict[str, float]:
        window, evidence = self._stage.settings.window, self._evidence
        limits = {path: pace.patience(evidence, path, window) for path in self._telemetry}
        for path in self._properties:
            own = self._stage.expectations.property(path).timeout or window
            limits[path] = own if pace.is_thorough(evidence) else min(own, window)
        if self._telemetry and self._messages.wanted > 1:
            limits[_MESSAGES] = max(window, self._messages.within or 0)
        return limits

    def _note(self, entry: Entry) -> None:
        """Count a message, and see whether a stated value came."""
        self.read = entry.n
        if isinstance(entry.event, ev.TelemetryReceived):
            self._messages.add(entry.n, self._evidence.moment(entry))
            if self._rate is not None:
                self._rate.add(self._evidence.moment(entry))
        for path in tuple(self._unexpected):
            readings = self._evidence.telemetry.get(path)
            expected = self._stage.expectations.telemetry(path).expected
            if readings and same(readings[-1].value, expected):
                self._unexpected.discard(path)

    def _look(self) -> None:
        """Drop what need not be awaited any longer."""
        for path in [path for path in self._limits if self._is_seen(path)]:
            del self._limits[path]
        self.patience = max(self._limits.values(), default=0.0)
        if self._rate is not None:
            self.patience = max(self.patience, self._rate.decided - self._began)
        self._show()

    def _is_seen(self, path: str) -> bool:
        if path == _MESSAGES:
            return self._messages.settled is not None
        if path in self._telemetry:
            count = len(self._evidence.telemetry.get(path, ()))
            return count >= pace.needed(self._evidence, path) and path not in self._unexpected
        return path in self._evidence.reports

    def _show(self) -> None:
        for what, paths in (("telemetry", self._telemetry), ("properties reported", self._properties)):
            self._stage.progress.update(what, sum(path not in self._limits for path in paths), len(paths))
        wanted = self._messages.wanted
        if wanted > 1:
            self._stage.progress.update(_MESSAGES, min(self._messages.most, wanted), wanted)
