"""What the harness does with a connected device, all at once: watch its telemetry and read-only
properties, set its writable properties, invoke its commands. Everything ends as events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from harness.checks.evidence import MARKER, Evidence
from harness.checks.properties import acknowledgement, settles
from harness.dtdl import Capability, sample
from harness.record import events as ev
from harness.record.recorder import Recorder
from harness.run.progress import Progress
from harness.settings import Settings
from harness.target.service import HubService, ServiceError

_PATIENCE = 5.0
"""Seconds to wait for one acknowledgement before the next property is set; the wait itself goes on."""
_SUBSCRIBING = 10.0
"""Seconds a connected device may take to subscribe to desired properties before the first one is set."""
_SECOND_THOUGHTS = 3.0
"""Seconds a device may take to correct an acknowledgement that was not right at first."""
_FIRST_REPORT = 2.0
"""Seconds a device may take to report the values it starts with."""
_DESIRED_TOPIC = "$iothub/twin/PATCH/properties/desired"


class Exercise:
    """Exercises the chosen capabilities of one connected device."""

    def __init__(
        self,
        recorder: Recorder,
        evidence: Evidence,
        service: HubService,
        settings: Settings,
        progress: Progress,
        chosen: Iterable[Capability],
    ) -> None:
        self._recorder = recorder
        self._evidence = evidence
        self._service = service
        self._settings = settings
        self._progress = progress
        self._chosen = tuple(chosen)
        self._device_id = evidence.device_id or ""

    async def run(self) -> None:
        """Watch and act concurrently; ends when everything was seen or every deadline is over."""
        await asyncio.gather(self._watch(), self._act())

    def _of(self, kind: str, writable: bool = False) -> list[Capability]:
        return [c for c in self._chosen if c.kind == kind and c.writable == writable]

    async def _watch(self) -> None:
        """One window for all telemetry and all read-only properties; it ends when all were seen."""
        telemetry = {c.path for c in self._of("telemetry")}
        properties = {c.path for c in self._of("property")}
        evidence = self._evidence
        began = self._recorder.now

        def missing() -> list[str]:
            unseen = [p for p in telemetry if p not in evidence.telemetry]
            return sorted(unseen + [p for p in properties if p not in evidence.reports])

        def complete(_: object) -> str | None:
            self._progress.update("telemetry", sum(p in evidence.telemetry for p in telemetry), len(telemetry))
            self._progress.update(
                "properties reported", sum(p in evidence.reports for p in properties), len(properties)
            )
            if not missing():
                return "complete"
            return "device-gone" if evidence.device_gone else None

        reason = "interrupted"
        try:
            with self._progress.deadline(self._settings.window):
                reason = (
                    complete(None) or await self._recorder.until(complete, self._settings.window) or "window-elapsed"
                )
        finally:
            self._recorder.emit(ev.ObservationEnded(reason, self._recorder.now - began, tuple(missing())))

    async def _act(self) -> None:
        await self._read_digital_twin()
        await self._set_properties()
        await self._invoke_commands()

    async def _read_digital_twin(self) -> None:
        try:
            twin = await asyncio.to_thread(self._service.digital_twin, self._device_id)
        except ServiceError as e:
            self._recorder.emit(ev.DigitalTwinRead(self._device_id, None, str(e)))
        else:
            self._recorder.emit(ev.DigitalTwinRead(self._device_id, twin))

    async def _set_properties(self) -> None:
        writable = [c for c in self._of("property", writable=True) if c.schema is not None]
        if not writable:
            return
        await self._subscribed()
        await self._reported(writable)
        try:
            before = await asyncio.to_thread(self._service.device_twin, self._device_id)
        except ServiceError as e:
            before = {}
            self._recorder.emit(ev.HarnessFailed("reading the twin", str(e)))
        else:
            self._recorder.emit(ev.TwinRead(self._device_id, before))
        try:
            await self._exercise_properties(writable)
        finally:
            await self._restore(writable, before)

    async def _subscribed(self) -> None:
        """What is set between a device's twin GET and its SUBSCRIBE is lost to it, on Azure too: wait for both."""
        opened = self._evidence.first(ev.TargetOpened)
        if opened is not None and "wire" not in opened[1].observes:
            return

        def listens(_: object) -> bool | None:
            filters = (f for _, e in self._evidence.of(ev.Subscribed) for f, *_ in e.filters)
            found = any(f.startswith(_DESIRED_TOPIC) for f in filters)
            return True if found or self._evidence.device_gone else None

        await self._recorder.until(listens, _SUBSCRIBING)

    async def _reported(self, writable: list[Capability]) -> None:
        """Let the device tell the values it starts with, so that they can be put back; it need not tell any."""
        evidence = self._evidence

        def told(_: object) -> bool | None:
            return True if all(c.path in evidence.reports for c in writable) or evidence.device_gone else None

        await self._recorder.until(told, _FIRST_REPORT)

    async def _exercise_properties(self, writable: list[Capability]) -> None:
        waits: list[asyncio.Task[None]] = []
        for done, capability in enumerate(writable, 1):
            value = sample(capability.element, seed=f"write {capability.path}", twin=True)
            n, version = await self._write(capability, value, "exercise")
            if version is not None:
                wait = asyncio.create_task(self._acknowledged(capability.path, n, version))
                waits.append(wait)
                await asyncio.wait([wait], timeout=_PATIENCE)
            self._progress.update("properties set", done, len(writable))
        await asyncio.gather(*waits)

    async def _write(self, capability: Capability, value: Any, purpose: str) -> tuple[int, int | None]:
        """Set one desired property; the number of the event that records it, and the desired version."""
        patch = _patch([(capability, value)])
        # The device may answer before the service call returns, so what answers is looked for from here on.
        n = len(self._recorder.entries)
        version, error = None, ""
        try:
            version = await asyncio.to_thread(self._service.set_desired, self._device_id, patch)
        except ServiceError as e:
            error = str(e)
        self._recorder.emit(
            ev.PropertyWritten(
                self._device_id,
                capability.component,
                capability.name,
                value,
                version,
                purpose,
                error,
                after=n,
            )
        )
        return n, version

    async def _acknowledged(self, path: str, after: int, version: int) -> None:
        """Until the write is answered rightly, or wrongly and not corrected soon after, or the time is up."""
        evidence = self._evidence

        def answered(_: object) -> bool | None:
            return True if acknowledgement(evidence, path, after, version) or evidence.device_gone else None

        def settled(_: object) -> bool | None:
            answer = acknowledgement(evidence, path, after, version)
            return True if settles(answer, version) or evidence.device_gone else None

        if not await self._recorder.until(answered, self._settings.ack_timeout, after=after):
            return
        answer = acknowledgement(evidence, path, after, version)
        in_progress = answer and isinstance(answer.value, Mapping) and answer.value.get("av") == version
        await self._recorder.until(
            settled, self._settings.ack_timeout if in_progress else _SECOND_THOUGHTS, after=after
        )

    async def _restore(self, writable: list[Capability], before: Mapping[str, Any]) -> None:
        """Put the earlier values back, all in one patch: the desired one, else the reported one, else none."""
        touched = [c for c in writable if any(not w.error for _, w in self._evidence.writes.get(c.path, []))]
        if not touched:
            return
        values = [(c, _earlier(before, c)) for c in touched]
        merged = [(c, _replacing(value, self._evidence.writes[c.path][-1][1].value)) for c, value in values]
        n = len(self._recorder.entries)
        version, error = None, ""
        try:
            version = await asyncio.to_thread(self._service.set_desired, self._device_id, _patch(merged))
        except ServiceError as e:
            error = str(e)
        for capability, value in values:
            self._recorder.emit(
                ev.PropertyWritten(
                    self._device_id,
                    capability.component,
                    capability.name,
                    value,
                    version,
                    "restore",
                    error,
                    after=n,
                )
            )
        if version is None:
            return
        expected = {c.path for c, value in values if value is not None}

        def restored(_: object) -> bool | None:
            answers = (acknowledgement(self._evidence, path, n, version) for path in expected)
            return True if all(answers) or self._evidence.device_gone else None

        await self._recorder.until(restored, _PATIENCE, after=n)

    async def _invoke_commands(self) -> None:
        commands = self._of("command")
        for done, capability in enumerate(commands, 1):
            if self._evidence.device_gone:
                return
            request = capability.request
            payload = sample(request, seed=f"command {capability.path}") if request else None
            await self._invoke(capability, payload, request is not None)
            self._progress.update("commands", done, len(commands))

    async def _invoke(self, capability: Capability, payload: Any, has_payload: bool) -> None:
        component, name = capability.component, capability.name
        self._recorder.emit(ev.CommandSent(self._device_id, component, name, payload, has_payload, "exercise"))
        began = time.monotonic()
        status, answer, code, error = None, None, None, ""
        try:
            returned = await asyncio.to_thread(
                self._service.invoke_command,
                self._device_id,
                component,
                name,
                payload,
                connect_timeout=min(self._settings.command_timeout, 10),
                response_timeout=self._settings.command_timeout,
            )
            status, answer = returned.status, returned.payload
        except ServiceError as e:
            code, error = e.code, str(e)
        self._recorder.emit(
            ev.CommandReturned(
                self._device_id,
                component,
                name,
                status,
                answer,
                "exercise",
                time.monotonic() - began,
                code,
                error,
            )
        )


def _patch(values: Iterable[tuple[Capability, Any]]) -> dict[str, Any]:
    """A desired patch; properties of a component are marked as the conventions say."""
    patch: dict[str, Any] = {}
    for capability, value in values:
        if capability.component is None:
            patch[capability.name] = value
        else:
            patch.setdefault(capability.component, {MARKER: "c"})[capability.name] = value
    return patch


def _replacing(value: Any, current: Any) -> Any:
    """`value` as a merge patch over `current`: members that `value` has not are deleted (twin merge rule)."""
    if not isinstance(value, Mapping) or not isinstance(current, Mapping):
        return value
    return {**dict.fromkeys(current), **value}


def _earlier(twin: Mapping[str, Any], capability: Capability) -> Any:
    """The value before the run: as desired, else as reported (out of its envelope), else None."""
    properties = twin.get("properties", {})
    for section in ("desired", "reported"):
        values = properties.get(section, {})
        if capability.component is not None:
            values = values.get(capability.component, {})
        value = values.get(capability.name) if isinstance(values, Mapping) else None
        if isinstance(value, Mapping) and {"value", "ac"} <= value.keys():
            value = value["value"]
        if value is not None:
            return value
    return None
