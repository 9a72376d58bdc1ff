"""A device that was told to restart is waited for as long as it shows to need, and no longer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness.expectations import Command, Expectations
from harness.record import events as ev
from harness.run.exercise import commands, restarting
from harness.run.exercise.commands import invoke_disruptive
from harness.run.exercise.restarting import gone_and_back, heard_again
from harness.run.exercise.stage import Stage
from harness.run.progress import Quiet
from harness.settings import Settings
from harness.target.service import CommandAnswer, ServiceError
from harness.verdict import Outcome
from tests.checks.story import DEVICE, PLANT, Story, plant_at_work, plant_model
from tests.checks.words import codes

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


# --- without the wire: Azure shows messages, the twin, and whether the device is connected ------------------------

REPORTED = ev.ReportedPatched(DEVICE, None, "", b'{"hours": 1}', 204)


def in_azure(*, chatty: bool) -> Story:
    story = Story(model_id=PLANT, model=plant_model()).opened("telemetry", "twin", "commands").registered()
    story.connected(PLANT)
    if chatty:
        story.tell(SIGN, SIGN, SIGN)
    return story


async def heard(
    *later: ev.Event,
    going: float,
    chatty: bool = True,
    last: bool = False,
    limit: float = NEVER,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[bool | None, list[bool]]:
    """What the wait came to, and the waits in the record."""
    monkeypatch.setattr(restarting, "_GOING", going)
    monkeypatch.setattr(restarting, "_SEEN_LATE", 0.0)
    monkeypatch.setattr(restarting, "_delay", lambda *_: 0.0)
    story = in_azure(chatty=chatty)
    moment = story.recorder.now
    monkeypatch.setattr(story.recorder, "_clock", lambda: story.recorder._began + moment)  # it all happens at once
    story.asked("reboot", "exercise", 200)
    stage = Stage(story.recorder, story.evidence, None, Settings(connect_timeout=limit), Quiet(), ())  # type: ignore[arg-type]
    waiting = asyncio.create_task(heard_again(stage, story.evidence.by_path["reboot"], last=last))
    for event in later:
        await asyncio.sleep(0)
        story.recorder.emit(event)
    found = await asyncio.wait_for(waiting, 20)
    return found, [e.satisfied for _, e in story.evidence.of(ev.WaitEnded)]


@pytest.mark.asyncio
@pytest.mark.parametrize("sign", [SIGN, REPORTED, back()], ids=["telemetry", "twin", "connection"])
async def test_a_sign_of_life_shows_that_it_is_there(sign: ev.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    for chatty in (True, False):
        assert await heard(sign, going=0.0, chatty=chatty, monkeypatch=monkeypatch) == (True, [True])


@pytest.mark.asyncio
async def test_what_it_said_before_it_went_is_no_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarting, "_SLACK", 0.0)
    assert await heard(SIGN, REPORTED, back(), going=NEVER, monkeypatch=monkeypatch) == (True, [True])
    found = heard(SIGN, REPORTED, going=0.05, limit=0.02, monkeypatch=monkeypatch)
    assert await found == (False, [False])


@pytest.mark.asyncio
async def test_one_that_was_not_seen_to_go_and_seldom_speaks_may_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await heard(going=0.0, chatty=False, limit=0.02, monkeypatch=monkeypatch) == (None, [])
    assert await heard(going=0.0, chatty=False, last=True, monkeypatch=monkeypatch) == (None, [])
    assert await heard(GONE, going=0.0, chatty=False, limit=0.02, monkeypatch=monkeypatch) == (False, [False])


@pytest.mark.asyncio
async def test_a_program_that_has_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ev.DeviceExited(0, False)
    assert await heard(GONE, ended, going=0.0, monkeypatch=monkeypatch) == (False, [False])
    assert await heard(ended, GONE, going=0.0, monkeypatch=monkeypatch) == (False, [False])


class Service:
    """Answers `reboot` and then, if at all, when the device is back; notes how long it was to wait for it."""

    def __init__(self, *, again: bool) -> None:
        self.again = again
        self.asked: list[tuple[str, float]] = []

    def invoke_command(self, *call: Any, connect_timeout: float, response_timeout: float) -> CommandAnswer:
        self.asked.append((call[2], connect_timeout))
        if len(self.asked) > 1 and not self.again:
            raise ServiceError("404103: the device is not online", 404, 404103)
        return CommandAnswer(200, True if call[2] == "open" else None)


async def restarted(service: Service, *, chatty: bool, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The story of a device that is told to reboot, and then to open its valve, which restarts it as well."""
    monkeypatch.setattr(restarting, "_GOING", 0.0)
    monkeypatch.setattr(restarting, "_delay", lambda *_: 0.0)
    story = in_azure(chatty=chatty)
    stated = Expectations(command_of={"valve1.open": Command(restarts=True, priority=1)})
    story.evidence.expectations = stated
    stage: Any = Stage(
        story.recorder,
        story.evidence,
        service,  # type: ignore[arg-type]
        Settings(connect_timeout=0.02),
        Quiet(),
        story.evidence.capabilities,
    )
    await asyncio.wait_for(invoke_disruptive(stage), 20)
    story.ended()
    return story


@pytest.mark.asyncio
async def test_nothing_more_is_asked_of_a_device_that_did_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(again=True)
    story = await restarted(service, chatty=True, monkeypatch=monkeypatch)
    assert [name for name, _ in service.asked] == ["reboot"]
    for path in ("reboot", "valve1.open"):
        result = story.judge("command", path)
        assert result.outcome is Outcome.BLOCKED
        assert "No sign of life" in result.reason
        assert "after command reboot" in result.reason


@pytest.mark.asyncio
@pytest.mark.parametrize(("again", "outcome"), [(True, Outcome.PASSED), (False, Outcome.BLOCKED)])
async def test_the_hub_waits_for_one_that_seldom_speaks(
    again: bool, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_CONNECTING", 0.01)
    service = Service(again=again)
    story = await restarted(service, chatty=False, monkeypatch=monkeypatch)
    assert service.asked == [("reboot", 0.01), ("open", 0.02)]
    assert codes(story.judge("command", "reboot")) == []
    result = story.judge("command", "valve1.open")
    assert result.outcome is outcome
    assert ("Whether the device was back from command reboot" in result.reason) is not again
