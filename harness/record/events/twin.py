"""A device's twin, seen from the device: what it asked for, reported and was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class TwinRequested(Event):
    """The device asked for its twin (GET)."""

    device_id: str
    module_id: str | None
    request_id: str
    status: int = 200


@event
@dataclass(frozen=True, slots=True)
class ReportedPatched(Event):
    """A reported-properties patch as the device sent it, and the answer. `version` is the new one.

    A target that does not see the wire reads the twin instead: then `request_id` is empty, `payload` is what changed
    between two reads, maybe by several patches, and `status` is 204, for patches that were refused leave no trace.
    """

    device_id: str
    module_id: str | None
    request_id: str
    payload: bytes
    status: int
    version: int | None = None
    error_code: int | None = None
    message: str = ""


@event
@dataclass(frozen=True, slots=True)
class DesiredChanged(Event):
    """The service changed desired properties. `delivered` when the device was connected and subscribed (only
    connected, where the target does not see subscriptions)."""

    device_id: str
    module_id: str | None
    version: int
    patch: Mapping[str, Any]
    delivered: bool
