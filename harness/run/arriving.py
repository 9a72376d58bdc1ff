"""The wait for the device: it registers with DPS, then it connects to the hub."""

from __future__ import annotations

from collections.abc import Callable

from harness.record import events as ev
from harness.run.keeping import Kept
from harness.run.progress import Progress


class Arrival:
    """Awaits the device of a run, and records each wait. Where one was in vain, there is no other."""

    def __init__(self, run: Kept, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._timeout = run.settings.connect_timeout
        self._in_vain = False

    @property
    def possible(self) -> bool:
        """Whether there is a target, and a device that was started."""
        evidence = self._run.evidence
        return evidence.first(ev.TargetFailed) is None and evidence.first(ev.DeviceFailedToStart) is None

    def block(self) -> None:
        """Until the device is connected, or will not be; the record has which."""
        if not self.possible or self._in_vain:
            return
        for waited_for, condition in self._stations():
            began = self._run.recorder.now
            found = self._run.recorder.wait(condition, self._timeout)
            self._waited(waited_for, found, began)
            if found != "registered":
                return

    async def until_connected(self) -> None:
        """The same for asyncio, with its progress shown."""
        for waited_for, condition in self._stations():
            if self._run.evidence.connected or self._in_vain:
                return
            began = self._run.recorder.now
            with self._progress.phase(f"waiting for {waited_for}"), self._progress.deadline(self._timeout):
                found = await self._run.recorder.until(condition, self._timeout)
            self._waited(waited_for, found, began)
            if found != "registered":
                return

    def _stations(self) -> tuple[tuple[str, Callable[[object], str | None]], ...]:
        return (
            ("the device to register with DPS", self._registered),
            ("the device to connect to the hub", self._connection_or_end),
        )

    def _registered(self, _: object) -> str | None:
        evidence = self._run.evidence
        assigned = evidence.first(ev.DeviceAssigned) and not evidence.first(ev.TargetFailed)
        return "registered" if assigned else self._connection_or_end(None)

    def _connection_or_end(self, _: object) -> str | None:
        evidence = self._run.evidence
        if evidence.first(ev.TargetFailed):
            return "ended"
        if evidence.connected:
            return "connected"
        exited = evidence.final(ev.DeviceExited)
        return "ended" if exited and not exited[1].expected else None

    def _waited(self, waited_for: str, found: str | None, began: float) -> None:
        satisfied = found in ("registered", "connected")
        self._in_vain = not satisfied
        saw = found or "nothing in time"
        seconds = self._run.recorder.now - began
        self._run.emit(ev.WaitEnded(waited_for, satisfied, seconds, self._timeout, saw))
