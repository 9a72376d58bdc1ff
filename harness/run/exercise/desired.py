"""Writing desired properties and waiting for their acknowledgements; remembers what the twin holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.checks.acknowledging import acknowledgement, settles
from harness.checks.envelope import MARKER, answers
from harness.dtdl import Capability
from harness.record import events as ev
from harness.run.exercise.patches import desired_value, patch_of, replacing
from harness.run.exercise.stage import Stage
from harness.target.service import ServiceError

_SECOND_THOUGHTS = 3.0
"""Seconds a device may take to correct an acknowledgement that was not right at first."""
_SHORTEST_WAIT = 3.0
"""Seconds that are waited at least for the answer of a device which is known to answer."""

Values = Sequence[tuple[Capability, Any]]


class Desired:
    """The desired section of the twin, as it was `before` and as it is changed here."""

    def __init__(self, stage: Stage, before: Mapping[str, Any]) -> None:
        self._stage = stage
        self._before = before
        self.current: dict[str, Any] = {}
        self.added: dict[str, Any] = {}
        """Members that no model has, to be removed again."""
        self._slowest = 0.0

    def value(self, capability: Capability) -> Any:
        """What is desired of the property now; None where nothing is."""
        if capability.path in self.current:
            return self.current[capability.path]
        return desired_value(self._before, capability)

    async def write(
        self, values: Values, purpose: str, *, marked: bool = True, unknown: Mapping[str, Any] | None = None
    ) -> tuple[int, int | None]:
        """Set several desired properties in one patch: the entry after which answers come, and the version."""
        patch = patch_of([(c, replacing(v, self.value(c))) for c, v in values])
        if not marked:
            for section in patch.values():
                if isinstance(section, dict):
                    section.pop(MARKER, None)
        patch |= unknown or {}
        after, version, error = await self.send(patch)
        for capability, value in values:
            self.emit(capability.component, capability.name, value, version, purpose, error, after)
            if version is not None:
                self.current[capability.path] = value
        for name, value in (unknown or {}).items():
            self.emit(None, name, value, version, purpose, error, after)
        return after, version

    async def send(self, patch: dict[str, Any]) -> tuple[int, int | None, str]:
        """Send a patch; the last entry before it, the new version and the service's error."""
        # The device may answer before the service call returns, so what answers is looked for from here on.
        after = self._stage.mark()
        try:
            return after, await self._stage.call(self._stage.service.set_desired, self._stage.device_id, patch), ""
        except ServiceError as e:
            return after, None, str(e)

    def emit(
        self, component: str | None, name: str, value: Any, version: int | None, purpose: str, error: str, after: int
    ) -> None:
        """Record a write."""
        stage = self._stage
        stage.recorder.emit(
            ev.PropertyWritten(stage.device_id, component, name, value, version, purpose, error, after=after)
        )

    async def settled(self, path: str, after: int, version: int, patience: float) -> bool:
        """Until the write is answered rightly, or wrongly and not corrected soon after, or the time is up.

        Returns whether it was answered at all.
        """
        stage, evidence = self._stage, self._stage.evidence
        began = stage.recorder.now

        def settled(_: object) -> bool | None:
            answer = acknowledgement(evidence, path, after, version)
            return True if settles(answer, version) or evidence.device_gone else None

        if not await self._first(path, after, version, patience):
            return False
        answer = acknowledgement(evidence, path, after, version)
        in_progress = answer is not None and answers(answer.value, version)
        await stage.recorder.until(settled, patience if in_progress else _SECOND_THOUGHTS, after=after)
        self._slowest = max(self._slowest, stage.recorder.now - began)
        return True

    async def answered(self, paths: Iterable[str], after: int, version: int | None) -> bool:
        """Whether all paths are answered in the time that this device may be trusted to need."""
        if version is None:
            return False
        patience = min(self._stage.settings.ack_timeout, max(_SHORTEST_WAIT, 3 * self._slowest))
        return all(await asyncio.gather(*(self._first(path, after, version, patience) for path in paths)))

    async def _first(self, path: str, after: int, version: int, patience: float) -> bool:
        evidence = self._stage.evidence

        def answered(_: object) -> bool | None:
            if acknowledgement(evidence, path, after, version):
                return True
            return False if evidence.device_gone else None

        return bool(await self._stage.recorder.until(answered, patience, after=after))
