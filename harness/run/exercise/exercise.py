"""The order of the exercise: what goes on beside what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from harness.checks import Judgement
from harness.checks.evidence import Evidence
from harness.dtdl import Capability
from harness.record import events as ev
from harness.record.recorder import Recorder
from harness.run.exercise.c2d import send_c2d
from harness.run.exercise.commands import invoke_again, invoke_commands, invoke_disruptive, invoke_unknown
from harness.run.exercise.negative import invoke_wrongly
from harness.run.exercise.properties import set_properties
from harness.run.exercise.stage import Stage
from harness.run.exercise.twins import read_both_twins, read_digital_twin
from harness.run.exercise.watch import watch
from harness.run.progress import Progress
from harness.settings import Settings
from harness.target.service import HubService


class Exercise:
    """Exercises the chosen capabilities of one connected device, as far as the chosen cases need it."""

    def __init__(
        self,
        recorder: Recorder,
        evidence: Evidence,
        service: HubService,
        settings: Settings,
        progress: Progress,
        chosen: Iterable[Capability],
        cases: Iterable[Judgement] = (),
    ) -> None:
        self._stage = Stage(recorder, evidence, service, settings, progress, chosen, tuple(cases))

    async def run(self) -> None:
        """Watch and act concurrently; ends when everything was seen or every deadline is over.

        What disturbs the rest comes after it.
        """
        stage, began = self._stage, self._stage.recorder.now
        try:
            await asyncio.gather(watch(stage), self._act())
            await invoke_again(stage)
            await read_both_twins(stage)
            await invoke_disruptive(stage)
        finally:
            stage.recorder.emit(ev.ExerciseEnded(stage.recorder.now - began))

    async def _act(self) -> None:
        stage = self._stage
        await read_digital_twin(stage)
        await set_properties(stage)
        await invoke_commands(stage)
        await send_c2d(stage)
        await invoke_wrongly(stage)
        await invoke_unknown(stage)
