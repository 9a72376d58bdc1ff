"""Custom allocation by a webhook: what DPS posts to it, when it tries again, and what its answers mean.

concepts-custom-allocation has the two documents, tutorial-custom-allocation-policies what becomes of each answer. A
call begins with the register request; until it has ended the device is told `assigning`. The call itself is made by
what is given as `Post`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from harness.emulator import jsontext
from harness.emulator.context import Context
from harness.emulator.dps.assignment import CUSTOM_FAILED, CUSTOM_UNAUTHORIZED, NO_HUB, Allocation, Applicant, Failed
from harness.emulator.dps.documents import GROUP, INDIVIDUAL, enrollment_document, read_twin
from harness.emulator.dps.enrollments import Enrolled
from harness.emulator.dps.tpm import TpmAttestation
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorOptions
from harness.record.events import AllocationAnswered

DEFINITION = "customAllocationDefinition"
API_VERSION = "2021-10-01"
MAX_ANSWER = 96 * 1024
"""Bytes of an answer that are read: as much as a DPS message may have."""
_MAX_URL = 2048
_BUSY = 429
"""From this status on DPS calls again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one call. `status` None: nothing did, for the reason in `detail`."""

    status: int | None
    body: bytes = b""
    detail: str = ""


class Post(Protocol):
    """Posts JSON. `done` is called once, later and on the same thread; the call that is returned ends it before."""

    def __call__(self, url: str, body: bytes, done: Callable[[Answered], None]) -> Callable[[], None]: ...


def url_of(enrolled: Enrolled) -> str:
    """The webhook of an enrollment; empty where it has none."""
    definition = enrolled.other.get(DEFINITION)
    found = definition.get("webhookUrl") if isinstance(definition, dict) else None
    return found if isinstance(found, str) else ""


def objection(url: str, *, loopback: bool) -> str | None:
    """Why a URL cannot be called, None if it can. `loopback` allows this machine, also without TLS."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"webhookUrl is no URL: {error}"
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or len(url) > _MAX_URL:
        return f"webhookUrl must be an https URL without a user name and of {_MAX_URL} characters at most"
    if _is_this_machine(host):
        return None if loopback else "webhookUrl is on this machine: the emulator calls it with webhook_loopback=true"
    return None if parts.scheme == "https" else "webhookUrl must be an https URL"


def check_definition(enrolled: Enrolled, options: EmulatorOptions) -> None:
    """Raises ServiceError 400004 for a definition that DPS would not take. None at all is left to `allocate_with`."""
    definition = enrolled.other.get(DEFINITION)
    if definition is None:
        return
    version = definition.get("apiVersion") if isinstance(definition, dict) else None
    if not isinstance(version, str) or not version or not url_of(enrolled):
        raise ServiceError(400004, f"{DEFINITION} needs the texts webhookUrl and apiVersion")
    why_not = objection(url_of(enrolled), loopback=options.webhook_loopback)
    if why_not is not None:
        raise ServiceError(400004, f"{DEFINITION}: {why_not}")


def request_document(applicant: Applicant, hosts: Sequence[str]) -> dict[str, Any]:
    """The AllocationRequest. What opens anything, keys and the function's key, is not in it."""
    enrolled, previous = applicant.enrolled, applicant.previous
    kind = INDIVIDUAL if enrolled.group_id is None else GROUP
    enrollment = enrollment_document(kind, enrolled, None, keys=False, allocation="custom")
    if DEFINITION in enrollment:
        url = url_of(enrolled)
        shown = url.partition("?")[0] + ("?****" if "?" in url else "")
        enrollment[DEFINITION] = {**enrollment[DEFINITION], "webhookUrl": shown}
    context: dict[str, Any] = {"registrationId": applicant.registration_id}
    if previous is not None:
        context |= {"currentIotHubHostName": previous.hub, "currentDeviceId": previous.device_id}
    context |= _proof(applicant)
    if applicant.payload is not None:
        context["payload"] = applicant.payload
    member = "individualEnrollment" if kind is INDIVIDUAL else "enrollmentGroup"
    return {member: enrollment, "deviceRuntimeContext": context, "linkedHubs": list(hosts)}


def read_answer(answered: Answered, hosts: Sequence[str], options: EmulatorOptions) -> Allocation:
    """What an AllocationResponse says. Raises Failed."""
    if answered.status == 401:
        raise Failed(CUSTOM_UNAUTHORIZED, "Custom allocation failed with status code: 401")
    if answered.status != 200:
        raise Failed(CUSTOM_FAILED, f"Custom allocation failed with status code: {_status(answered, options)}")
    try:
        document = jsontext.load(answered.body) if len(answered.body) <= MAX_ANSWER else None
    except jsontext.InvalidJson:
        document = None
    if not isinstance(document, dict):
        raise _unreadable("it is not a JSON object")
    host = document.get("iotHubHostName")
    if not host:
        raise Failed(NO_HUB, "Custom allocation failed: the webhook named no IoT hub")
    if not isinstance(host, str):
        raise _unreadable("iotHubHostName is no text")
    if host.lower() not in {one.lower() for one in hosts}:
        code = options.webhook_unknown_hub_code
        raise Failed(code, f"Custom allocation failed: {host[:200]} is not among the linked hubs it was offered")
    try:
        twin = None if document.get("initialTwin") is None else read_twin(document)
    except ServiceError as error:
        raise _unreadable(error.message) from None
    return Allocation(host, twin, document.get("payload"))


@dataclass(slots=True)
class _Call:
    """One registration's. `outcome` is None while it goes on."""

    registration_id: str
    operation_id: str
    url: str
    body: bytes
    hosts: tuple[str, ...]
    tries: int = 0
    outcome: Allocation | Failed | None = None
    stop: Callable[[], None] = lambda: None


class Webhooks:
    """The calls of one DPS instance, one for each registration id. Without a `post` nothing answers."""

    def __init__(self, context: Context) -> None:
        self.post: Post | None = None
        self._context = context
        self._calls: dict[str, _Call] = {}

    def ask(self, operation_id: str, applicant: Applicant, hosts: Sequence[str]) -> None:
        """Call the enrollment's webhook for this operation, in place of any earlier one of the device."""
        self.forget(applicant.registration_id)
        body = jsontext.dump(request_document(applicant, hosts))
        url = url_of(applicant.enrolled)
        call = _Call(applicant.registration_id, operation_id, url, body, tuple(hosts))
        self._calls[applicant.registration_id.lower()] = call
        self._try(call)

    def knows(self, registration_id: str, operation_id: str) -> bool:
        call = self._calls.get(registration_id.lower())
        return call is not None and call.operation_id == operation_id

    def decided(self, registration_id: str) -> bool:
        call = self._calls.get(registration_id.lower())
        return call is not None and call.outcome is not None

    def take(self, registration_id: str) -> Allocation | Failed | None:
        """What the webhook decided, which is forgotten then; None while nothing is decided."""
        if not self.decided(registration_id):
            return None
        return self._calls.pop(registration_id.lower()).outcome

    def forget(self, registration_id: str) -> None:
        """End the call for a device, if there is one."""
        call = self._calls.pop(registration_id.lower(), None)
        if call is not None:
            call.stop()

    def clear(self) -> None:
        """End all calls."""
        for registration_id in list(self._calls):
            self.forget(registration_id)

    # --- inside --------------------------------------------------------------------------------------

    def _try(self, call: _Call) -> None:
        call.tries += 1
        why_not = objection(call.url, loopback=self._context.options.webhook_loopback)
        if why_not is not None or self.post is None:
            self._answered(call, Answered(None, detail=why_not or "there is no way to call a webhook"))
            return
        call.stop = self.post(call.url, call.body, partial(self._answered, call))

    def _answered(self, call: _Call, answered: Answered) -> None:
        if self._calls.get(call.registration_id.lower()) is not call:
            return
        options = self._context.options
        status = _status(answered, options)
        if status >= _BUSY and call.tries <= options.webhook_retries:
            first, more = options.webhook_retry_seconds
            seconds = first + more * (call.tries - 1)
            self._record(call, replace(answered, detail=answered.detail or f"called again in {seconds:g} s"), None)
            call.stop = self._context.timers.later(seconds, lambda: self._try(call)).cancel
            return
        try:
            call.outcome = read_answer(answered, call.hosts, options)
        except Failed as failed:
            call.outcome = failed
            self._record(call, replace(answered, detail=answered.detail or failed.message), None)
        else:
            self._record(call, answered, call.outcome.hub)

    def _record(self, call: _Call, answered: Answered, hub: str | None) -> None:
        shown = call.url.partition("?")[0]
        self._context.emit(
            AllocationAnswered(call.registration_id, shown, answered.status, hub, answered.body, answered.detail)
        )


def _status(answered: Answered, options: EmulatorOptions) -> int:
    return options.webhook_unanswered_status if answered.status is None else answered.status


def _unreadable(why: str) -> Failed:
    return Failed(CUSTOM_FAILED, f"Custom allocation failed: the webhook's answer cannot be read: {why}")


def _proof(applicant: Applicant) -> dict[str, Any]:
    """The member that says how the device proved itself."""
    attestation = applicant.enrolled.attestation
    if isinstance(attestation, TpmAttestation):
        storage = {"storageRootKey": attestation.storage} if attestation.storage else {}
        return {"tpm": {"endorsementKey": attestation.endorsement, **storage}}
    if attestation.kind == "x509" and applicant.credentials.chain:
        return attestation.result(None, applicant.credentials)
    return {"symmetricKey": {}}


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")
    return address.is_loopback or address.is_unspecified
