"""How long a device is watched that connects again and again to a busy hub, in a time that the test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from harness.checks import CHECKS, Judgement, judge
from harness.checks import trials as t
from harness.record import events as ev
from harness.run.trials import hub
from harness.run.trials.stage import Memory
from tests.checks.story import Story
from tests.checks.words import codes
from tests.run.simulated import Simulated, stage_of


class Busy:
    """A hub that refuses whoever comes, and a device that waits so many seconds before each try."""

    def __init__(self, waits: Sequence[float]) -> None:
        self.waits = waits
        self.busy = False
        self.story = Story(known=False)
        self.story.recorder = self.recorder = Simulated()
        self.recorder.follow(self.story.evidence.add)
        self.story.opened().registered().connected()

    def order(self, faults: Sequence[Mapping[str, Any]]) -> None:
        self.busy = True

    def end(self) -> None:
        self.busy = False

    def cut(self) -> None:
        self.story.gone("hub", "a trial cut the connection")
        moment = self.recorder.time
        for wait in self.waits:
            moment += wait
            self.recorder.due.append((moment, self._try))

    def _try(self) -> None:
        self.story.connected(return_code=3 if self.busy else 0)
        if not self.busy:
            self.recorder.due.clear()

    def found(self) -> list[str]:
        self.recorder.tell(ev.TrialBegan(t.HUB_BUSY))
        seen = asyncio.run(hub.hub_busy(stage_of(t.HUB_BUSY, self.recorder, self.story.evidence, self, Memory())))
        self.recorder.tell(ev.TrialEnded(t.HUB_BUSY, seen, self.recorder.time))
        return codes(judge(Judgement(CHECKS["no_hammering"]), self.story.evidence))


def test_one_that_does_not_wait_is_watched_until_that_is_plain() -> None:
    assert Busy([0.05] * 300).found() == ["error connect-hammering"]


def test_a_single_try_that_takes_its_time_does_not_end_the_watch() -> None:
    waits = [0.05] * 300
    waits[13] = waits[30] = 0.9  # a busy machine
    assert Busy(waits).found() == ["error connect-hammering"]


def test_one_that_waits_longer_and_longer_is_not_watched_for_longer() -> None:
    device = Busy([0.1 * 1.5**n for n in range(30)])
    assert device.found() == []
    assert device.recorder.time < 60
