"""Direct methods, which carry the commands of DTDL, seen from the device."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class MethodRequested(Event):
    """A direct method (a DTDL command is `name` or `component*name`) went to the device."""

    device_id: str
    module_id: str | None
    request_id: str
    name: str
    payload: bytes


@event
@dataclass(frozen=True, slots=True)
class MethodAnswered(Event):
    """The device's answer; `late` when the service had stopped waiting."""

    device_id: str
    module_id: str | None
    request_id: str
    name: str
    status: int
    payload: bytes
    late: bool = False
