"""Registration with DPS, whatever protocol carries it: register, poll, assigned.

A binding (MQTT now; HTTPS and AMQP alike) authenticates once with `attest`, then calls `register` and `poll`,
which return a `Reply` or raise ServiceError. Field names and statuses follow the device registration API
(RegistrationOperationStatus).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.emulator import jsontext
from harness.emulator.context import Context, new_guid
from harness.emulator.dps.enrollments import Credentials, Enrolled, Enrollments
from harness.emulator.errors import ServiceError
from harness.record.events import DeviceAssigned

MAX_BODY = 96 * 1024
"""Limit of a DPS message, in bytes."""
_KNOWN_MEMBERS = frozenset({"registrationId", "payload", "tpm", "csr"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: HTTP-like status, JSON body, and for a 202 the seconds to wait."""

    status: int
    body: bytes
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """What DPS asks a hub to create: a device with these keys and this initial twin."""

    device_id: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    initial_twin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Operation:
    id: str
    polls_left: int
    state: dict[str, Any] | None = None


class ProvisioningService:
    """One DPS instance. `place` creates or finds the device in a hub and returns that hub's host name."""

    def __init__(
        self, context: Context, id_scope: str, enrollments: Enrollments, place: Callable[[Placement], str]
    ) -> None:
        self.context = context
        self.id_scope = id_scope
        self.enrollments = enrollments
        self._place = place
        self._operations: dict[str, _Operation] = {}
        """The latest operation of each registration id (lower case): a new register supersedes the old one.
        """
        self._created: dict[str, str] = {}

    def attest(self, registration_id: str, credentials: Credentials) -> Enrolled:
        """Check credentials for a registration id. Raises ServiceError 401 or 404."""
        token = credentials.token
        if token is not None:
            if token.resource.lower() != f"{self.id_scope}/registrations/{registration_id}".lower():
                raise self._unauthorized("the token's sr is not {idScope}/registrations/{registrationId}")
            if token.expiry + self.context.options.token_skew < self.context.wall():
                raise self._unauthorized("the token has expired")
        enrolled = self.enrollments.find(registration_id, credentials)
        if enrolled is None:
            raise self._unauthorized(
                "the token's signature is not of the enrolled key" if token else "no token was sent"
            )
        return enrolled

    def register(self, registration_id: str, enrolled: Enrolled, body: bytes) -> Reply:
        """Start a registration: 202 with an operation id. Raises ServiceError 400 for a body that breaks the
        rules.
        """
        check_register_body(registration_id, body)
        options = self.context.options
        operation = _Operation(f"4.{secrets.token_hex(8)}.{new_guid()}", options.polls_before_assigned)
        self._operations[registration_id.lower()] = operation
        return self._assigning(operation)

    def poll(self, registration_id: str, enrolled: Enrolled, operation_id: str) -> Reply:
        """Ask how a registration stands: 202, or 200 with its result. Raises ServiceError."""
        operation = self._operations.get(registration_id.lower())
        if not operation_id:
            raise ServiceError(400004, "the request has no operationId")
        if operation is None or operation.id != operation_id:
            raise ServiceError(404202, "no such operation for this registration id")
        if operation.polls_left > 0:
            operation.polls_left -= 1
            return self._assigning(operation)
        if operation.state is None:
            operation.state = self._finish(registration_id, enrolled)
        status = operation.state["status"]
        return Reply(
            200,
            jsontext.dump({"operationId": operation.id, "status": status, "registrationState": operation.state}),
        )

    def _assigning(self, operation: _Operation) -> Reply:
        body = jsontext.dump({"operationId": operation.id, "status": "assigning"})
        return Reply(202, body, self.context.options.retry_after)

    def _finish(self, registration_id: str, enrolled: Enrolled) -> dict[str, Any]:
        now = self.context.timestamp()
        created = self._created.setdefault(registration_id.lower(), now)
        state: dict[str, Any] = {"registrationId": registration_id, "createdDateTimeUtc": created}
        if enrolled.enabled:
            state |= self._assign(registration_id, enrolled)
        else:
            state["status"] = "disabled"
        state["lastUpdatedDateTimeUtc"] = now
        state["etag"] = base64.b64encode(secrets.token_bytes(8)).decode()
        if enrolled.payload is not None:
            state["payload"] = enrolled.payload
        return state

    def _assign(self, registration_id: str, enrolled: Enrolled) -> dict[str, Any]:
        device_id = enrolled.device_id or enrolled.registration_id or registration_id
        primary, secondary = enrolled.attestation.device_keys(registration_id)
        hub = self._place(Placement(device_id, primary, secondary, enrolled.initial_twin))
        self.context.emit(DeviceAssigned(registration_id, hub, device_id))
        state: dict[str, Any] = {
            "assignedHub": hub,
            "deviceId": device_id,
            "status": "assigned",
            "substatus": "initialAssignment",
        }
        if enrolled.group_id is not None:
            state["symmetricKey"] = {"enrollmentGroupId": enrolled.group_id}
        return state

    def _unauthorized(self, cause: str) -> ServiceError:
        code = self.context.options.dps_unauthorized_code
        return ServiceError(code, "Unauthorized", status=401, cause=cause)


def check_register_body(registration_id: str, body: bytes) -> Any:
    """Return the `payload` member of a register request, None if it has none. Raises ServiceError 400.

    The body may be empty. Members that the API does not know are refused, as a top-level `modelId` is
    (400012).
    """
    if len(body) > MAX_BODY:
        raise ServiceError(413001, f"the request is longer than {MAX_BODY} bytes", status=400)
    if not body.strip():
        return None
    try:
        request = jsontext.load(body)
    except jsontext.InvalidJson as error:
        raise ServiceError(400012, f"Deserialization error: {error}") from None
    if not isinstance(request, dict):
        raise ServiceError(400012, "Deserialization error: the request is not a JSON object")
    unknown = sorted(request.keys() - _KNOWN_MEMBERS)
    if unknown:
        raise ServiceError(400012, f"Deserialization error: unknown member {unknown[0]!r}; use payload")
    named = request.get("registrationId", registration_id)
    if not isinstance(named, str) or named.lower() != registration_id.lower():
        raise ServiceError(400004, "Invalid RegistrationId: it differs from the connection's")
    return request.get("payload")
