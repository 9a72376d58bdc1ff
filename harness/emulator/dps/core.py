"""Registration with DPS, whatever protocol carries it: register, poll, assigned.

A binding (`mqtt`, and `shell/dps_https`) hands `register`, `poll` and `look_up` the credentials of its
connection or request; they return a `Reply` or raise ServiceError. Field names and statuses follow the device
registration API (RegistrationOperationStatus, DeviceRegistrationResult).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.emulator import jsontext
from harness.emulator.context import Context, new_guid
from harness.emulator.dps.assignment import Applicant, Assigner, Failed
from harness.emulator.dps.enrollments import Credentials, Enrolled, Enrollments, Judge, NotProved, new_etag
from harness.emulator.dps.hubs import LinkedHub
from harness.emulator.dps.hubs import Placement as Placement
from harness.emulator.dps.monitor import Caller, Monitor
from harness.emulator.dps.pacing import Pacing, Throttle
from harness.emulator.dps.registrations import Registration, Registrations
from harness.emulator.dps.requests import check_registration_id, read_register
from harness.emulator.dps.tpm import TpmAttestation, TpmKeys
from harness.emulator.dps.webhook import Webhooks, url_of
from harness.emulator.errors import ServiceError
from harness.record.events import DeviceAssigned

if TYPE_CHECKING:
    from harness.emulator.hub.core import IotHub


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP-like status, JSON body, the seconds to wait before the next request."""

    status: int
    body: bytes
    retry_after: int | None = None


class Throttled(ServiceError):
    """429, with the seconds to wait if the service tells them."""

    def __init__(self, code: int, retry_after: int | None) -> None:
        super().__init__(code, "Too many requests. Throttled", status=429)
        self.retry_after = retry_after


class ProvisioningService:
    """One DPS instance and the hubs it is linked to."""

    def __init__(
        self, context: Context, id_scope: str, enrollments: Enrollments, hubs: Sequence[IotHub], name: str = "emulator"
    ) -> None:
        self.context = context
        self.id_scope = id_scope
        self.enrollments = enrollments
        self.registrations = Registrations()
        self.assigner = Assigner(context.options, [LinkedHub(hub) for hub in hubs])
        self.pacing = Pacing()
        self.monitor = Monitor(context.options, context.wall, name)
        self.webhooks = Webhooks(context)
        self._throttle = Throttle(context.options)

    def reset(self) -> None:
        """Forget every registration, and what was counted."""
        self.webhooks.clear()
        self.registrations.clear()
        self.pacing.clear()
        self.monitor.clear()
        self._throttle.clear()

    def remove(self, enrolled: Enrolled) -> None:
        """Delete an enrollment and the registrations that came by it; devices stay in their hubs."""
        self.enrollments.remove(enrolled)
        self.registrations.remove_of(enrolled)

    def metrics(self) -> list[dict[str, Any]]:
        return self.monitor.metrics()

    def logs(self) -> list[dict[str, str]]:
        return self.monitor.logs()

    def check_scope(self, id_scope: str) -> None:
        """Raises ServiceError 404 for another instance's."""
        if id_scope.lower() != self.id_scope.lower():
            code = self.context.options.dps_unknown_scope_code
            raise ServiceError(code, "Resource not found", status=404, cause=f"unknown id scope {id_scope}")

    def attest(self, registration_id: str, credentials: Credentials) -> Enrolled:
        """Check credentials for a registration id. Raises ServiceError 400, 401 or 404."""
        check_registration_id(registration_id)
        token, options = credentials.token, self.context.options
        if token is not None:
            if token.resource.strip("/").lower() != f"{self.id_scope}/registrations/{registration_id}".lower():
                raise self._unauthorized("the token's sr is not {idScope}/registrations/{registrationId}")
            if token.expiry + options.token_skew < self.context.wall():
                raise self._unauthorized(token.overdue(self.context.wall()))
        judge = Judge(
            self.context.wall(), options.token_skew, options.dps_require_client_usage, self.enrollments.authorities
        )
        try:
            return self.enrollments.find(registration_id, credentials, judge)
        except NotProved as error:
            message = "Invalid certificate" if credentials.chain and token is None else "Unauthorized"
            raise self._unauthorized(str(error), message) from None

    def challenge(self, registration_id: str, body: bytes) -> Reply | None:
        """Answer a register request without credentials whose device has a TPM: a 401 with a key for the TPM.

        None when there is no such device or request. Raises ServiceError 400 and 401.
        """
        enrolled = self.enrollments.get(registration_id)
        if enrolled is None or not isinstance(enrolled.attestation, TpmAttestation):
            return None
        keys = read_register(registration_id, body).tpm
        if keys is None:
            return None
        try:
            blob = enrolled.attestation.challenge(TpmKeys(*keys))
        except ValueError as error:
            raise ServiceError(400004, f"Invalid TPM keys: {error}") from None
        if blob is None:
            raise self._unauthorized("the TPM's endorsement key is not the enrolled one")
        message = "Authorization required: sign with the key in authenticationKey"
        document = {"message": message, "authenticationKey": blob, "keyName": "registration"}
        return Reply(401, jsontext.dump(document))

    def register(self, registration_id: str, credentials: Credentials, body: bytes) -> Reply:
        """Start a registration: 202 with an operation id. Raises ServiceError: 400 for a body that breaks the
        rules, 401, 404, 429.
        """
        enrolled = self.attest(registration_id, credentials)
        options = self.context.options
        if not self._throttle.passes(self.context.timers.time()):
            raise Throttled(options.dps_throttled_code, options.dps_throttled_retry_after)
        request = read_register(registration_id, body)
        registration = self.registrations.obtain(registration_id, enrolled, self.context.timestamp())
        registration.begin(request.payload, options.polls_before_assigned)
        self._waits_for_webhook(registration, enrolled, credentials)
        return self._assigning(registration)

    def poll(
        self, registration_id: str, credentials: Credentials, operation_id: str, caller: Caller | None = None
    ) -> Reply:
        """Ask how a registration stands: 202, or 200 with its result. Raises ServiceError 400, 401, 404."""
        enrolled = self.attest(registration_id, credentials)
        if not operation_id:
            raise ServiceError(400004, "the request has no operationId")
        registration = self.registrations.find(registration_id)
        if registration is None or registration.operation_id != operation_id:
            raise ServiceError(404202, "no such operation for this registration id")
        if registration.pending and registration.polls_left > 0:
            registration.polls_left -= 1
            return self._assigning(registration)
        if registration.pending and self._waits_for_webhook(registration, enrolled, credentials):
            return self._assigning(registration)
        if registration.pending:
            self._finish(registration, enrolled, credentials, caller or Caller())
        state = registration.state
        return _done(operation_id, state["status"], state)

    def look_up(self, registration_id: str, credentials: Credentials) -> Reply:
        """Return the state of a device's latest registration (DeviceRegistrationResult). Raises ServiceError 401,
        404.
        """
        self.attest(registration_id, credentials)
        registration = self.registrations.find(registration_id)
        if registration is None:
            raise ServiceError(404202, "Registration not found")
        return Reply(200, jsontext.dump(registration.state or registration.document()))

    def pretend_disabled(self, registration_id: str) -> Reply:
        """Return the result of a registration whose enrollment is disabled, for a fault; nothing changes."""
        registration = self.registrations.find(registration_id)
        now = self.context.timestamp()
        state = {"registrationId": registration_id, "status": "disabled", "lastUpdatedDateTimeUtc": now}
        known = registration.operation_id if registration is not None else ""
        return _done(known or f"4.{secrets.token_hex(8)}.{new_guid()}", "disabled", state)

    # --- inside --------------------------------------------------------------------------------------

    def _assigning(self, registration: Registration) -> Reply:
        body = jsontext.dump({"operationId": registration.operation_id, "status": "assigning"})
        return Reply(202, body, self.context.options.retry_after)

    def _waits_for_webhook(self, registration: Registration, enrolled: Enrolled, credentials: Credentials) -> bool:
        """Whether the enrollment's webhook has yet to decide; it is called if it was not for this operation."""
        if not (enrolled.enabled and self.assigner.is_custom(enrolled) and url_of(enrolled)):
            return False
        name, operation_id = registration.registration_id, registration.operation_id
        if not self.webhooks.knows(name, operation_id):
            applicant = Applicant(name, enrolled, credentials, registration.payload, registration.assigned)
            self.webhooks.ask(operation_id, applicant, self.assigner.eligible(enrolled))
        return not self.webhooks.decided(name)

    def _finish(self, registration: Registration, enrolled: Enrolled, credentials: Credentials, caller: Caller) -> None:
        registration_id = registration.registration_id
        state: dict[str, Any] = {"registrationId": registration_id, "createdDateTimeUtc": registration.created}
        state |= self._result(registration, enrolled, credentials)
        state["lastUpdatedDateTimeUtc"] = self.context.timestamp()
        state["etag"] = new_etag()
        registration.state = state
        registration.pending = False
        hub, status = state.get("assignedHub", ""), state["status"]
        code = state.get("errorCode", 0 if status == "assigned" else 403000)
        error = state.get("errorMessage", "" if status == "assigned" else status)
        self.monitor.registered(caller, registration_id, hub, code // 1000 or 200, error)
        if status == "assigned":
            self.monitor.assigned(caller, registration_id, hub)
            self.context.faults.assigned(state["deviceId"])
            self.context.emit(DeviceAssigned(registration_id, hub, state["deviceId"], state["substatus"]))

    def _result(self, registration: Registration, enrolled: Enrolled, credentials: Credentials) -> dict[str, Any]:
        if not enrolled.enabled:
            return {"status": "disabled"}
        registration_id, previous = registration.registration_id, registration.assigned
        decided = self.webhooks.take(registration_id)
        applicant = Applicant(registration_id, enrolled, credentials, registration.payload, previous, decided)
        try:
            assigned = self.assigner.assign(applicant)
        except Failed as error:
            return {"status": "failed", "errorCode": error.code, "errorMessage": error.message}
        registration.assigned = assigned
        return {
            "assignedHub": assigned.hub,
            "deviceId": assigned.device_id,
            "status": "assigned",
            "substatus": assigned.substatus,
            **({} if assigned.payload is None else {"payload": assigned.payload}),
            **enrolled.attestation.result(enrolled.group_id, credentials),
        }

    def _unauthorized(self, cause: str, message: str = "Unauthorized") -> ServiceError:
        code = self.context.options.dps_unauthorized_code
        return ServiceError(code, message, status=401, cause=cause)


def _done(operation_id: str, status: str, state: dict[str, Any]) -> Reply:
    body = jsontext.dump({"operationId": operation_id, "status": status, "registrationState": state})
    return Reply(200, body)


def without_operation_id(reply: Reply) -> Reply:
    """Return the reply as a faulty service sends it."""
    document = jsontext.load(reply.body)
    document.pop("operationId", None)
    return Reply(reply.status, jsontext.dump(document), reply.retry_after)
