"""Runs the trials that the chosen cases need, one after the other; whatever happens, the next one can begin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from harness.checks import Judgement
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.device import DeviceError
from harness.record import events as ev
from harness.record.events import Entry
from harness.record.recorder import Recorder
from harness.run.exercise.stage import Stage as Exercising
from harness.run.trials.catalogue import TRIALS
from harness.run.trials.settling import rests
from harness.run.trials.stage import Memory, Stage
from harness.run.trials.trial import Trial
from harness.target import FaultDesk, TargetError
from harness.target.service import ServiceError


class Bench(Protocol):
    """The device under test, as trials handle it. Both methods block."""

    @property
    def reconfigurable(self) -> bool:
        """Whether it can be given another ID scope without a person's doing."""

    def start(self, id_scope: str, why: str) -> None:
        """Start it anew, in another ID scope if one is given; `why` is for its owner. Raises DeviceError."""

    def stop(self) -> None:
        """Stop it, if it is the harness that starts it."""


def needed(chosen: Iterable[Judgement]) -> list[Trial]:
    """The trials that the chosen cases need, in their order."""
    names = {name for case in chosen for name in t.TRIALS_OF.get(case.check.name, ())}
    return [trial for trial in TRIALS if trial.name in names]


async def conduct_trials(
    chosen: Sequence[Judgement],
    stage: Exercising,
    evidence: Callable[[], Evidence],
    desk: FaultDesk,
    bench: Bench,
) -> None:
    """Run what is needed. `stage` is that of the exercise, `evidence` the run's."""
    await _Conductor(needed(chosen), stage, evidence, desk, bench).run()


class _Conductor:
    def __init__(
        self,
        trials: Sequence[Trial],
        stage: Exercising,
        evidence: Callable[[], Evidence],
        desk: FaultDesk,
        bench: Bench,
    ) -> None:
        self._trials = trials
        self._base = stage
        self._recorder: Recorder = stage.recorder
        self._evidence = evidence
        self._desk = desk
        self._bench = bench
        self._memory = Memory()
        self._disturbed = ""
        """The title of the trial after which the device was not as before."""
        self._started: int | None = 0
        """The entry after which the device was started and no trial has disturbed it; None where one has."""

    async def run(self) -> None:
        last: Stage | None = None
        for number, trial in enumerate(self._trials, 1):
            reason = await self._prepared(trial)
            if reason:
                self._recorder.emit(ev.TrialBegan(trial.name, trial.faults))
                self._recorder.emit(ev.TrialEnded(trial.name, t.NOT_BEGUN + reason, 0.0))
                continue
            await self._rested(trial)
            with self._base.progress.phase(f"trial {number} of {len(self._trials)}: {trial.title}"):
                last = await self._conduct(trial)
        if last is not None:
            await last.restore()

    # --- before a trial ------------------------------------------------------------------------------

    async def _prepared(self, trial: Trial) -> str:
        """Bring the device into the state that the trial needs; why that cannot be, else empty."""
        if trial.moves and not self._bench.reconfigurable:
            return "A physical device is given another ID scope by hand: do so, and run the pre-flight again."
        if trial.fresh:
            await asyncio.to_thread(self._bench.stop)
            return ""
        if _connected(self._recorder.entries):
            return ""
        n = len(self._recorder.entries)
        with self._base.progress.phase("bringing the device back"):
            try:
                await asyncio.to_thread(self._restart, f"It did not come back by itself ({self._disturbed})")
            except DeviceError as e:
                return str(e)
            found = await self._recorder.until(_accepts, self._base.settings.connect_timeout, after=n)
            if not found:
                return f"The device was not connected any more, since {self._disturbed or 'the exercise'}."
        self._started = n
        return ""

    async def _rested(self, trial: Trial) -> None:
        """A device that was started since the last trial, or is tried first, is let do what it does at its start."""
        if not trial.fresh and self._started is not None:
            with self._base.progress.phase("waiting for the device to come to rest"):
                await rests(self._recorder, self._evidence(), self._started)
        self._started = None

    def _restart(self, why: str) -> None:
        self._bench.stop()
        self._bench.start("", why)

    # --- a trial -------------------------------------------------------------------------------------

    async def _conduct(self, trial: Trial) -> Stage:
        began = self._recorder.now
        self._recorder.emit(ev.TrialBegan(trial.name, trial.faults))
        run = self._evidence()

        def device(id_scope: str) -> None:
            self._bench.start(id_scope, f"Trial: {trial.title}")

        stage = Stage(self._base, run.trials[trial.name], run, self._desk, device, self._memory)
        seen = t.INTERRUPTED
        try:
            seen = await self._tried(trial, stage)
        finally:
            # First the end: what a device does that services bear with again is no evidence of the trial.
            self._recorder.emit(ev.TrialEnded(trial.name, seen, self._recorder.now - began))
            with contextlib.suppress(TargetError):
                self._desk.end()
        if not _connected(self._recorder.entries):
            self._disturbed = trial.title
        return stage

    async def _tried(self, trial: Trial, stage: Stage) -> str:
        try:
            if trial.faults:
                await stage.order(*trial.faults)
            if trial.fresh:
                await self._start(trial, stage)
            return await trial.conduct(stage)
        except DeviceError as e:
            return t.NOT_BEGUN + str(e)
        except (TargetError, ServiceError) as e:
            return f"{t.FAILED}{e}"
        except Exception as e:
            self._recorder.emit(ev.HarnessFailed(f"trial {trial.name}", f"{type(e).__name__}: {e}"))
            return f"{t.FAILED}{type(e).__name__}: {e}"

    async def _start(self, trial: Trial, stage: Stage) -> None:
        scope = ""
        if trial.moves:
            scope = await stage.move()
            before = stage.run_evidence.first(ev.DeviceEnrolled)
            known = before[1] if before else ev.DeviceEnrolled(stage.device_id, "", "")
            self._recorder.emit(ev.DeviceEnrolled(known.registration_id, known.attestation, scope))
        await stage.start_device(scope)


def _accepts(entry: Entry) -> bool | None:
    event = entry.event
    return True if isinstance(event, ev.HubConnected) and event.return_code == 0 else None


def _connected(entries: Sequence[Entry]) -> bool:
    """Whether the device has a connection to the hub."""
    open_ = 0
    for entry in entries:
        event = entry.event
        if isinstance(event, ev.HubConnected) and event.return_code == 0:
            open_ += 1
        elif isinstance(event, ev.HubDisconnected):
            open_ = max(0, open_ - 1)
    return open_ > 0
