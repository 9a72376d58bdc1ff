"""A device that has just connected may still subscribe to its messages: whether it takes any is not asked too soon."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.checks import CHECKS, Judgement, judge
from harness.expectations import Device, Expectations
from harness.record import events as ev
from harness.run.exercise.c2d import send_c2d
from harness.run.exercise.stage import Stage
from harness.run.progress import Quiet
from harness.verdict import CaseResult, Outcome
from tests.checks.story import DEVICE, Story
from tests.run.simulated import Simulated

METHODS = ev.Subscribed(DEVICE, None, (("$iothub/methods/POST/#", 0, 0),))
MESSAGES = ev.Subscribed(DEVICE, None, ((f"devices/{DEVICE}/messages/devicebound/#", 1, 1),))


class Hub:
    """A hub that delivers a message at once to a device that takes it at once."""

    def __init__(self, recorder: Simulated) -> None:
        self.recorder = recorder

    def send_c2d(self, device_id: str, payload: bytes, message_id: str) -> None:
        self.recorder.later(0.1, ev.C2dSettled(device_id, message_id, "Success", 1))


async def sent(*subscribes: tuple[float, ev.Event], wanted: bool | None = None) -> tuple[float, CaseResult]:
    """When it was sent or given up, and what is made of it. The device subscribes so many seconds after the last."""
    recorder, story = Simulated(), Story()
    story.recorder = recorder
    recorder.follow(story.evidence.add)
    story.opened("wire").registered().connected().telemetry({"flow": 1})
    story.evidence.expectations = Expectations(device=Device(c2d=wanted))
    for seconds, event in subscribes:
        recorder.later(seconds, event)
    settings: Any = SimpleNamespace(connect_timeout=60.0)
    cases = (Judgement(CHECKS["receives_c2d"]),)
    hub: Any = Hub(recorder)
    await send_c2d(Stage(recorder, story.evidence, hub, settings, Quiet(), (), cases))
    done = recorder.time
    recorder.tell(ev.ObservationEnded("complete", 1.0), ev.ExerciseEnded(1.0))
    return done, judge(cases[0], story.evidence)


@pytest.mark.asyncio
async def test_one_that_subscribes_a_little_later_gets_its_message() -> None:
    _, result = await sent((0.3, METHODS), (0.9, MESSAGES))
    assert (result.outcome, result.findings) == (Outcome.PASSED, ())


@pytest.mark.asyncio
async def test_one_that_takes_messages_as_stated_has_longer_for_it() -> None:
    _, result = await sent((6.0, MESSAGES), wanted=True)
    assert (result.outcome, result.findings) == (Outcome.PASSED, ())


@pytest.mark.asyncio
@pytest.mark.parametrize(("wanted", "waited"), [(None, 1.3), (True, 10.0)])
async def test_one_that_does_not_subscribe_is_not_waited_for_any_longer(wanted: bool | None, waited: float) -> None:
    done, result = await sent((0.3, METHODS), wanted=wanted)
    assert done == pytest.approx(waited)
    assert [f.code for f in result.findings] == ["c2d-not-subscribed"]


@pytest.mark.asyncio
@pytest.mark.parametrize(("wanted", "outcome"), [(None, Outcome.NOT_OBSERVABLE), (True, Outcome.BLOCKED)])
async def test_one_that_subscribes_when_nothing_is_sent_any_more(wanted: bool | None, outcome: Outcome) -> None:
    story = Story()
    story.opened("wire").registered().connected().over().ended()
    story.tell(MESSAGES)
    story.telemetry({"flow": 1})
    story.evidence.expectations = Expectations(device=Device(c2d=wanted))
    assert story.judge("receives_c2d").outcome is outcome
