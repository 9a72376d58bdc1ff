"""The run itself: its target, its waits, its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """`started` is wall-clock UTC, RFC 3339. `settings` are those in force, without secrets."""

    started: str
    settings: Mapping[str, Any]
    versions: Mapping[str, str]


@event
@dataclass(frozen=True, slots=True)
class TargetOpened(Event):
    """`observes` names what this target can show: wire, dps-payload, faults, telemetry, twin, commands; and of a target
    that is not local registration, where it may ask DPS."""

    target: str
    endpoints: Mapping[str, str]
    observes: tuple[str, ...]


@event
@dataclass(frozen=True, slots=True)
class TargetFailed(Event):
    """The harness could not open its target: nothing was tested."""

    target: str
    message: str


@event
@dataclass(frozen=True, slots=True)
class WaitEnded(Event):
    """A wait with a deadline, over: `waited_for` and `saw` are what a person is told."""

    waited_for: str
    satisfied: bool
    seconds: float
    deadline: float
    saw: str = ""


@event
@dataclass(frozen=True, slots=True)
class ObservationEnded(Event):
    """Telemetry was watched until `reason`: complete, window-elapsed, device-gone or interrupted."""

    reason: str
    seconds: float
    missing: tuple[str, ...] = ()


@event
@dataclass(frozen=True, slots=True)
class ExerciseEnded(Event):
    """Nothing more was asked of the device; that its connection ends after this says nothing about it."""

    seconds: float


@event
@dataclass(frozen=True, slots=True)
class ExpectationsStated(Event):
    """What the maker said about the device, as JSON (see `harness.expectations.record`)."""

    expectations: Mapping[str, Any]


@event
@dataclass(frozen=True, slots=True)
class TrialBegan(Event):
    """A trial: what follows, up to its end, is about this one disturbance and says nothing about the rest.

    `faults` are those ordered, in the words of a fault plan.
    """

    trial: str
    faults: tuple[Mapping[str, Any], ...] = ()


@event
@dataclass(frozen=True, slots=True)
class TrialEnded(Event):
    """`saw` is what ended it, in words: `what was awaited`, `nothing in time`, what of it came or was not there to try
    it with; or `interrupted`, or why it could not begin or go on (`not begun: …`, `failed: …`)."""

    trial: str
    saw: str
    seconds: float


@event
@dataclass(frozen=True, slots=True)
class RunInterrupted(Event):
    """Somebody pressed Ctrl-C or the process was told to end."""

    message: str


@event
@dataclass(frozen=True, slots=True)
class HarnessFailed(Event):
    """The harness's own fault: an exception that no check foresaw. Never the device's failure."""

    where: str
    message: str


@event
@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """`cases` has the outcome of every case, by the case's id."""

    verdict: str
    cases: Mapping[str, str] = field(default_factory=dict)


@event
@dataclass(frozen=True, slots=True)
class EntryLost(Event):
    """An entry that a journal no longer holds, or holds in a form that this version cannot read."""
