"""A device that was told to restart is waited for as long as it shows to need, and no longer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness.record import events as ev
from harness.run.exercise import restarting
from harness.run.exercise.restarting import gone_and_back
from harness.run.exercise.stage import Stage
from tests.checks.story import DEVICE, plant_at_work

NEVER = 600.0
"""Seconds of a wait whose end no test sees."""
SIGN = ev.TelemetryReceived(DEVICE, None, None, b'{"flow": 1}')
GONE = ev.HubDisconnected(DEVICE, None, "network", "the socket died")


def back() -> ev.HubConnected:
    connected = plant_at_work().evidence.connected
    assert connected is not None
    return connected[1]


async def waited(
    *later: ev.Event, going: float, limit: float = NEVER, chatty: bool = True, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, str] | None:
    """What the wait for a rebooting device ended with, when these events happen, each after the one before."""
    monkeypatch.setattr(restarting, "_GOING", going)
    monkeypatch.setattr(restarting, "_delay", lambda *_: 0.0)
    monkeypatch.setattr(restarting, "_SLACK", 0.01)
    story = plant_at_work()
    if chatty:
        story.tell(SIGN, SIGN, SIGN)
    story.asked("reboot", "exercise", 200)
    stage: Any = SimpleNamespace(
        recorder=story.recorder,
        evidence=story.evidence,
        settings=SimpleNamespace(connect_timeout=limit),
        expectations=story.evidence.expectations,
    )
    stage.mark = lambda: Stage.mark(stage)
    stage.returns = lambda seconds: Stage.returns(stage, seconds)
    waiting = asyncio.create_task(gone_and_back(stage, story.evidence.by_path["reboot"]))
    for event in later:
        await asyncio.sleep(0)
        story.recorder.emit(event)
    await asyncio.wait_for(waiting, 20)
    ended = story.evidence.final(ev.WaitEnded)
    return (ended[1].satisfied, ended[1].saw) if ended else None


@pytest.mark.asyncio
async def test_it_goes_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(GONE, back(), going=NEVER, monkeypatch=monkeypatch) == (True, "connected")


@pytest.mark.asyncio
async def test_it_goes_and_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(GONE, going=NEVER, limit=0.02, monkeypatch=monkeypatch) == (False, "no connection")


@pytest.mark.asyncio
async def test_it_goes_on_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(SIGN, going=0.0, monkeypatch=monkeypatch) is None


@pytest.mark.asyncio
async def test_it_is_reset_without_a_word_and_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(going=0.01, limit=0.02, monkeypatch=monkeypatch) == (False, "no sign of life")


@pytest.mark.asyncio
async def test_it_is_reset_without_a_word_and_speaks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    listen = restarting._heard_of

    async def heard(stage: Any, seconds: float) -> bool:
        listening = asyncio.create_task(listen(stage, seconds))
        await asyncio.sleep(0)
        stage.recorder.emit(SIGN)
        return await listening

    monkeypatch.setattr(restarting, "_heard_of", heard)
    assert await waited(going=0.01, monkeypatch=monkeypatch) == (True, "connected")


@pytest.mark.asyncio
async def test_one_that_seldom_speaks_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(going=0.02, chatty=False, monkeypatch=monkeypatch) is None


@pytest.mark.parametrize(
    ("payload", "seconds"), [(2, 2.0), ({"delay": 5}, 5.0), (100000, 0.0), (True, 0.0), ("x", 0.0)]
)
def test_the_delay_that_is_asked_for_is_added(payload: object, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarting, "request_of", lambda *_: (payload, True))
    stage: Any = SimpleNamespace(expectations=None)
    capability = plant_at_work().evidence.by_path["reboot"]
    assert restarting._delay(stage, capability) == seconds
