"""What can happen in a run: one frozen dataclass for each kind of event.

Everything that crosses the wire and everything the harness does becomes one of these, in order, with a
number and a time (`Entry`). Checks judge events and nothing else, so an event states what was seen and
never what it means. A target that cannot see a thing (real Azure shows no DPS payload) records no event
for it; that absence is what "not observable" rests on.

Fields hold JSON-compatible values, except payloads, which are the raw bytes as they were received.
`component` and `module_id` are None for the root interface and for the device itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

KINDS: dict[str, type[Event]] = {}
"""Every event class by its kind, for reading a journal back."""


class Event:
    """Base of all events. `kind` is the name an event has in the journal."""

    __slots__ = ()
    kind: ClassVar[str]


E = TypeVar("E", bound=type[Event])


def event(cls: E) -> E:
    """Register an event class under its name in snake case."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")
    cls.kind = name
    KINDS[name] = cls
    return cls


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: the event, its number (from 1) and its time in seconds since the run began."""

    n: int
    t: float
    event: Event


# --- the run -----------------------------------------------------------------------------------------


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
    """`observes` names what this target can show: wire, dps-payload, faults, telemetry, twin, commands."""

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
class DeviceEnrolled(Event):
    registration_id: str
    attestation: str
    id_scope: str


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


@event
@dataclass(frozen=True, slots=True)
class ModelResolved(Event):
    """`documents` are the interfaces by DTMI as they were read, `sources` where each was found."""

    model_id: str
    location: str
    documents: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)


@event
@dataclass(frozen=True, slots=True)
class ModelRejected(Event):
    """`reason` is not-found, invalid or not-an-interface; `problems` are sentences, `tried` the places."""

    model_id: str
    reason: str
    problems: tuple[str, ...]
    tried: tuple[str, ...] = ()


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
    verdict: str


# --- provisioning, as the service saw it -------------------------------------------------------------


@event
@dataclass(frozen=True, slots=True)
class HandshakeFailed(Event):
    """A TCP connection that never became TLS: most often a device that does not trust the CA."""

    peer: str
    reason: str


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


# --- the hub, device side ----------------------------------------------------------------------------


@event
@dataclass(frozen=True, slots=True)
class HubConnected(Event):
    """CONNECT to the hub, accepted (`return_code` 0) or refused (`reason`, `error_code`).

    `model_id` is decoded; `raw_user_name` is as sent. `token_expires` is the SAS token's `se`.
    """

    device_id: str
    module_id: str | None
    return_code: int
    model_id: str | None
    api_version: str
    client_type: str
    keep_alive: int
    clean_session: bool
    session_present: bool
    transport: str
    authentication: str
    raw_user_name: str
    tls_version: str = ""
    token_expires: int | None = None
    reason: str = ""
    error_code: int | None = None


@event
@dataclass(frozen=True, slots=True)
class HubDisconnected(Event):
    """`by` is device (DISCONNECT), hub (it closed) or network (the socket died)."""

    device_id: str
    module_id: str | None
    by: str
    reason: str
    error_code: int | None = None


@event
@dataclass(frozen=True, slots=True)
class Subscribed(Event):
    """`filters` are [topic filter, requested QoS, granted QoS or 128]."""

    device_id: str
    module_id: str | None
    filters: tuple[tuple[str, int, int], ...]


@event
@dataclass(frozen=True, slots=True)
class Unsubscribed(Event):
    device_id: str
    module_id: str | None
    filters: tuple[str, ...]


@event
@dataclass(frozen=True, slots=True)
class TelemetryReceived(Event):
    """One device-to-cloud message. `system` holds the `$.`-properties by wire name without `$.`."""

    device_id: str
    module_id: str | None
    component: str | None
    payload: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    model_id: str | None = None
    system: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    qos: int = 1


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
    """A reported-properties patch as the device sent it, and the answer. `version` is the new one."""

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
    """The service changed desired properties. `delivered` when the device was connected and subscribed."""

    device_id: str
    module_id: str | None
    version: int
    patch: Mapping[str, Any]
    delivered: bool


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


@event
@dataclass(frozen=True, slots=True)
class ProtocolViolation(Event):
    """The device broke a rule of MQTT or of IoT Hub. `closed` when the service closed the connection."""

    device_id: str
    module_id: str | None
    rule: str
    detail: str
    closed: bool


# --- what the harness did through the service SDK ----------------------------------------------------


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
    """The service set a desired value. `purpose` is exercise, negative or restore; `value` None deletes.

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
    """The service is about to invoke a command. `has_payload` False means the request body is empty."""

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


# --- the hub: messages to devices, and file upload ---------------------------------------------------


@event
@dataclass(frozen=True, slots=True)
class C2dEnqueued(Event):
    """The service sent a message to a device. `waiting` counts the device's messages with this one."""

    device_id: str
    message_id: str
    payload: bytes
    ack: str = "none"
    system: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    waiting: int = 1


@event
@dataclass(frozen=True, slots=True)
class C2dDelivered(Event):
    """A message went to the device, for the `delivery`-th time. `duplicate` when MQTT's DUP was set."""

    device_id: str
    message_id: str
    delivery: int
    protocol: str
    duplicate: bool = False


@event
@dataclass(frozen=True, slots=True)
class C2dReturned(Event):
    """A delivered message waits again: abandoned, lock-expired or connection-ended."""

    device_id: str
    message_id: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class C2dSettled(Event):
    """A message left its queue: Success, Rejected, Expired, DeliveryCountExceeded or Purged."""

    device_id: str
    message_id: str
    outcome: str
    deliveries: int


@event
@dataclass(frozen=True, slots=True)
class FileUploadStarted(Event):
    """The device asked for a link to a blob; `error_code` when it was refused."""

    device_id: str
    blob_name: str
    correlation_id: str
    open_uploads: int
    error_code: int | None = None


@event
@dataclass(frozen=True, slots=True)
class BlobWritten(Event):
    """The device put a blob, `size` in bytes, or was refused (`status` is HTTP's)."""

    device_id: str
    blob_name: str
    size: int
    status: int = 201


@event
@dataclass(frozen=True, slots=True)
class FileUploadEnded(Event):
    """The device said how an upload went, or its link ran out (`by` is device or hub)."""

    device_id: str
    correlation_id: str
    blob_name: str
    success: bool
    status_code: int | None = None
    description: str = ""
    size: int | None = None
    by: str = "device"


@event
@dataclass(frozen=True, slots=True)
class DeviceRequestRefused(Event):
    """A device's HTTPS request was answered with an error."""

    device_id: str
    method: str
    path: str
    status: int
    error_code: int
    reason: str


# --- faults on order ---------------------------------------------------------------------------------


@event
@dataclass(frozen=True, slots=True)
class FaultPlayed(Event):
    """A fault plan struck: the emulator misbehaved on purpose, so what follows is its doing.

    `at` and `do` are the plan's words. `identity` is the registration id, device id or device/module, empty for
    a TLS handshake. `occurrence` is the how-manieth of these moments it was, 0 for what an earlier fault left
    behind (a device the hub no longer knows).
    """

    identity: str
    at: str
    do: str
    occurrence: int
    detail: str = ""
