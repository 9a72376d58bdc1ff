"""Provisioning, as DPS saw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class DeviceEnrolled(Event):
    registration_id: str
    attestation: str
    id_scope: str


@event
@dataclass(frozen=True, slots=True)
class ProvisioningConnected(Event):
    """CONNECT to DPS. `return_code` is the CONNACK code; `reason` says why it was refused."""

    registration_id: str
    id_scope: str
    api_version: str
    client_version: str
    protocol: str
    keep_alive: int
    return_code: int
    reason: str = ""


@event
@dataclass(frozen=True, slots=True)
class ProvisioningDisconnected(Event):
    registration_id: str
    by: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class RegistrationRequested(Event):
    """The register request, body as sent."""

    registration_id: str
    request_id: str
    payload: bytes


@event
@dataclass(frozen=True, slots=True)
class RegistrationPolled(Event):
    registration_id: str
    request_id: str
    operation_id: str


@event
@dataclass(frozen=True, slots=True)
class RegistrationAnswered(Event):
    """Answer to a register or poll. `retry_after` in seconds; `error_code` as in the body."""

    registration_id: str
    request_id: str
    status: int
    payload: bytes
    retry_after: int | None = None
    error_code: int | None = None


@event
@dataclass(frozen=True, slots=True)
class DeviceAssigned(Event):
    registration_id: str
    hub: str
    device_id: str
    substatus: str = "initialAssignment"


@event
@dataclass(frozen=True, slots=True)
class AllocationAnswered(Event):
    """What the webhook of a custom allocation answered, or why nothing came (`status` None). `webhook` is its URL
    without the query, where its key stands; `hub` is the one it chose, None for none.
    """

    registration_id: str
    webhook: str
    status: int | None
    hub: str | None
    payload: bytes
    detail: str = ""


@event
@dataclass(frozen=True, slots=True)
class RegistrationRead(Event):
    """What DPS's service side says of the registration, told when it changed: how a target sees it that does not see
    the requests. `state` has status, assignedHub, errorCode and so on.
    """

    registration_id: str
    state: Mapping[str, Any]
