"""How long a device that the hub refuses is waited for, in a time that passes only where the harness waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from harness.checks import CHECKS, Judgement, judge
from harness.checks import trials as t
from harness.record import events as ev
from harness.run.trials import hub
from harness.run.trials.stage import Memory
from tests.checks.story import DEVICE, Story
from tests.checks.words import codes
from tests.run.simulated import Simulated, stage_of

TRIALS = {t.TOKEN_EXPIRED: hub.token_expired, t.HUB_MOVED: hub.hub_moved, t.HUB_DISABLED: hub.hub_disabled}
CHECK = {
    t.TOKEN_EXPIRED: "renews_token",
    t.HUB_MOVED: "reregisters_when_moved",
    t.HUB_DISABLED: "returns_after_disabled",
}


class World:
    """A hub that can refuse, and a device. `steps` are what it does when its connection is cut: the seconds that it
    waits, and whether it goes to the `hub` or to `dps`, or `ends`; a CONNECT that is accepted is the last."""

    def __init__(self, *steps: tuple[float, str], trial_timeout: float = 120.0) -> None:
        self.steps = steps
        self.trial_timeout = trial_timeout
        self.story = Story()
        self.story.recorder = self.recorder = Simulated()
        self.recorder.follow(self.story.evidence.add)
        self.story.opened().registered().connected()
        self.memory = Memory()
        self.fault = ""
        self.refused = 0
        self.registered = False

    # --- the desk of faults --------------------------------------------------------------------------

    def order(self, faults: Sequence[Mapping[str, Any]]) -> None:
        self.fault, self.refused, self.registered = faults[0]["do"], 0, False

    def end(self) -> None:
        self.fault = ""

    def cut(self) -> None:
        self.story.gone("hub", "a trial cut the connection")
        moment = self.recorder.time
        for wait, what in self.steps:
            moment += wait
            self.recorder.due.append((moment, getattr(self, f"_{what}")))

    # --- the device ----------------------------------------------------------------------------------

    def _hub(self) -> None:
        refuses = {
            "": False,
            "token-expires": self.refused == 0,
            "hub-moved": not self.registered,
            "disabled": True,
        }[self.fault]
        self.refused += refuses
        token = str(len(self.recorder.entries))
        self.story.connected(return_code=5 if refuses else 0, token_mark=token)
        if not refuses:
            self.recorder.due.clear()

    def _dps(self) -> None:
        self.registered = True
        self.recorder.emit(ev.RegistrationRequested(DEVICE, "1", b"{}"))

    def _ends(self) -> None:
        self.recorder.emit(ev.DeviceExited(1, False))

    # --- a trial -------------------------------------------------------------------------------------

    def tried(self, name: str) -> tuple[str, float, list[str]]:
        """How this trial ended, after how many seconds, and what its check finds."""
        self.recorder.due.clear()
        began = self.recorder.time
        self.recorder.tell(ev.TrialBegan(name))
        stage = stage_of(name, self.recorder, self.story.evidence, self, self.memory, trial_timeout=self.trial_timeout)
        seen = asyncio.run(TRIALS[name](stage))
        took = self.recorder.time - began
        self.recorder.tell(ev.TrialEnded(name, seen, took))
        return seen, round(took, 1), codes(judge(Judgement(CHECKS[CHECK[name]]), self.story.evidence))


FOUND = {
    t.TOKEN_EXPIRED: "error token-not-renewed",
    t.HUB_MOVED: "error never-reregisters",
    t.HUB_DISABLED: "error gives-up-when-refused",
}


@pytest.mark.parametrize("wait", [40.0, 60.0, 100.0])
def test_a_refused_device_may_wait_for_as_long_as_it_is_advised_to(wait: float) -> None:
    world = World((1, "hub"), (wait, "dps"), (2, "hub"))
    for name in TRIALS:
        assert world.tried(name) == ("what was awaited", wait + 3, []), name


def test_one_that_does_nothing_more_is_waited_for_at_length_only_once() -> None:
    world = World((1, "hub"))
    took = {}
    for name in TRIALS:
        _, took[name], found = world.tried(name)
        assert found == [FOUND[name]]
    assert list(took.values()) == [106.0, 6.0, 11.0]


def test_one_that_gives_up_at_the_second_refusal_is_not_enabled_before_it() -> None:
    world = World((1, "hub"), (1, "hub"))
    assert [world.tried(name)[2] for name in (t.HUB_MOVED, t.HUB_DISABLED)] == [
        [FOUND[t.HUB_MOVED]],
        [FOUND[t.HUB_DISABLED]],
    ]


@pytest.mark.parametrize("name", TRIALS)
def test_one_whose_process_ends_is_not_waited_for(name: str) -> None:
    _, took, found = World((1, "hub"), (2, "ends")).tried(name)
    assert (took, found) == (3.0, [FOUND[name]])


def test_the_user_says_how_long_it_is_waited_for_at_most() -> None:
    world = World((1, "hub"), trial_timeout=30)
    assert [world.tried(name)[1] for name in TRIALS] == [31.0, 6.0, 11.0]


@pytest.mark.parametrize(("wait", "took"), [(40.0, 42.0), (60.0, 62.0), (104.0, 106.0)])
def test_a_disabled_device_finds_itself_enabled_however_long_it_waits(wait: float, took: float) -> None:
    world = World((1, "hub"), (1, "hub"), (wait, "hub"))
    assert world.tried(t.HUB_DISABLED) == ("what was awaited", took, [])


def test_it_is_enabled_again_before_it_is_given_up() -> None:
    world = World((1, "hub"))
    world.tried(t.HUB_DISABLED)
    assert world.fault == "", "enabled"
    (found,) = judge(Judgement(CHECKS["returns_after_disabled"]), world.story.evidence).findings
    assert "after it was enabled again" in found.message


@pytest.mark.parametrize(
    ("steps", "took", "found"),
    [
        # the SDK for C, whose waits end at 30 s
        (
            ((1, "hub"), *((wait, "hub") for wait in (1, 2, 4, 8, 16, *[30] * 9))),
            82.0,
            "warning reregistration-not-seen",
        ),
        # Embedded C, whose waits end at 100 s
        (((1, "hub"), *((wait, "hub") for wait in (1, 2, 4, 8, 16, 32, 64))), 84.0, "warning reregistration-not-seen"),
        (((1, "hub"), (50, "hub"), (100, "hub")), 121.0, "warning reregistration-not-seen"),
        # ten and one more
        (((1, "hub"), *[(2, "hub")] * 30), 23.0, "error never-reregisters"),
    ],
)
def test_one_that_goes_on_trying_is_not_waited_for_for_ever(
    steps: Sequence[tuple[float, str]], took: float, found: str
) -> None:
    _, seconds, codes_ = World(*steps).tried(t.HUB_MOVED)
    assert (seconds, codes_) == (took, [found])


def test_one_that_registers_after_its_second_refusal() -> None:
    world = World((1, "hub"), (70, "hub"), (5, "dps"), (2, "hub"))
    assert world.tried(t.HUB_MOVED) == ("what was awaited", 78.0, [])
