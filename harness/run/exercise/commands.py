"""Invoking the commands: the harmless ones first, those that disturb the device after everything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from harness.checks.commands import TIMED_OUT, UNKNOWN_COMMAND
from harness.checks.disruptive import is_disruptive, restarts
from harness.checks.limits import LONGEST, of_service
from harness.dtdl import Capability
from harness.expectations import When
from harness.record import events as ev
from harness.run.exercise.restarting import gone_and_back, heard_again
from harness.run.exercise.stage import Stage
from harness.run.exercise.values import request_of
from harness.target.service import ServiceError

_CONNECTING = 10.0
"""Seconds the hub waits, at most, for a device that is not connected."""
_UNKNOWN = 5.0
"""Seconds for the answer to an unknown command: the least that IoT Hub takes for a time-out."""
_AGAIN = 10.0
"""Seconds for an answer that came in no time before."""


async def invoke_commands(stage: Stage) -> None:
    """Invoke every harmless command with a valid request, one after the other."""
    commands = [c for c in stage.of("command") if not disturbs(stage, c)]
    commands.sort(key=lambda c: stage.expectations.command(c.path).priority)
    await _each(stage, commands, _exercise, lambda done: stage.progress.update("commands", done, len(commands)))


async def invoke_again(stage: Stage) -> None:
    """Once more at the end of the window: answers that go wrong later, and devices that died of what came before."""
    if not stage.judges("rejects_invalid_request") and not stage.judges("command_again"):
        return
    commands = [c for c in stage.of("command") if not disturbs(stage, c) and answers(stage, c)]
    await _each(stage, commands, _again)


async def _each(
    stage: Stage,
    commands: Sequence[Capability],
    call: Callable[[Stage, Capability], Awaitable[ev.CommandReturned]],
    show: Callable[[int], None] = lambda done: None,
) -> None:
    """One command after the other, as long as the device is there; `show` is told how many are done."""
    for done, capability in enumerate(commands, 1):
        if not await stage.ready():
            return
        told = await call(stage, capability)
        show(done)
        if told.error_code == TIMED_OUT and await stage.ready():
            # A device that lets one request go by may do so with all: wait for the rest together.
            await asyncio.gather(*(call(stage, c) for c in commands[done:]))
            show(len(commands))
            return


async def _again(stage: Stage, capability: Capability) -> ev.CommandReturned:
    payload, has_payload = request_of(capability, stage.expectations)
    took = max(r.seconds for _, r in stage.evidence.returns[capability.path] if r.purpose == "exercise")
    timeout = min(limit(stage, capability), max(_AGAIN, 3 * took))
    return await invoke(stage, capability.component, capability.name, payload, has_payload, "again", timeout)


async def invoke_unknown(stage: Stage) -> None:
    """Invoke a command that no model has."""
    if stage.judges("unknown_command") and await stage.ready():
        await invoke(stage, None, UNKNOWN_COMMAND, None, False, "unknown", _UNKNOWN)


async def invoke_disruptive(stage: Stage) -> None:
    """Invoke what reboots, resets or shuts down, last; after each wait for a device that went away to come back."""
    commands = [c for c in stage.of("command") if disturbs(stage, c)]
    commands = [c for c in commands if stage.expectations.command(c.path).when is not When.NEVER]
    commands.sort(key=lambda c: _order(stage, c))
    connecting = 0.0
    for capability in commands:
        if not await stage.ready():
            continue
        told = await _exercise(stage, capability, connecting)
        if not restarts(stage.evidence, capability):
            continue
        if stage.evidence.shows("wire") and told.error_code is None:
            await gone_and_back(stage, capability)
        elif not stage.evidence.shows("wire") and told.error_code in (None, TIMED_OUT):
            back = await heard_again(stage, capability, last=capability is commands[-1])
            if back is False:
                return
            # The hub can wait for a device of which nothing is heard, where it knows that it is gone.
            connecting = 0.0 if back else stage.settings.connect_timeout


async def _exercise(stage: Stage, capability: Capability, connecting: float = 0.0) -> ev.CommandReturned:
    payload, has_payload = request_of(capability, stage.expectations)
    timeout = limit(stage, capability)
    return await invoke(
        stage, capability.component, capability.name, payload, has_payload, "exercise", timeout, connecting
    )


async def invoke(
    stage: Stage,
    component: str | None,
    name: str,
    payload: Any,
    has_payload: bool,
    purpose: str,
    timeout: float,
    connecting: float = 0.0,
) -> ev.CommandReturned:
    """Invoke one command; what came back, which is in the record too.

    `timeout` is in seconds, as far as the service takes it, and so is `connecting`, the least that the hub waits for a
    device that is not there.
    """
    stage.recorder.emit(ev.CommandSent(stage.device_id, component, name, payload, has_payload, purpose))
    waits = of_service(timeout)
    began = time.monotonic()
    status, answer, code, error = None, None, None, ""
    try:
        returned = await stage.call(
            stage.service.invoke_command,
            stage.device_id,
            component,
            name,
            payload if has_payload else None,
            connect_timeout=min(max(connecting, min(waits, _CONNECTING)), LONGEST),
            response_timeout=waits,
        )
        status, answer = returned.status, returned.payload
    except ServiceError as e:
        code, error = e.code, str(e)
    seconds = time.monotonic() - began
    event = ev.CommandReturned(stage.device_id, component, name, status, answer, purpose, seconds, code, error)
    stage.recorder.emit(event)
    return event


def disturbs(stage: Stage, capability: Capability) -> bool:
    """Whether a command is left to the end, or out."""
    return is_disruptive(stage.evidence, capability)


def answers(stage: Stage, capability: Capability) -> bool:
    """Whether the device has answered a valid request of this command."""
    returned = (r for _, r in stage.evidence.returns.get(capability.path, []) if r.purpose == "exercise")
    return any(r.status is not None for r in returned)


def limit(stage: Stage, capability: Capability) -> float:
    """Seconds for the answer, as is stated or set."""
    return stage.expectations.command(capability.path).timeout or stage.settings.command_timeout


def _order(stage: Stage, capability: Capability) -> tuple[int, bool]:
    """By priority; what may not come back last."""
    return stage.expectations.command(capability.path).priority, not restarts(stage.evidence, capability)
