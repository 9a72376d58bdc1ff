"""What every part of the exercise works with: the record, the service, and what was chosen to be tested."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from harness.checks import Judgement
from harness.checks.evidence import Evidence
from harness.dtdl import Capability
from harness.expectations import Expectations
from harness.record.recorder import Recorder
from harness.run.progress import Progress
from harness.settings import Settings
from harness.target.service import HubService

P = ParamSpec("P")
T = TypeVar("T")

_RETURNING = 30.0
"""Seconds a device may take to come back when it lost its connection in the middle of the exercise."""


class Stage:
    """The chosen capabilities of one connected device, and the means to exercise them.

    `chosen` are what is watched and exercised, `cases` everything that will be judged.
    """

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
        self.recorder = recorder
        self.evidence = evidence
        self.service = service
        self.settings = settings
        self.progress = progress
        self.chosen = tuple(dict.fromkeys(chosen))
        self.device_id = evidence.device_id or ""
        self._cases = frozenset(case.id for case in cases)
        self._checks = frozenset(case.check.name for case in cases)
        self._lost = False

    @property
    def expectations(self) -> Expectations:
        """What the maker said about the device."""
        return self.evidence.expectations

    def of(self, kind: str, writable: bool = False) -> list[Capability]:
        """The chosen ones of a kind (telemetry, property, command)."""
        return [c for c in self.chosen if c.kind == kind and c.writable == writable]

    def judges(self, check: str, capability: Capability | None = None) -> bool:
        """Whether a check (for one capability) is among the chosen cases."""
        return f"{check}[{capability.path}]" in self._cases if capability else check in self._checks

    def mark(self) -> int:
        """The number of the last entry: what answers an action that begins now comes after it."""
        last = self.evidence.last
        return last.n if last else 0

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A blocking call of the service, beside the loop. Raises ServiceError."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def ready(self) -> bool:
        """Whether the device is connected; one that has just lost its connection is waited for, once."""
        if not self.evidence.shows("wire") or self.evidence.open_connections:
            return True
        if not self._lost:
            self._lost = not await self.returns(min(_RETURNING, self.settings.connect_timeout))
        return not self._lost

    async def returns(self, seconds: float) -> bool:
        """Wait until the device is connected (again)."""
        evidence = self.evidence

        def back(_: object) -> bool | None:
            if evidence.open_connections:
                return True
            return False if evidence.device_gone else None

        found = back(None)
        if found is None:
            found = await self.recorder.until(back, seconds, after=self.mark())
        self._lost = not found
        return bool(found)
