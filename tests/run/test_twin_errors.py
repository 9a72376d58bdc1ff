"""What is asked of a device whose twin operations failed, and how long it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from harness.checks import CHECKS, Judgement, judge
from harness.checks import trials as t
from harness.record import events as ev
from harness.run.trials import hub
from harness.run.trials.stage import Memory
from harness.target.service import ServiceError
from harness.verdict import CaseResult, Outcome
from tests.checks.story import DEVICE, ROOT, Story, pump_model
from tests.checks.words import codes
from tests.run.simulated import Simulated, stage_of

PART = "dtmi:test:Part;1"
"""Nothing writable, no commands."""
MESSAGE = ev.TelemetryReceived(DEVICE, None, None, b"{}")
METHODS = ev.Subscribed(DEVICE, None, (("$iothub/methods/POST/#", 1, 1),))


def tried(
    model_id: str, *waits: float, later: Sequence[tuple[float, ev.Event]] = (), service: Any = None
) -> tuple[float, CaseResult]:
    """How long the trial of such a device took, and what is made of it.

    In the ordinary run it read its twin, and sent a message after each wait; in the trial it connects at once, reads
    its twin a second later, and what comes `later` comes so many seconds after the beginning.
    """
    story = Story(model_id=model_id, model=pump_model())
    story.recorder = recorder = Simulated()
    recorder.follow(story.evidence.add)
    story.opened("wire", "telemetry", "twin", "faults").registered().connected(model_id)
    recorder.tell(ev.TwinRequested(DEVICE, None, "1"))
    for wait in waits:
        recorder.time += wait
        recorder.tell(MESSAGE)
    began = recorder.time
    recorder.tell(ev.TrialBegan(t.TWIN_ERRORS))
    story.connected(model_id)
    recorder.later(1, ev.FaultPlayed(DEVICE, "twin-get", "error", 1))
    for seconds, event in later:
        recorder.later(seconds, event)
    desk = SimpleNamespace(end=lambda: None)
    stage = stage_of(t.TWIN_ERRORS, recorder, story.evidence, desk, Memory(), service)
    seen = asyncio.run(hub.twin_errors(stage))
    took = recorder.time - began
    recorder.tell(ev.TrialEnded(t.TWIN_ERRORS, seen, took))
    return round(took, 1), judge(Judgement(CHECKS["survives_twin_errors"]), story.evidence)


@pytest.mark.parametrize(
    ("waits", "took", "outcome"),
    [
        ((), 11.0, Outcome.NOT_OBSERVABLE),
        ((300.0, 300.0), 21.0, Outcome.NOT_OBSERVABLE),
        ((5.0, 5.0), 56.0, Outcome.FAILED),
    ],
)
def test_one_that_can_only_send_is_waited_for_by_its_interval(
    waits: Sequence[float], took: float, outcome: Outcome
) -> None:
    seconds, result = tried(PART, *waits)
    assert (seconds, result.outcome) == (took, outcome)


def test_one_that_goes_on_sending_after_a_while() -> None:
    seconds, result = tried(PART, 5.0, 5.0, later=[(50.0, MESSAGE)])
    assert (seconds, result.outcome) == (50.0, Outcome.PASSED)


class Service:
    """A hub whose device answers commands where it is said to, and acknowledges nothing."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers

    def device_twin(self, device_id: str) -> dict[str, Any]:
        return {"properties": {"desired": {}, "reported": {}}}

    def set_desired(self, device_id: str, patch: dict[str, Any]) -> int:
        return 2

    def invoke_command(self, *_: Any, **__: Any) -> Any:
        if not self.answers:
            raise ServiceError("no handler", 404, 404103)
        return SimpleNamespace(status=200, payload=None)


def test_one_that_listens_for_no_desired_property_is_sent_a_command() -> None:
    seconds, result = tried(ROOT, later=[(30.0, METHODS)], service=Service(answers=True))
    assert (seconds, result.outcome) == (30.0, Outcome.PASSED)


def test_one_that_deals_with_nothing_any_more() -> None:
    _, result = tried(ROOT, service=Service(answers=False))
    assert codes(result) == ["error twin-error-not-survived"]
