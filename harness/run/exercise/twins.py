"""Reading both twins of the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.record import events as ev
from harness.run.exercise.stage import Stage
from harness.target.service import ServiceError


async def read_digital_twin(stage: Stage) -> None:
    """The digital twin, or why there is none, into the record."""
    try:
        twin = await stage.call(stage.service.digital_twin, stage.device_id)
    except ServiceError as e:
        stage.recorder.emit(ev.DigitalTwinRead(stage.device_id, None, str(e)))
    else:
        stage.recorder.emit(ev.DigitalTwinRead(stage.device_id, twin))


async def read_device_twin(stage: Stage) -> Mapping[str, Any]:
    """The device twin, also into the record; empty where it could not be read."""
    try:
        twin = await stage.call(stage.service.device_twin, stage.device_id)
    except ServiceError as e:
        stage.recorder.emit(ev.HarnessFailed("reading the twin", str(e)))
        return {}
    stage.recorder.emit(ev.TwinRead(stage.device_id, twin))
    return twin


async def read_both_twins(stage: Stage) -> None:
    """The digital twin between two device twins: what the two agree in did not change meanwhile."""
    if stage.judges("twins_agree"):
        await read_device_twin(stage)
        await read_digital_twin(stage)
        await read_device_twin(stage)
