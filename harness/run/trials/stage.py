"""What a trial works with: the faults it orders, the device it starts, the service it plays, and its waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.acknowledging import acknowledgement, settles
from harness.checks.disruptive import is_disruptive
from harness.checks.envelope import ACCEPTED, answers, code_of
from harness.checks.evidence import Evidence
from harness.dtdl import Capability
from harness.record import events as ev
from harness.run.exercise.commands import invoke, limit
from harness.run.exercise.patches import desired_value, earlier, patch_of, replacing
from harness.run.exercise.stage import Stage as Exercising
from harness.run.exercise.values import another_value, request_of
from harness.target import FaultDesk
from harness.target.service import ServiceError

TRIAL = "trial"
"""The `purpose` of what a trial writes and invokes."""


@dataclass(frozen=True, slots=True)
class Write:
    """A desired property that was set; `after` is the last entry before, `version` the desired section's new one."""

    path: str
    after: int
    version: int


@dataclass(slots=True)
class Memory:
    """What the trials of a run know of those before: the twin as it was, and the values set since."""

    twin: Mapping[str, Any] | None = None
    values: dict[str, tuple[Capability, Any]] = field(default_factory=dict)
    gives_up: bool = False
    """Whether the device did nothing more when it was refused with CONNACK 5."""


class Stage(Exercising):
    """One trial's. `evidence` is its own, `run_evidence` all there is; `device` starts the device (anew)."""

    def __init__(
        self,
        base: Exercising,
        evidence: Evidence,
        run_evidence: Evidence,
        desk: FaultDesk,
        device: Callable[[str], None],
        memory: Memory,
    ) -> None:
        super().__init__(base.recorder, evidence, base.service, base.settings, base.progress, base.chosen)
        self.run_evidence = run_evidence
        self.device_id = run_evidence.device_id or ""
        self._desk = desk
        self._device = device
        self.memory = memory

    # --- faults and the device -----------------------------------------------------------------------

    async def order(self, *faults: Mapping[str, Any]) -> None:
        """These faults from now on, in place of any others. Raises TargetError."""
        await asyncio.to_thread(self._desk.order, faults)

    async def end_faults(self) -> None:
        """Everything is well again. Raises TargetError."""
        await asyncio.to_thread(self._desk.end)

    async def cut(self) -> None:
        """Drop the device's connection. Raises TargetError."""
        await asyncio.to_thread(self._desk.cut)

    async def move(self) -> str:
        """Let the DPS be the one of another ID scope; that scope. Raises TargetError."""
        return await asyncio.to_thread(self._desk.move)

    async def start_device(self, id_scope: str = "") -> None:
        """Start the device anew, in another ID scope if one is given. Raises DeviceError."""
        await asyncio.to_thread(self._device, id_scope)

    # --- waiting -------------------------------------------------------------------------------------

    async def until(
        self, waited_for: str, condition: Callable[[Evidence], bool], give_up: Callable[[], float] | float | None = None
    ) -> bool:
        """Wait until the trial's evidence is as wanted; whether it is.

        `give_up` is how many seconds from now to wait, or says to which moment of the record, as far as can be told
        now; without it the device has `--connect-timeout` to come up. No wait outlasts the device, and each ends with
        `--trial-timeout`, which counts from the step before: a slow device is not a device that is stuck.
        """
        began, evidence = self.recorder.now, self.evidence

        def deadline() -> float:
            if give_up is None:
                return began + self.settings.connect_timeout
            moment = give_up() if callable(give_up) else began + give_up
            return min(moment, began + self.settings.trial_timeout)

        def look(_: object) -> bool | None:
            if condition(evidence):
                return True
            return False if evidence.device_gone else None

        found: bool | None = None
        while found is None:
            seen = len(self.recorder.entries)
            with self.recorder.frozen():
                found = look(None)
            left = deadline() - self.recorder.now
            if found is None and left <= 0:
                break
            if found is None:
                with self.progress.deadline(left):
                    found = await self.recorder.until(look, left, after=seen)
        now = self.recorder.now
        told = "" if found else "the device process had ended" if found is False else "nothing in time"
        self.recorder.emit(ev.WaitEnded(waited_for, bool(found), now - began, deadline() - began, told))
        return bool(found)

    def quiet_for(self, seconds: float, *classes: type[ev.Event]) -> Callable[[], float]:
        """The moment when nothing of these classes has happened for so long."""
        began = self.recorder.now

        def moment() -> float:
            last = self.evidence.entries(*classes)[-1:]
            return max([began, *(entry.t for entry in last)]) + seconds

        return moment

    # --- the service ---------------------------------------------------------------------------------

    def writable(self) -> Capability | None:
        """A writable property that the device acknowledged in the ordinary run (any, where none was set in it)."""
        run, stated = self.run_evidence, self.run_evidence.expectations
        all_ = [c for c in run.capabilities if c.kind == "property" and c.writable and c.schema is not None]
        allowed = [c for c in all_ if not stated.left_alone("property", c.path)]
        if not any(run.writes.values()):
            return next(iter(allowed), None)
        return next((c for c in allowed if _acknowledged(run, c.path)), None)

    async def write(self, capability: Capability) -> Write:
        """Set a desired property to another valid value. Raises ServiceError."""
        memory, stated = self.memory, self.run_evidence.expectations
        if memory.twin is None:
            memory.twin = await self.call(self.service.device_twin, self.device_id)
        _, current = memory.values.get(capability.path, (capability, desired_value(memory.twin, capability)))
        value = another_value(capability, stated, current)
        after = self.mark()
        patch = patch_of([(capability, replacing(value, current))])
        version = await self.call(self.service.set_desired, self.device_id, patch)
        memory.values[capability.path] = capability, value
        self.recorder.emit(
            ev.PropertyWritten(
                self.device_id, capability.component, capability.name, value, version, TRIAL, after=after
            )
        )
        return Write(capability.path, after, version)

    async def acknowledged(self, write: Write) -> bool:
        """Wait for the acknowledgement of a write, `--ack-timeout` at most."""

        def settled(evidence: Evidence) -> bool:
            return settles(acknowledgement(evidence, write.path, write.after, write.version), write.version)

        return await self.until(f"{write.path} to be acknowledged", settled, self.settings.ack_timeout)

    async def restore(self) -> None:
        """Put back what the twin held before the trials."""
        memory = self.memory
        if memory.twin is None or not memory.values:
            return
        values = [(c, replacing(earlier(memory.twin, c), value)) for c, value in memory.values.values()]
        try:
            await self.call(self.service.set_desired, self.device_id, patch_of(values))
        except ServiceError as e:
            self.recorder.emit(ev.HarnessFailed("putting back what trials had written", str(e)))

    def command(self) -> Capability | None:
        """A harmless command that the device carried out in the ordinary run, also when it was asked last (any, where
        none was invoked in it)."""
        run, stated = self.run_evidence, self.run_evidence.expectations
        allowed = [
            c
            for c in run.capabilities
            if c.kind == "command" and not is_disruptive(run, c) and not stated.left_alone("command", c.path)
        ]
        if not any(run.returns.values()):
            return next(iter(allowed), None)
        return next((c for c in allowed if _done([r for _, r in run.returns.get(c.path, [])])), None)

    async def invoke(self, capability: Capability) -> ev.CommandReturned:
        """Invoke a command with a valid request."""
        payload, has_payload = request_of(capability, self.run_evidence.expectations)
        component, name = capability.component, capability.name
        return await invoke(self, component, name, payload, has_payload, TRIAL, limit(self, capability))


def _acknowledged(run: Evidence, path: str) -> bool:
    writes = [w for _, w in run.writes.get(path, []) if w.purpose == "exercise" and w.version is not None]
    found = ((acknowledgement(run, path, w.after, w.version), w.version) for w in writes)
    return any(
        answer is not None and answers(answer.value, version) and code_of(answer.value) == ACCEPTED
        for answer, version in found
    )


def _done(returned: list[ev.CommandReturned]) -> bool:
    valid = [r for r in returned if r.purpose in ("exercise", "again")]
    return bool(valid) and all(r.status is not None and 200 <= r.status < 300 for r in valid)
