"""A device that was told to restart: it goes, with a word or without, or shows that it stays; then it is waited for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from harness.checks.disruptive import COMING_BACK
from harness.dtdl import Capability
from harness.record import events as ev
from harness.record.events import Entry
from harness.run.exercise.stage import Stage
from harness.run.exercise.values import request_of

_GOING = 3.0
"""Seconds in which a device that has answered `reboot` goes away, if it really reboots; the delay that the request
asks for comes on top."""
_LONGEST_DELAY = 60.0
_SIGNS = (ev.TelemetryReceived, ev.ReportedPatched, ev.TwinRequested)
"""What only a running device sends."""
_SLACK = 2.0
_SEEN_LATE = 4.0
"""Seconds after which a change of the twin is seen, at most, where it is read again and again."""


async def gone_and_back(stage: Stage, capability: Capability) -> None:
    """Wait until the device that has answered is gone and back, or is known to stay.

    Its connection may end at once, or, when it is reset without a word, only with the next one; until then its silence
    is the sign. A device that goes on sending after the time to go has stayed. One that never sends by itself is given
    that time.
    """
    evidence, recorder, began = stage.evidence, stage.recorder, stage.recorder.now
    sent = evidence.commands_sent[capability.path][-1]
    going = _GOING + _delay(stage, capability)
    silence = _silence(stage)

    def look(entry: Entry | None) -> str | None:
        if evidence.away_between(sent, stage.mark()) is not None:
            return "gone"
        stays = entry is not None and isinstance(entry.event, _SIGNS) and entry.t - began >= going
        return "stays" if stays else None

    found = look(None) or await recorder.until(look, going + (silence or 0), after=stage.mark())
    if found == "stays" or (found is None and silence is None):
        return  # it has answered, and that is all that can be asked of it
    limit = stage.settings.connect_timeout
    back = await stage.returns(limit) if found else await _heard_of(stage, limit)
    saw = "connected" if back else "no connection" if found else "no sign of life"
    recorder.emit(ev.WaitEnded(COMING_BACK.format(capability.path), back, recorder.now - began, limit, saw))


async def _heard_of(stage: Stage, seconds: float) -> bool:
    """Wait for a silent device to connect anew, or to speak again."""

    def heard(entry: Entry) -> bool | None:
        event = entry.event
        connected = isinstance(event, ev.HubConnected) and event.return_code == 0
        return True if connected or isinstance(event, _SIGNS) else None

    return bool(await stage.recorder.until(heard, seconds, after=stage.mark()))


async def heard_again(stage: Stage, capability: Capability, *, last: bool) -> bool | None:
    """Where no packets are seen: wait for a sign of life of the device that may have restarted, however it looks.

    Whether it came; None where none is to be expected, of a device that seldom says anything by itself and was not seen
    to go. After the `last` command no such device is waited for. What it said before it had the time to go is no sign.
    """
    evidence, recorder, began = stage.evidence, stage.recorder, stage.recorder.now
    going, chatty = _GOING + _delay(stage, capability), _silence(stage) is not None
    if last and not chatty:
        return None

    def alive(entry: Entry) -> bool | None:
        match entry.event:
            case ev.HubConnected(return_code=0):
                return True
            case ev.TelemetryReceived():
                said = min(entry.t, evidence.times(ev.TelemetryReceived)[-1])
            case ev.ReportedPatched():
                said = entry.t - _SEEN_LATE
            case _:
                return False if evidence.device_gone else None
        return True if said - began >= going else None

    limit = stage.settings.connect_timeout
    heard = bool(await recorder.until(alive, going + limit, after=stage.mark()))
    if not heard and not chatty and evidence.open_connections:
        return None
    saw = "a sign of life" if heard else "no sign of life"
    recorder.emit(ev.WaitEnded(COMING_BACK.format(capability.path), heard, recorder.now - began, limit, saw))
    return heard


def _delay(stage: Stage, capability: Capability) -> float:
    """Seconds that the request asks to wait, where it has a number that may be that."""
    payload, _ = request_of(capability, stage.expectations)
    values: list[Any] = list(payload.values()) if isinstance(payload, Mapping) else [payload]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return float(max((n for n in numbers if 0 <= n <= _LONGEST_DELAY), default=0.0))


def _silence(stage: Stage) -> float | None:
    """Seconds without a message after which the device is silent; None where it sends too seldom to tell."""
    times = stage.evidence.times(ev.TelemetryReceived)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return 3 * max(gaps) + _SLACK if gaps and max(gaps) <= _LONGEST_DELAY / 6 else None
