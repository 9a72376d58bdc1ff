"""The device under test as a process that the harness starts and ends."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class DeviceStarted(Event):
    """`command` is what was run; `pid` is None for an external device, which its owner starts."""

    command: str
    pid: int | None


@event
@dataclass(frozen=True, slots=True)
class DeviceFailedToStart(Event):
    command: str
    message: str


@event
@dataclass(frozen=True, slots=True)
class DeviceExited(Event):
    """The device process ended. `expected` is True when the harness itself stopped it."""

    returncode: int
    expected: bool
    last_lines: tuple[str, ...] = ()
