"""One run, from its settings to its verdict.

`begin` opens the target, enrolls and starts the device; `discover` waits for the model id the device
announces; `conduct` does all that needs a device; `finish` judges. Each is idempotent, and whatever goes
wrong on the way is an event, so that there is always a record to judge.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence

from harness import checks
from harness.device import DeviceError
from harness.dtdl import Capability, Model
from harness.record import events as ev
from harness.run import models
from harness.run.arriving import Arrival
from harness.run.bench import DeviceBench
from harness.run.exercise import Exercise
from harness.run.exercise.stage import Stage
from harness.run.keeping import Kept, without_secrets
from harness.run.progress import Progress, Quiet
from harness.run.trials import conduct_trials
from harness.settings import EXTERNAL, Settings
from harness.target import HubService, Target, TargetError, make_target
from harness.verdict import CaseResult, Verdict, roll_up


class Run(Kept):
    """A run of the suite against one device. Not for use by two threads, but for `recorder`."""

    def __init__(
        self, settings: Settings, progress: Progress | None = None, say: Callable[[str], None] = print
    ) -> None:
        super().__init__(settings, say)
        self.progress = progress or Quiet()
        self.results: dict[str, CaseResult] = {}
        self.judged: float | None = None
        self.finished: float | None = None
        self._arrival = Arrival(self, self.progress)
        self._target: Target | None = None
        self._bench: DeviceBench | None = None
        self._model_thread: threading.Thread | None = None
        self._found: tuple[Model | None, ev.ModelResolved | ev.ModelRejected] | None = None
        self.begun = self._conducted = self._closed = False

    @property
    def profile(self) -> str:
        """The profile in force; of a recorded run its own, unless another one is asked for."""
        if self.settings.replay and "profile" not in self.settings.origins:
            self.begin()
            return self.evidence.profile
        return self.settings.profile

    # --- before the device is connected --------------------------------------------------------------

    def begin(self) -> None:
        """Open the target, enroll the device and start it; or open the journal to replay."""
        if self.begun:
            return
        self.begun = True
        self._open_record()
        if self.settings.replay:
            self._restore_model()
            return
        if self.model_id:
            self._model_thread = threading.Thread(target=self._resolve_model, name="model", daemon=True)
            self._model_thread.start()
        with contextlib.suppress(_Stopped):
            self._start()

    def _start(self) -> None:
        try:
            self._target = make_target(self.settings, self.emit, self._say)
            if self._found is not None:
                self._target.estimate(self.declared())
            endpoints = self._target.open()
            self.emit(ev.TargetOpened(self._target.name, endpoints, self._target.observes))
            credentials = self._target.enroll()
        except TargetError as e:
            self.emit(ev.TargetFailed(self.settings.target, str(e)))
            raise _Stopped from None
        if self.settings.dut != EXTERNAL:
            self.redactor.add(credentials.primary_key)
        self.redactor.add(*credentials.secrets)
        self.emit(ev.DeviceEnrolled(credentials.registration_id, self.settings.attestation, credentials.id_scope))
        log = self._device_log or (lambda line: None)
        try:
            self._bench = DeviceBench(self.settings, credentials, self.emit, log, self._say)
            self._bench.begin()
        except DeviceError as e:
            self.emit(ev.DeviceFailedToStart(self.settings.dut or "", str(e)))
            raise _Stopped from None
        self.redactor.add(credentials.primary_key)
        threading.Thread(target=self._warm_up, name="service-sdk", daemon=True).start()

    def _warm_up(self) -> None:
        self.service().warm_up()

    def discover(self) -> str | None:
        """The model id: as set, else as the device announces it (waiting for the device). None if it never does."""
        self.begin()
        if self.model_id is None and not self.settings.replay:
            with self.progress.phase("waiting for the device to announce its model"):
                self._arrival.block()
            connected = self.evidence.connected
            self.model_id = connected[1].model_id if connected else None
            if self.model_id:
                self._resolve_model()
        if self._model_thread is not None:
            self._model_thread.join()
            self._model_thread = None
        return self.model_id

    def capabilities(self) -> tuple[Capability, ...]:
        """What the model declares, discovering the model where it has to be; empty when there is none."""
        self.discover()
        return self.evidence.capabilities

    def declared(self) -> tuple[Capability, ...]:
        """The same for a model id that is set, without starting the device: collecting tests needs none."""
        if self._found is None and self.settings.model_id:
            self._found = models.resolve(self.settings.model_id, models.locations(self.settings))
        model = self._found[0] if self._found else None
        return model.capabilities(self.settings.model_id or "") if model else ()

    def _resolve_model(self) -> None:
        assert self.model_id is not None
        model, event = self._found or models.resolve(self.model_id, models.locations(self.settings))
        with self.recorder.frozen():
            self.emit(event)
            self._follow(self.model_id, model)

    def _restore_model(self) -> None:
        resolved = self.evidence.final(ev.ModelResolved)
        if resolved is not None:
            self._follow(resolved[1].model_id, models.restored(resolved[1]))

    # --- the run itself ------------------------------------------------------------------------------

    async def conduct(self, chosen: Sequence[checks.Judgement]) -> None:
        """Everything that needs the device, for the chosen cases; then they are judged."""
        if self._conducted:
            return
        self._conducted = True
        self.begin()
        try:
            if not self.settings.replay and self._arrival.possible:
                await self._arrival.until_connected()
                if self.evidence.connected:
                    await self._exercise(chosen)
                    await self._try(chosen)
            for case in chosen:
                self.judge(case)
            self.judged = self.recorder.now
        except asyncio.CancelledError:
            self.interrupt("The run was interrupted.")
            raise
        except Exception as e:
            self.emit(ev.HarnessFailed("exercise", f"{type(e).__name__}: {e}"))
            raise

    async def _exercise(self, chosen: Sequence[checks.Judgement]) -> None:
        await asyncio.to_thread(self.discover)
        if self._target is not None:
            self._target.estimate(self.evidence.capabilities)
        capabilities = self._to_exercise(chosen)
        for capability in capabilities:
            stated = self.evidence.expectations.telemetry(capability.path)
            if capability.kind == "telemetry" and stated.trigger:
                self._say(f"Telemetry {capability.path} is triggered from outside: {stated.trigger}")
        exercise = Exercise(
            self.recorder, self.evidence, self.service(), self.settings, self.progress, capabilities, chosen
        )
        with self.progress.phase("exercising the device"):
            await exercise.run()

    async def _try(self, chosen: Sequence[checks.Judgement]) -> None:
        """The trials, where services can be made to fail."""
        desk = self._target.faults if self._target else None
        if desk is None or self._bench is None:
            return
        stage = Stage(self.recorder, self.evidence, self.service(), self.settings, self.progress, ())
        await conduct_trials(chosen, stage, lambda: self.evidence, desk, self._bench)

    def _to_exercise(self, chosen: Sequence[checks.Judgement]) -> list[Capability]:
        """What the chosen cases are about, but for what the maker has left alone."""
        watched = {case.check.watches for case in chosen if case.check.watches}
        found = [case.capability for case in chosen if case.capability is not None]
        found += [c for c in self.evidence.capabilities if c.kind in watched]
        stated = self.evidence.expectations
        return [c for c in dict.fromkeys(found) if not stated.left_alone(c.kind, c.path)]

    def interrupt(self, message: str) -> None:
        """Note that somebody ended the run before its time."""
        if self.begun and not self._closed and self.evidence.first(ev.RunInterrupted) is None:
            self.emit(ev.RunInterrupted(message))

    def service(self) -> HubService:
        """The service side of the hub. Raises TargetError where there is no target to ask."""
        if self._target is None:
            raise TargetError("There is no hub to ask: the run judges a recorded journal, or its target failed.")
        return self._target.service()

    @property
    def spent(self) -> str:
        """What the run has cost, as a sentence; empty where it cost nothing."""
        return self._target.spent if self._target is not None else ""

    # --- judging -------------------------------------------------------------------------------------

    def judge(self, case: checks.Judgement) -> CaseResult:
        """Judge one case by the record as it is now; the result is kept for the reports."""
        with self.recorder.frozen():
            result = checks.judge(case, self.evidence)
        self.results[case.id] = result = without_secrets(result, self.redactor)
        return result

    def finish(self, selected: Iterable[checks.Judgement]) -> Verdict:
        """Judge every selected case by the whole record, and end the run."""
        for case in selected:
            self.judge(case)
        if self.judged is None:
            self.judged = self.recorder.now
        verdict = roll_up(self.results.values())
        self.close()
        if self.settings.replay:
            self.judged = self.finished = self.evidence.last.t if self.evidence.last else 0.0
        else:
            self.emit(ev.RunEnded(verdict.value, {r.case: r.outcome.value for r in self.results.values()}))
            self.finished = self.recorder.now
            self._close_record()
        return verdict

    def close(self) -> None:
        """Stop the device and the target. May be called at any time, and twice."""
        if self._closed:
            return
        self._closed = True
        if self._bench is not None:
            self._bench.close()
        if self._target is not None:
            self._target.close()


class _Stopped(Exception):
    """The run cannot go on; the record says why."""
