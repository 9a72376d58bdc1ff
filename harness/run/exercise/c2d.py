"""A cloud-to-device message, and whether the device takes it."""

from __future__ import annotations

import secrets
import uuid

from harness.checks.c2d import listens
from harness.record import events as ev
from harness.run.exercise.stage import Stage
from harness.target.service import ServiceError

_SUBSCRIBING = 10.0
"""Seconds after its first connection that a device which takes messages may need to subscribe to them."""
_REST = 1.0
"""A device that has subscribed to nothing for so long will hardly do so."""
_TAKING = 10.0
"""Seconds a connected and subscribed device may take to acknowledge a message."""
_FEEDBACK = 20.0
"""Seconds after which the feedback of a hub whose wire cannot be seen must have come (it gathers for 15)."""


async def send_c2d(stage: Stage) -> None:
    """Send a random message, or the maker's, and await its acknowledgement; nothing to a device that takes none."""
    wanted = stage.expectations.device.c2d
    if not stage.judges("receives_c2d") or wanted is False or not await stage.ready():
        return
    if stage.evidence.shows("wire") and not await _listens(stage, surely=wanted is True):
        return
    message_id, payload = str(uuid.uuid4()), _payload(stage)
    after = stage.mark()
    try:
        await stage.call(stage.service.send_c2d, stage.device_id, payload, message_id)
    except ServiceError as e:
        stage.recorder.emit(ev.C2dSent(stage.device_id, message_id, payload, str(e)))
        return
    stage.recorder.emit(ev.C2dSent(stage.device_id, message_id, payload))
    if stage.evidence.shows("wire"):
        await stage.recorder.until(lambda _: _settled(stage, message_id), _TAKING, after=after)
    else:
        await _await_feedback(stage, message_id)


async def _listens(stage: Stage, *, surely: bool) -> bool:
    """Whether the device has subscribed to its messages; one that has just connected may still do so.

    It is waited for as long as it goes on subscribing, and in any case where the maker says that it takes messages.
    """
    recorder, evidence = stage.recorder, stage.evidence

    def subscribed(_: object) -> bool | None:
        return True if listens(evidence) or evidence.device_gone else None

    while not subscribed(None):
        starting = evidence.entries(ev.HubConnected, ev.Subscribed)
        first, last = starting[0].t, starting[-1].t
        left = (first + _SUBSCRIBING if surely else last + _REST) - recorder.now
        if left <= 0:
            break
        await recorder.until(subscribed, left, after=stage.mark())
    return listens(evidence)


def _payload(stage: Stage) -> bytes:
    stated = stage.expectations.device.c2d_message
    return (stated or f"pre-flight {secrets.token_hex(8)}").encode()


def _settled(stage: Stage, message_id: str) -> bool | None:
    settled = (e.message_id == message_id for _, e in stage.evidence.of(ev.C2dSettled))
    return True if any(settled) or stage.evidence.device_gone else None


async def _await_feedback(stage: Stage, message_id: str) -> None:
    try:
        records = await stage.call(stage.service.c2d_feedback, stage.device_id, message_id, _FEEDBACK)
    except ServiceError as e:
        stage.recorder.emit(ev.HarnessFailed("reading the feedback", str(e)))
        return
    for status in records:
        stage.recorder.emit(ev.C2dFeedback(stage.device_id, message_id, status))
