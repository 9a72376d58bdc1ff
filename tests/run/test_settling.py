"""A device that was started again is let do what it did at its first start before it is disturbed."""

from __future__ import annotations

import asyncio

import pytest

from harness.record import events as ev
from harness.run.trials import settling
from harness.run.trials.settling import rests
from tests.checks.story import DEVICE, Story, at_work

METHODS = ev.Subscribed(DEVICE, None, (("$iothub/methods/POST/#", 1, 1),))
DESIRED = ev.Subscribed(DEVICE, None, (("$iothub/twin/PATCH/properties/desired/#", 1, 1),))
READ = ev.TwinRequested(DEVICE, None, "1")
REPORT = ev.ReportedPatched(DEVICE, None, "2", b"{}", 204)


def known() -> Story:
    """A device that subscribed twice, read and reported before anything was asked of it, and reported again then."""
    story = at_work()
    story.tell(METHODS, READ, DESIRED, REPORT, ev.CommandSent(DEVICE, None, "prime", 1, True, "exercise"), REPORT)
    return story


async def rested(story: Story, *later: ev.Event, monkeypatch: pytest.MonkeyPatch, patience: float = 20.0) -> bool:
    """Whether the device is at rest when these events have happened since it was started again."""
    monkeypatch.setattr(settling, "_REST", 0.0)
    monkeypatch.setattr(settling, "_SETTLING", 600.0)
    after = len(story.recorder.entries)
    resting = asyncio.create_task(rests(story.recorder, story.evidence, after))
    for event in later:
        await asyncio.sleep(0)
        story.recorder.emit(event)
    try:
        await asyncio.wait_for(resting, patience)
    except (asyncio.TimeoutError, TimeoutError):
        return False
    return True


def connect(*, session: bool = False) -> ev.HubConnected:
    connected = Story().connected(session_present=session).evidence.connected
    assert connected is not None
    return connected[1]


@pytest.mark.asyncio
async def test_it_rests_when_it_has_done_all_that_it_did_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = (connect(), DESIRED, METHODS, READ, REPORT)
    assert await rested(known(), *everything, monkeypatch=monkeypatch)
    for missing in range(len(everything)):
        some = everything[:missing] + everything[missing + 1 :]
        assert not await rested(known(), *some, monkeypatch=monkeypatch, patience=0.2), some


@pytest.mark.asyncio
async def test_a_session_that_is_kept_needs_no_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rested(known(), connect(session=True), READ, REPORT, monkeypatch=monkeypatch)


@pytest.mark.asyncio
async def test_a_device_of_which_nothing_is_known_only_has_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rested(at_work(), connect(), monkeypatch=monkeypatch)
