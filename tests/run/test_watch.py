"""The window waits for what is stated, for as long as is stated, and no longer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.checks import pace
from harness.record import events as ev
from harness.run.exercise.watch import watch
from harness.run.progress import Quiet
from tests.checks.story import DEVICE, Story

SOON, NEVER = 0.02, 600.0
"""Seconds of a window that is over at once, and of one whose end no test sees."""

FLOW = ev.TelemetryReceived(DEVICE, None, None, b'{"flow": 1}')
OTHER_FLOW = ev.TelemetryReceived(DEVICE, None, None, b'{"flow": 2}')
HOURS = ev.ReportedPatched(DEVICE, None, "1", b'{"hours": 1}', 204)
EXITED = ev.DeviceExited(1, False)


async def watched(
    *later: ev.Event, window: float, at_first: tuple[ev.Event, ...] = (), profile: str = "standard", **tables: Any
) -> ev.ObservationEnded:
    """The end of a watch of `flow` and `hours` during which these events happen, each after the one before."""
    story = Story()
    story.tell(ev.RunStarted("2026-01-01", {"profile": profile}, {}), ev.ExpectationsStated(tables), *at_first)
    chosen = [story.evidence.by_path["flow"], story.evidence.by_path["hours"]]
    stage: Any = SimpleNamespace(
        recorder=story.recorder,
        evidence=story.evidence,
        settings=SimpleNamespace(window=window),
        progress=Quiet(),
        expectations=story.evidence.expectations,
        of=lambda kind: [c for c in chosen if c.kind == kind],
        judges=lambda check: check == "central_limits",
    )
    watching = asyncio.create_task(watch(stage))
    for event in later:
        await asyncio.sleep(0)
        story.recorder.emit(event)
    await asyncio.wait_for(watching, 20)
    ended = story.evidence.final(ev.ObservationEnded)
    assert ended is not None
    return ended[1]


@pytest.mark.asyncio
async def test_it_ends_as_soon_as_everything_was_seen() -> None:
    assert (await watched(FLOW, HOURS, window=NEVER)).reason == "complete"
    assert (await watched(at_first=(FLOW, HOURS), window=NEVER)).reason == "complete"


@pytest.mark.asyncio
async def test_what_is_missing_is_named() -> None:
    ended = await watched(HOURS, window=SOON)
    assert (ended.reason, ended.missing) == ("window-elapsed", ("flow",))


@pytest.mark.asyncio
async def test_a_stated_number_and_a_stated_value_are_waited_for() -> None:
    said: dict[str, Any] = {"telemetry": {"flow": {"count": 2}}}
    assert (await watched(FLOW, HOURS, window=SOON, **said)).missing == ("flow",)
    assert (await watched(FLOW, HOURS, FLOW, window=NEVER, **said)).reason == "complete"
    said = {"telemetry": {"flow": {"expected": 2}}}
    assert (await watched(FLOW, HOURS, window=SOON, **said)).missing == ("flow",)
    assert (await watched(FLOW, OTHER_FLOW, HOURS, FLOW, window=NEVER, **said)).reason == "complete"
    assert (await watched(HOURS, at_first=(OTHER_FLOW, FLOW), window=NEVER, **said)).reason == "complete"


@pytest.mark.asyncio
async def test_stated_messages_are_waited_for() -> None:
    said: dict[str, Any] = {"device": {"messages": 3, "within": 60}}
    assert (await watched(FLOW, HOURS, FLOW, FLOW, window=SOON, **said)).reason == "complete"
    short = await watched(FLOW, HOURS, window=SOON, device={"messages": 3})
    assert (short.reason, short.missing) == ("window-elapsed", ())


@pytest.mark.asyncio
async def test_stated_messages_are_counted_as_the_check_counts_them() -> None:
    here_and_there: dict[str, Any] = {"device": {"messages": 2, "within": 1e-9}}
    assert (await watched(FLOW, HOURS, FLOW, window=NEVER, **here_and_there)).reason == "complete"
    kept = [replace(FLOW, enqueued=taken) for taken in (0.0, 100.0)]
    late: dict[str, Any] = {"device": {"messages": 2, "within": 5}}
    assert (await watched(*kept, HOURS, window=SOON, **late)).reason == "window-elapsed"


@pytest.mark.asyncio
async def test_no_element_is_waited_for_beyond_its_own_time() -> None:
    own: dict[str, Any] = {"telemetry": {"flow": {"timeout": SOON}}, "properties": {"hours": {"timeout": SOON}}}
    assert (await watched(window=NEVER, **own)).missing == ("flow", "hours")


@pytest.mark.parametrize(
    ("said", "profile", "seconds"),
    [
        ({}, "standard", 60),
        ({"timeout": 90}, "standard", 90),
        ({"timeout": 5}, "standard", 5),
        ({"interval": 10, "tolerance": 0.5}, "standard", 60),
        ({"interval": 100, "tolerance": 0.5}, "standard", 300),
        ({"interval": 30, "tolerance": 0, "count": 5}, "standard", 150),
        ({"interval": 100}, "smoke", 60),
        ({"timeout": 90}, "smoke", 60),
    ],
)
def test_the_time_for_an_element_follows_from_what_is_stated(said: Any, profile: str, seconds: float) -> None:
    story = Story()
    started = ev.RunStarted("2026-01-01", {"profile": profile}, {})
    story.tell(started, ev.ExpectationsStated({"telemetry": {"flow": said}}))
    assert pace.patience(story.evidence, "flow", 60) == seconds


@pytest.mark.asyncio
async def test_the_smoke_profile_waits_for_one_message_within_its_window() -> None:
    said: dict[str, Any] = {
        "telemetry": {"flow": {"count": 9, "timeout": NEVER}},
        "device": {"messages": 9, "within": NEVER},
    }
    assert (await watched(FLOW, HOURS, window=NEVER, profile="smoke", **said)).reason == "complete"
    assert (await watched(HOURS, window=SOON, profile="smoke", **said)).reason == "window-elapsed"


@pytest.mark.asyncio
async def test_it_ends_with_the_device() -> None:
    assert (await watched(EXITED, window=NEVER)).reason == "device-gone"


@pytest.mark.asyncio
async def test_a_device_that_sends_much_is_watched_until_it_is_plain_how_much() -> None:
    few = await watched(FLOW, HOURS, window=NEVER)
    much = await watched(at_first=(*[FLOW] * 9, HOURS), window=NEVER)
    assert (few.reason, much.reason) == ("complete", "complete")
    assert much.seconds > 0.5, "nine at once are ten a second on average after 0.8 s"


@pytest.mark.parametrize(
    ("messages", "decided"),
    [(0, 0.0), (1, 5.0), (21, 7.0), (100, 14.9), (101, 6.0), (1000, 14.99), (1001, 5.0)],
)
def test_how_long_it_takes_to_tell_how_much_a_device_sends(messages: int, decided: float) -> None:
    rate = pace.Rate()
    for _ in range(messages):
        rate.add(5.0)
    assert rate.decided == pytest.approx(decided)
