"""Setting the writable properties, waiting for their acknowledgements, and putting the earlier values back."""

from __future__ import annotations

import asyncio

from harness.checks.acknowledging import acknowledgement
from harness.dtdl import Capability
from harness.record import events as ev
from harness.run.exercise.desired import Desired
from harness.run.exercise.negative import write_wrongly
from harness.run.exercise.patches import earlier, patch_of, replacing
from harness.run.exercise.peculiar import write_peculiarly
from harness.run.exercise.stage import Stage
from harness.run.exercise.twins import read_device_twin
from harness.run.exercise.values import valid_values

_PATIENCE = 5.0
"""Seconds to wait for one acknowledgement before the next property is set; the wait itself goes on."""
_IMPATIENCE = 0.5
"""The same once a device has let one go by unanswered."""
_SUBSCRIBING = 10.0
"""Seconds a connected device may take to subscribe to desired properties before the first one is set."""
_FIRST_REPORT = 2.0
"""Seconds a device may take to report the values it starts with."""
_DESIRED_TOPIC = "$iothub/twin/PATCH/properties/desired"


async def set_properties(stage: Stage) -> None:
    """Set every writable property to a valid value and await its acknowledgement; then in the ways that the
    conventions allow and that devices stumble over; and put the earlier values back."""
    writable = [c for c in stage.of("property", writable=True) if c.schema is not None]
    if not writable:
        return
    await _subscribed(stage)
    await _reported(stage, writable)
    before = await read_device_twin(stage)
    desired = Desired(stage, before)
    try:
        answering = await _exercise(stage, desired, writable)
        if answering:
            await write_peculiarly(stage, desired, answering)
            await write_wrongly(stage, desired, answering)
    finally:
        await _restore(stage, desired, [(c, earlier(before, c)) for c in writable])


async def _subscribed(stage: Stage) -> None:
    """What is set between a device's twin GET and its SUBSCRIBE is lost to it, on Azure too: wait for both."""
    evidence = stage.evidence
    if not stage.evidence.shows("wire"):
        return

    def listens(_: object) -> bool | None:
        filters = (f for _, e in evidence.of(ev.Subscribed) for f, *_ in e.filters)
        found = any(f.startswith(_DESIRED_TOPIC) for f in filters)
        return True if found or evidence.device_gone else None

    await stage.recorder.until(listens, _SUBSCRIBING)


async def _reported(stage: Stage, writable: list[Capability]) -> None:
    """Let the device tell the values it starts with, so that they can be put back; it need not tell any."""
    evidence = stage.evidence

    def told(_: object) -> bool | None:
        return True if all(c.path in evidence.reports for c in writable) or evidence.device_gone else None

    await stage.recorder.until(told, _FIRST_REPORT)


async def _exercise(stage: Stage, desired: Desired, writable: list[Capability]) -> list[Capability]:
    """Set each to its valid values; those that were acknowledged."""
    waits: list[asyncio.Task[bool]] = []
    patience = _PATIENCE
    for done, capability in enumerate(writable, 1):
        timeout = stage.expectations.property(capability.path).timeout or stage.settings.ack_timeout
        for value in valid_values(capability, stage.expectations):
            if not await stage.ready():
                break
            n, version = await desired.write([(capability, value)], "exercise")
            if version is not None:
                wait = asyncio.create_task(desired.settled(capability.path, n, version, timeout))
                waits.append(wait)
                _, unanswered = await asyncio.wait([wait], timeout=patience)
                patience = _IMPATIENCE if unanswered else _PATIENCE
        stage.progress.update("properties set", done, len(writable))
    await asyncio.gather(*waits)
    return [c for c in writable if _acknowledged(stage, c)]


def _acknowledged(stage: Stage, capability: Capability) -> bool:
    writes = [w for _, w in stage.evidence.writes.get(capability.path, []) if w.version is not None]
    return any(acknowledgement(stage.evidence, capability.path, w.after, w.version) for w in writes)


async def _restore(stage: Stage, desired: Desired, earlier_values: list[tuple[Capability, object]]) -> None:
    """Put the earlier values back, all in one patch: the desired one, else the reported one, else none."""
    values = [(c, value) for c, value in earlier_values if c.path in desired.current]
    if not values:
        return
    patch = patch_of([(c, replacing(value, desired.current[c.path])) for c, value in values])
    n, version, error = await desired.send(patch | dict.fromkeys(desired.added))
    for capability, value in values:
        desired.emit(capability.component, capability.name, value, version, "restore", error, n)
    if version is None:
        return
    evidence = stage.evidence
    answering = {c.path for c, value in values if value is not None and _acknowledged(stage, c)}

    def restored(_: object) -> bool | None:
        answers = (acknowledgement(evidence, path, n, version) for path in answering)
        return True if all(answers) or evidence.device_gone else None

    await stage.recorder.until(restored, _PATIENCE, after=n)
