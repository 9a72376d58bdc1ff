"""aics.json: the run as AICS would have answered it, a task for each component and one for each other requirement.

Sources name the fields of a test run, not all of their meaning; these are our readings. What judges the way there (is
the device provisioned, is its model found) is a pre-validation task. Components with their elements are the tasks of
the badge Pnp. What is about the device as a whole is a task of the badge IotDevice, by its requirement. A task that
nothing was judged in is left out, since no status says so; `x-preflight` has every case.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.aics import run_result as shape
from harness.aics.run_result import Json, Task
from harness.aics.tables import DEFAULT_COMPONENT
from harness.checks import CHECKS
from harness.checks.envelope import bare
from harness.dtdl import Capability, check_value
from harness.record import events as ev
from harness.record.journal import encode
from harness.report.origin import resolution_source
from harness.report.text import plain
from harness.report.times import moment
from harness.verdict import CaseResult, Outcome, Severity, Verdict

if TYPE_CHECKING:
    from harness.run import Run

SCHEMA = "urn:pnp-preflight:aics:1.0"
_PUBLISHED = ("IoTPnP.", "AzureCertified.")
_OUTCOMES = {Verdict.PASSED: "Passed", Verdict.WARNINGS: "PassedWithWarnings", Verdict.FAILED: "Failed"}
_RAW = 50
"""Entries of the record in one task; the journal has all."""
_LONGEST = 4000
"""Characters of one of them."""


def aics(run: Run, summary: Mapping[str, Any]) -> Json:
    """The document. `summary` is result.json."""
    return _Report(run, summary).document()


class _Report:
    def __init__(self, run: Run, summary: Mapping[str, Any]) -> None:
        self._run = run
        self._summary = summary
        self._evidence = run.evidence
        self._entries = run.recorder.entries
        started = run.evidence.first(ev.RunStarted)
        self._window = _window(started[1].settings if started else {}, run.settings.window)
        self._interrupted = run.evidence.final(ev.RunInterrupted) is not None

    def document(self) -> Json:
        summary = self._summary
        verdict = Verdict(summary["verdict"])
        status = shape.FAILED if verdict is Verdict.FAILED else shape.COMPLETED
        extra = {
            "schema": SCHEMA,
            "outcome": _OUTCOMES[verdict],
            "verdict": verdict.value,
            **{key: summary[key] for key in ("device_id", "model_id", "target", "requirements", "counts", "timing")},
            "cases": [self._case(r) for r in self._run.results.values()],
        }
        name = f"{moment(self._run)}/{summary['device_id']}/{summary['model_id']}"
        return shape.run_result(
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:pnp-preflight:run:{name}")),
            self._time(0.0),
            self._time(summary["timing"]["finished"]),
            shape.CANCELLED if self._interrupted else status,
            self._badges(),
            extra,
        )

    @staticmethod
    def _case(result: CaseResult) -> Json:
        return {
            "id": result.case,
            "requirement": result.requirement,
            "outcome": result.outcome.value,
            "findings": [f.code for f in result.findings],
        }

    # --- badges --------------------------------------------------------------------------------------

    def _badges(self) -> list[Json]:
        before: dict[str, list[CaseResult]] = {}
        components: dict[str | None, list[CaseResult]] = {c: [] for c in self._components()}
        device: dict[str, list[CaseResult]] = {}
        edge: dict[str, list[CaseResult]] = {}
        for result in self._run.results.values():
            check = CHECKS[result.case.partition("[")[0]]
            capability = self._capability(result)
            if capability is not None:
                components.setdefault(capability.component, []).append(result)
            elif result.requirement.startswith("EdgeManaged."):
                edge.setdefault(result.requirement, []).append(result)
            elif check.stage < 3 and result.requirement.startswith(_PUBLISHED):
                before[result.case] = [result]
            else:
                device.setdefault(result.requirement, []).append(result)
        pnp = {
            "type": shape.PNP,
            "preValidationTasks": [t.pre_validation() for t in self._tasks(before, 0.0)],
            "validationTasks": self._interfaces(components),
            "resolutionSource": self._source(),
        }
        badges = [pnp]
        for kind, grouped in ((shape.IOT_DEVICE, device), (shape.EDGE, edge)):
            tasks = [t.validation() for t in self._tasks(grouped, self._connected)]
            if tasks:
                badges.append({"type": kind, "validationTasks": tasks})
        return badges

    def _tasks(self, grouped: Mapping[str, Sequence[CaseResult]], begin: float) -> list[Task]:
        tasks = (self._task(name, results, begin) for name, results in grouped.items())
        return [task for task in tasks if task is not None]

    def _interfaces(self, grouped: Mapping[str | None, Sequence[CaseResult]]) -> list[Json]:
        found = []
        interfaces = self._components()
        for component, results in grouped.items():
            name = component or DEFAULT_COMPONENT
            task = self._task(name, results, self._connected)
            if task is not None:
                found.append(task.interface(interfaces.get(component, ""), name))
        return found

    def _components(self) -> dict[str | None, str]:
        """Each component that declares something, with the id of its interface; None is the root."""
        model, model_id = self._evidence.model, self._evidence.model_id
        if model is None or not model_id:
            return {}
        contents = model.contents(model_id).values()
        schemas = {c.name: c.schema.id for c in contents if c.kind == "Component" and c.schema}
        declared = dict.fromkeys(c.component for c in self._evidence.capabilities)
        return {name: schemas.get(name, "") if name else model_id for name in declared}

    def _capability(self, result: CaseResult) -> Capability | None:
        return self._evidence.by_path.get(result.element) if "[" in result.case else None

    def _source(self) -> str:
        resolved = self._evidence.final(ev.ModelResolved)
        if resolved is None:
            return resolution_source(None)
        event = resolved[1]
        return resolution_source(event.sources.get(event.model_id, event.location))

    # --- tasks ---------------------------------------------------------------------------------------

    def _task(self, name: str, results: Sequence[CaseResult], begin: float) -> Task | None:
        outcomes = {r.outcome for r in results}
        if not outcomes - {Outcome.NOT_OBSERVABLE, Outcome.NOT_CHOSEN}:
            return None
        settled = [self._entries[r.decided - 1].t for r in results if r.decided]
        # What no single event settles is known when all are judged.
        end = max([*settled, begin]) if len(settled) == len(results) else self._summary["timing"]["judged"]
        task = Task(name, self._time(begin), self._time(end), self._status(outcomes), timeout=self._window)
        logs = [self._log(r, end, alone=len(results) == 1) for r in results]
        if len(results) > 1:
            logs.append(shape.log(self._time(end), f"All judged: {_sum(results)}."))
        task.logs = logs
        task.raw = self._raw(results)
        task.extra = self._extra(results)
        return task

    def _status(self, outcomes: set[Outcome]) -> str:
        if Outcome.FAILED in outcomes:
            return shape.FAILED
        if Outcome.ERROR in outcomes:
            return shape.ABORTED
        if Outcome.BLOCKED in outcomes:
            return shape.CANCELLED if self._interrupted else shape.ABORTED
        return shape.PASSED

    @staticmethod
    def _extra(results: Sequence[CaseResult]) -> Json:
        extra: Json = {"cases": [r.case for r in results]}
        warned = [r for r in results if r.outcome is Outcome.WARNING]
        if warned and all(r.outcome is not Outcome.FAILED for r in results):
            extra["outcome"] = _OUTCOMES[Verdict.WARNINGS]
        if warned:
            found = ((f.element or r.case) for r in warned for f in r.findings if f.severity is Severity.WARNING)
            extra["elements"] = list(dict.fromkeys(found))
        return extra

    def _log(self, result: CaseResult, end: float | None, *, alone: bool) -> Json:
        time = self._time(self._entries[result.decided - 1].t if result.decided else end)
        text = self._clean(plain(_said(result)))
        capability = self._capability(result)
        if capability is None:
            return shape.log(time, text if alone else f"{result.case}: {text}")
        expected, actual = self._types(capability) if result.outcome is Outcome.FAILED else (None, None)
        passed = result.outcome in (Outcome.PASSED, Outcome.WARNING)
        return shape.element_log(time, capability.kind, capability.name, text, passed, expected, actual)

    def _types(self, capability: Capability) -> tuple[str | None, str | None]:
        """The declared type and the one that was seen in its place; both None where the type is not what is wrong."""
        path = capability.path
        schema = capability.schema
        values: list[Any] = [r.value for r in self._evidence.telemetry.get(path, ()) if r.problems]
        if capability.kind == "property":
            values = [bare(r.value) for r in self._evidence.reports.get(path, ())]
        elif capability.kind == "command":
            schema = capability.response
            values = [e.payload for _, e in self._evidence.returns.get(path, ()) if e.status is not None]
        if schema is None:
            return None, None
        wrong = next((v for v in values if check_value(schema, v)), _NOTHING)
        declared = schema.schema or schema if capability.kind == "command" else schema
        return (None, None) if wrong is _NOTHING else (declared.kind, _type(wrong))

    def _raw(self, results: Sequence[CaseResult]) -> list[str]:
        """Lines of the journal that the cases rest on."""
        numbers = {n for r in results for f in r.findings for n in f.events} | {r.decided for r in results if r.decided}
        entries = [self._entries[n - 1] for n in sorted(numbers) if 0 < n <= len(self._entries)][:_RAW]
        lines = (self._clean(encode(entry)) for entry in entries)
        return [line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…" for line in lines]

    # --- times ---------------------------------------------------------------------------------------

    @property
    def _connected(self) -> float:
        connected = self._evidence.connected
        return self._entries[connected[0] - 1].t if connected else 0.0

    def _time(self, seconds: float | None) -> str | None:
        found = None if seconds is None else moment(self._run, seconds)
        return shape.timestamp(found) if found else None

    @property
    def _clean(self) -> Callable[[str], str]:
        return self._run.redactor.clean


_NOTHING = object()


def _window(recorded: Mapping[str, Any], now: float) -> int:
    value = recorded.get("window", now)
    return math.ceil(value if isinstance(value, (int, float)) else now)


def _said(result: CaseResult) -> str:
    """What was found, else why nothing was judged, else what the case has shown: its check's own words."""
    found = " ".join(f.message for f in result.findings) or result.reason
    if found:
        return found
    words = CHECKS[result.case.partition("[")[0]].judge.__doc__ or ""
    return words.strip().partition("\n")[0] or result.outcome.value


def _sum(results: Sequence[CaseResult]) -> str:
    counts = Counter(r.outcome for r in results)
    return ", ".join(f"{counts[o]} {o.value}" for o in Outcome if counts[o])


def _type(value: Any) -> str:
    """The type of schema that a JSON value looks like."""
    names = {bool: "Boolean", int: "Integer", float: "Double", str: "String", dict: "Object", list: "Array"}
    return names.get(type(value), "Unknown")
