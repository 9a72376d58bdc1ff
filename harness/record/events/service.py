"""What the harness did through the service SDK, and what it got back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class TwinRead(Event):
    """A device twin as the service returned it."""

    device_id: str
    twin: Mapping[str, Any]


@event
@dataclass(frozen=True, slots=True)
class DigitalTwinRead(Event):
    """A digital twin as the service returned it, or why there is none."""

    device_id: str
    twin: Mapping[str, Any] | None
    error: str = ""


@event
@dataclass(frozen=True, slots=True)
class PropertyWritten(Event):
    """The service set a desired value; `value` None deletes.

    `purpose` is exercise (a valid value), together (one of several in a patch), unmarked (a component's, without
    `__t`), unknown (not of the model), removed (null), negative (invalid), revived (valid after those), restore or
    trial (a valid value, in a trial).
    Answers are looked for after entry `after`: a fast device answers before the service call returns.
    """

    device_id: str
    component: str | None
    name: str
    value: Any
    version: int | None
    purpose: str
    error: str = ""
    after: int = 0


@event
@dataclass(frozen=True, slots=True)
class CommandSent(Event):
    """The service is about to invoke a command. `has_payload` False means the request body is empty.

    `purpose` is exercise (a valid request), again (the same, at the end), negative (an invalid one), unknown (not of
    the model) or trial (a valid request, in a trial).
    """

    device_id: str
    component: str | None
    name: str
    payload: Any
    has_payload: bool
    purpose: str


@event
@dataclass(frozen=True, slots=True)
class CommandReturned(Event):
    """What the service got back: the device's `status` and `payload`, or the service's error instead."""

    device_id: str
    component: str | None
    name: str
    status: int | None
    payload: Any
    purpose: str
    seconds: float
    error_code: int | None = None
    error: str = ""


@event
@dataclass(frozen=True, slots=True)
class C2dSent(Event):
    """The service sent a cloud-to-device message and asked for full feedback; `error` where it could not."""

    device_id: str
    message_id: str
    payload: bytes
    error: str = ""


@event
@dataclass(frozen=True, slots=True)
class C2dFeedback(Event):
    """The hub's feedback on a cloud-to-device message: `status` is Success, Expired, Rejected and so on."""

    device_id: str
    message_id: str
    status: str


@event
@dataclass(frozen=True, slots=True)
class WatchBroken(Event):
    """The services could not be read from here on: `what` is twin, registration or telemetry. What the device did
    meanwhile may be missing."""

    what: str
    message: str


@event
@dataclass(frozen=True, slots=True)
class WatchResumed(Event):
    """They are read again, after so many seconds."""

    what: str
    seconds: float
