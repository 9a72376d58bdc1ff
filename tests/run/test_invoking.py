"""What the service is asked when a command is invoked."""

from __future__ import annotations

from typing import Any

import pytest

from harness.run.exercise.commands import invoke
from harness.run.exercise.stage import Stage
from harness.run.progress import Quiet
from harness.settings import Settings
from harness.target.service import CommandAnswer
from tests.checks.story import Story, plant_at_work


class Service:
    """Answers every command, and notes the time-outs: to connect, and to answer."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, float]] = []

    def invoke_command(self, *_: Any, connect_timeout: float, response_timeout: float) -> CommandAnswer:
        self.waits.append((connect_timeout, response_timeout))
        return CommandAnswer(200, None)


def stage_of(story: Story, service: Any) -> Stage:
    return Stage(story.recorder, story.evidence, service, Settings(), Quiet(), story.evidence.capabilities)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("allowed", "asked"),
    [(3.0, (5, 5)), (5.0, (5, 5)), (7.2, (8, 8)), (30.0, (10, 30)), (300.0, (10, 300)), (600.0, (10, 300))],
)
async def test_the_service_is_given_a_time_out_that_it_takes(allowed: float, asked: tuple[float, float]) -> None:
    service = Service()
    await invoke(stage_of(plant_at_work(), service), None, "reboot", 1, True, "exercise", allowed)
    assert service.waits == [asked]
