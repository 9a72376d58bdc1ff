"""The record, sorted by what it says about each declared element.

Events arrive once each and in order; every check and every wait then looks up what it needs. Reading a
message against the model (which component, which names, valid or not) happens here and nowhere else.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.checks.envelope import MARKER
from harness.dtdl import Capability, Model, Problem, check_value, decode
from harness.expectations import Expectations, from_json
from harness.record import events as ev
from harness.record.events import Entry, Event

E = TypeVar("E", bound=Event)

_OF_THE_RUN = frozenset({ev.TrialBegan, ev.TrialEnded, ev.RunInterrupted, ev.HarnessFailed, ev.RunEnded})
"""Events that are the run's also in the middle of a trial."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One telemetry value, in entry `n` at `t` seconds; `problems` where it does not fit its schema."""

    n: int
    t: float
    value: Any
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One reported property in an accepted or refused (`status`) patch; `marked` where its component is."""

    n: int
    t: float
    value: Any
    status: int
    marked: bool


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message or patch whose bytes are not one JSON object."""

    n: int
    what: str
    problems: tuple[Problem, ...]


class Evidence:
    """What the record holds, by element path. `model` is None as long as it is unknown.

    `trials` holds the evidence of each trial by itself: the rest of the run knows nothing of the disturbances.
    """

    def __init__(self, model_id: str | None = None, model: Model | None = None) -> None:
        self.model_id = model_id
        self.model = model
        self.capabilities: tuple[Capability, ...] = model.capabilities(model_id) if model and model_id else ()
        self.by_path: dict[str, Capability] = {c.path: c for c in self.capabilities}
        self.components = _components(model, model_id)
        self.telemetry: dict[str, list[Reading]] = defaultdict(list)
        self.stray_telemetry: dict[str, list[int]] = defaultdict(list)
        self.reports: dict[str, list[Report]] = defaultdict(list)
        self.stray_reports: dict[str, list[int]] = defaultdict(list)
        self._strays: dict[str, tuple[str | None, str]] = {}
        """Component and name of what is undeclared, as it was sent."""
        self.malformed: list[Malformed] = []
        self.batches: list[int] = []
        """Messages whose body is an array of objects."""
        self.nested: dict[str, list[int]] = defaultdict(list)
        """Messages with a component in their body, by component."""
        self.links: list[tuple[int, bool]] = []
        """Each change between no connection to the hub and one (or more): entry, and whether there is one now.

        What happens after the exercise is left out: the harness ends the device then.
        """
        self.writes: dict[str, list[tuple[int, ev.PropertyWritten]]] = defaultdict(list)
        self.returns: dict[str, list[tuple[int, ev.CommandReturned]]] = defaultdict(list)
        self.commands_sent: dict[str, list[int]] = defaultdict(list)
        self.open_connections = 0
        self.expectations = Expectations()
        self.trials: dict[str, Evidence] = {}
        self._trial: Evidence | None = None
        self._hub_clock: float | None = None
        """What the hub's time of a message is to be moved by, to be the run's."""
        self._marked: set[str] = set()
        self.last: Entry | None = None
        self._by_class: dict[type[Event], list[Entry]] = defaultdict(list)

    def add(self, entry: Entry) -> None:
        """Take in the next entry of the record."""
        self.last = entry
        if self._trial is not None and type(entry.event) not in _OF_THE_RUN:
            self._trial.add(entry)
            return
        self._by_class[type(entry.event)].append(entry)
        match entry.event:
            case ev.ExpectationsStated() as event:
                self.expectations = from_json(event.expectations)
            case ev.TrialBegan() as event:
                self._trial = self.trials[event.trial] = Evidence(self.model_id, self.model)
                self._trial.expectations = self.expectations
            case ev.TrialEnded():
                # Until the next trial begins the device recovers: no trial's affair, nor the ordinary run's.
                self._trial = Evidence(self.model_id, self.model)
            case ev.TelemetryReceived() as event:
                self._telemetry(entry, event)
            case ev.ReportedPatched() as event:
                self._reported(entry, event)
            case ev.PropertyWritten() as event:
                self.writes[path_of(event.component, event.name)].append((entry.n, event))
            case ev.CommandSent() as event:
                self.commands_sent[path_of(event.component, event.name)].append(entry.n)
            case ev.CommandReturned() as event:
                self.returns[path_of(event.component, event.name)].append((entry.n, event))
            case ev.HubConnected(return_code=0):
                self._linked(entry, self.open_connections + 1)
            case ev.HubDisconnected():
                self._linked(entry, max(0, self.open_connections - 1))

    def extend(self, entries: Iterable[Entry]) -> Evidence:
        """Take in several; returns itself."""
        for entry in entries:
            self.add(entry)
        return self

    def of(self, cls: type[E]) -> list[tuple[int, E]]:
        """All events of one class, each with its entry number."""
        return [(entry.n, entry.event) for entry in self._by_class[cls]]  # type: ignore[misc]

    def first(self, cls: type[E]) -> tuple[int, E] | None:
        """The first event of a class, with its entry number."""
        found = self._by_class[cls]
        return (found[0].n, found[0].event) if found else None  # type: ignore[return-value]

    def final(self, cls: type[E]) -> tuple[int, E] | None:
        """The last event of a class, with its entry number."""
        found = self._by_class[cls]
        return (found[-1].n, found[-1].event) if found else None  # type: ignore[return-value]

    def entries(self, *classes: type[Event]) -> list[Entry]:
        """All entries of these classes, in order."""
        return sorted((entry for cls in classes for entry in self._by_class[cls]), key=lambda entry: entry.n)

    def times(self, cls: type[E]) -> list[float]:
        """When the events of a class happened, in seconds since the run began."""
        return [self.moment(entry) for entry in self._by_class[cls]]

    def moment(self, entry: Entry) -> float:
        """When it happened: of a message that a hub kept for a while, by the time at which the hub took it."""
        taken = entry.event.enqueued if isinstance(entry.event, ev.TelemetryReceived) else None
        if taken is None:
            return entry.t
        if self._hub_clock is None:
            self._hub_clock = entry.t - taken
        return taken + self._hub_clock

    @property
    def connected(self) -> tuple[int, ev.HubConnected] | None:
        """The first accepted CONNECT to the hub."""
        return next(((n, e) for n, e in self.of(ev.HubConnected) if e.return_code == 0), None)

    @property
    def device_id(self) -> str | None:
        """The id the device has in the hub, as assigned or as it connected."""
        assigned = self.final(ev.DeviceAssigned)
        if assigned:
            return assigned[1].device_id
        return self.connected[1].device_id if self.connected else None

    @property
    def device_gone(self) -> bool:
        """The process ended of itself and nothing of it is connected any more."""
        exited = self.final(ev.DeviceExited)
        return exited is not None and not exited[1].expected and self.open_connections == 0

    def shows(self, what: str) -> bool:
        """Whether the target shows this (see `TargetOpened`); without one, everything."""
        opened = self.first(ev.TargetOpened)
        return opened is None or what in opened[1].observes

    @property
    def profile(self) -> str:
        """The profile of the run."""
        started = self.first(ev.RunStarted)
        return str(started[1].settings.get("profile", "standard")) if started else "standard"

    def _linked(self, entry: Entry, connections: int) -> None:
        before, self.open_connections = self.open_connections, connections
        exited = self.final(ev.DeviceExited)
        over = self.final(ev.ExerciseEnded) is not None or (exited is not None and exited[1].expected)
        if (before > 0) != (connections > 0) and not over:
            self.links.append((entry.n, connections > 0))

    def online_at(self, n: int) -> bool:
        """Whether the device was connected to the hub when entry `n` was made; true where the target cannot tell."""
        states = [up for at, up in self.links if at <= n]
        return states[-1] if states else not self.links

    def away_between(self, first: int, last: int) -> int | None:
        """The entry between the two at which the device's (last) connection ended; None when it held."""
        return next((at for at, up in self.links if first < at <= last and not up), None)

    @property
    def lost(self) -> int | None:
        """The entry with which the device's connection ended for good; None while it is connected."""
        return self.links[-1][0] if self.links and not self.links[-1][1] else None

    def as_sent(self, path: str) -> tuple[str | None, str]:
        """Component and name of an undeclared element: names may hold dots, which paths have between the two."""
        component, _, name = path.rpartition(".")
        return self._strays.get(path, (component or None, name))

    def _declared(self, component: str | None, name: str) -> Capability | None:
        found = self.by_path.get(path_of(component, name))
        return found if found is not None and found.name == name else None

    def _telemetry(self, entry: Entry, event: ev.TelemetryReceived) -> None:
        if event.properties.get("iothub-MessageType") == "Will":
            return  # a last will is no telemetry of the model
        for value in self._messages(entry, event.payload):
            self._message(entry, event.component, value)

    def _messages(self, entry: Entry, raw: bytes) -> list[Mapping[str, Any]]:
        value, problems = decode(raw)
        if not problems and isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            self.batches.append(entry.n)
            return value
        single = self._object(entry, raw, "telemetry", (value, problems))
        return [] if single is None else [single]

    def _message(self, entry: Entry, component: str | None, message: Mapping[str, Any]) -> None:
        for name, item in message.items():
            path = path_of(component, name)
            if component is None and name in self.components and isinstance(item, Mapping):
                self.nested[name].append(entry.n)
                continue
            capability = self._declared(component, name)
            if capability is None or capability.kind != "telemetry":
                self._strays.setdefault(path, (component, name))
                self.stray_telemetry[path].append(entry.n)
                continue
            problems = tuple(check_value(capability.schema, item)) if capability.schema else ()
            self.telemetry[path].append(Reading(entry.n, self.moment(entry), item, problems))

    def _reported(self, entry: Entry, event: ev.ReportedPatched) -> None:
        value = self._object(entry, event.payload, "reported properties")
        for name, item in value.items() if value is not None else ():
            if name.startswith("$"):
                continue
            if name in self.components and isinstance(item, Mapping):
                # Reported patches merge in the twin, so a marker stays until it is changed.
                if item.get(MARKER) == "c" and event.status < 300:
                    self._marked.add(name)
                marked = item.get(MARKER) == "c" or name in self._marked
                for inner, content in item.items():
                    if inner != MARKER:
                        self._report(entry, event, name, inner, content, marked)
            else:
                self._report(entry, event, None, name, item, True)

    def _report(
        self, entry: Entry, event: ev.ReportedPatched, component: str | None, name: str, value: Any, marked: bool
    ) -> None:
        path, capability = path_of(component, name), self._declared(component, name)
        if capability is None or capability.kind == "telemetry":
            self._strays.setdefault(path, (component, name))
            self.stray_reports[path].append(entry.n)
        self.reports[path].append(Report(entry.n, entry.t, value, event.status, marked))

    def _object(
        self, entry: Entry, raw: bytes, what: str, decoded: tuple[Any, tuple[Problem, ...]] | None = None
    ) -> Mapping[str, Any] | None:
        value, problems = decode(raw) if decoded is None else decoded
        if problems or not isinstance(value, Mapping):
            self.malformed.append(Malformed(entry.n, what, problems or (_not_an_object(value),)))
            return None
        return value


def path_of(component: str | None, name: str) -> str:
    """`name`, or `component.name`."""
    return f"{component}.{name}" if component else name


def _components(model: Model | None, model_id: str | None) -> frozenset[str]:
    if model is None or model_id is None:
        return frozenset()
    contents = model.contents(model_id).values()
    return frozenset(itertools.compress((c.name or "" for c in contents), (c.kind == "Component" for c in contents)))


def _not_an_object(value: Any) -> Problem:
    kind = type(value).__name__
    return Problem(
        pointer="",
        code="notAnObject",
        message="A JSON object of names and values is expected here.",
        expected="a JSON object",
        actual=kind,
    )
