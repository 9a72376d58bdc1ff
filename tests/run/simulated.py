"""A record whose time passes only where the harness waits, so that long waits can be tested at once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from harness.checks.evidence import Evidence
from harness.record import Recorder
from harness.record import events as ev
from harness.run.exercise.stage import Stage as Exercising
from harness.run.progress import Quiet
from harness.run.trials.stage import Memory, Stage


class Simulated(Recorder):
    """A recorder with a time of its own. `due` is what happens when, in order."""

    def __init__(self) -> None:
        self.time = 0.0
        self.due: list[tuple[float, Callable[[], object]]] = []
        super().__init__(clock=lambda: self.time)

    def tell(self, *events: ev.Event) -> None:
        """It happens now."""
        for event in events:
            self.emit(event)

    def later(self, seconds: float, *events: ev.Event) -> None:
        """It happens so long from now, after all that was said to happen before."""
        self.due.append((self.time + seconds, lambda: self.tell(*events)))

    async def until(self, match: Any, timeout: float, *, after: int = 0) -> Any:
        end = self.time + timeout
        while True:
            for entry in self.entries[after:]:
                if (found := match(entry)) is not None:
                    return found
            after = len(self.entries)
            if not self.due or self.due[0][0] > end:
                self.time = end
                return None
            self.time, happens = self.due.pop(0)
            happens()


def stage_of(
    trial: str, recorder: Simulated, run: Evidence, desk: Any, memory: Memory, service: Any = None, **settings: float
) -> Stage:
    """The stage of a trial that has begun."""
    limits: Any = SimpleNamespace(
        **{"connect_timeout": 120.0, "ack_timeout": 30.0, "command_timeout": 30.0, "trial_timeout": 120.0, **settings}
    )
    base = Exercising(recorder, run, service, limits, Quiet(), ())
    return Stage(base, run.trials[trial], run, desk, lambda _: None, memory)
