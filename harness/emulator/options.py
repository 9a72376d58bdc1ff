"""What a user of the emulator gives and gets: options, endpoints, enrollments and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MQTT_PORT = 8883
"""Fixed in Microsoft's Python, C and embedded C SDKs."""
AMQP_PORT = 5671
"""Of AMQP over TLS, as IANA has it and every SDK knows it."""


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """Every switch of the emulator. Times in seconds, sizes in bytes.

    Fields marked "unsure" stand for a behaviour of Azure that no public source settles; the default is the
    likeliest.
    """

    # where it listens
    mqtt_port: int = MQTT_PORT
    https_port: int | None = 443
    """For WebSockets, for what devices do over HTTPS and, beside the service host, for the service APIs; fixed in
    Microsoft's SDKs. Where it cannot be had the emulator works without, and `Endpoints.https_hint` says why. None is
    off, 0 takes any free port."""
    rest_port: int = 0
    """0 takes any free port."""
    host: str | None = None
    """The host name or address that devices are told; None is the address, or for 0.0.0.0 this machine's own.
    Never bare `localhost`: the C SDK gives up on it."""
    id_scope: str | None = None
    """Of the DPS; None makes a new one, or takes the one kept with the state."""
    names: tuple[str, ...] = ()
    """Further names and addresses in the server certificate, and accepted as the hub's name."""
    control_port: int | None = None
    """Of the control endpoint, on loopback and without authentication. None is off, 0 takes any free port."""
    keep_state: bool = False
    """Whether registry, enrollments, twins and keys outlive the process, in the state directory."""
    uvloop: bool = True
    """Use uvloop where it is installed."""

    client_certificates: str = "when-used"
    """When clients are asked for a certificate in the handshake: `when-used`, as soon as anything was attested by
    X.509; `always`; `never`. Whatever they show is judged at CONNECT."""

    # limits against hostile or broken peers
    max_connections: int = 20_000
    handshake_seconds: float = 30.0
    """From TCP connect to an answered CONNECT."""
    packet_seconds: float = 60.0
    """From the first byte of an MQTT packet to its last; also for a client without keep-alive."""

    # DPS
    retry_after: int = 1
    """Whole seconds told in a 202. The Python SDK waits a fixed 2 s before its first poll whatever this says.
    """
    polls_before_assigned: int = 0
    """Polls still answered `assigning`."""
    dps_wrong_credential: str = "response-401"
    """Unsure. `response-401`: CONNACK 0, then 401 to the register request; `connack-5`: refused at CONNECT.
    """
    dps_unauthorized_code: int = 401002
    """Unsure: 401000 was seen too."""
    dps_unknown_scope_code: int = 404000
    """Unsure: the error code over HTTPS for an id scope that is not this instance's."""
    dps_registrations_per_minute: int | None = None
    """Of the whole instance; one more is answered 429. None is no limit, Azure's is 1000."""
    dps_throttled_code: int = 429001
    """Unsure: the error code of that 429."""
    dps_throttled_retry_after: int | None = 5
    """Whole seconds told with that 429; None tells none."""
    dps_allocation: str = "hashed"
    """Of enrollments that say nothing: `hashed` (evenly weighted), `static`, `geoLatency` or `custom`."""
    webhook_loopback: bool = False
    """Whether the webhook of a custom allocation may be on this machine, with or without TLS; Azure could not reach
    it there."""
    webhook_ca: str | None = None
    """PEM file of CAs that vouch for a webhook, besides the system's and the emulator's own."""
    webhook_seconds: float = 5.0
    """Unsure: how long a webhook may take for its answer."""
    webhook_unanswered_status: int = 408
    """Unsure: the HTTP status that a webhook counts as which is not reached or does not answer in time."""
    webhook_unknown_hub_code: int = 400208
    """Unsure: the error code of a device for which a webhook names a hub that it was not offered."""
    webhook_retries: int = 10
    """How often a webhook is called again that answers 429 or above."""
    webhook_retry_seconds: tuple[float, float] = (1.0, 9.0)
    """Before the first of these calls, and how much longer before each that follows."""
    dps_same_hub_substatus: str = "initialAssignment"
    """Unsure: of a device that registers again and stays in its hub; `reprovisionedToInitialAssignment` is the other.
    """
    dps_x509_group_devices: str = "selfSigned"
    """Unsure: the authentication type in the hub of a device from an X.509 group: `selfSigned` with the thumbprint
    it showed, or `certificateAuthority`, for which the hub has to know the CA."""
    dps_require_client_usage: bool = True
    """Unsure: whether a client certificate that lists extended key usages must list clientAuth."""
    dps_conflict_code: int = 409201
    """Unsure: the service API's error code for creating an enrollment that exists."""
    dps_metric_statuses: tuple[str, str] = ("Succeeded", "Failed")
    """Unsure: the values of the metrics' dimension Status."""
    dps_log_operations: tuple[str, str, str] = ("AttestationAttempt", "RegistrationAttempt", "DeviceAssignment")
    """OperationName in the category DeviceOperations. Unsure but for the first."""
    more_hubs: tuple[str, ...] = ()
    """Host names of further hubs that DPS is linked to. One that is another address of this machine is listened on
    for MQTT, a name must lead to the emulator's own address."""

    # hub, connections
    keep_alive_cap: float = 1767.0
    token_skew: float = 300.0
    """Allowance for the device's clock when a token is checked at CONNECT."""
    token_grace: float = 300.0
    """How long an open connection outlives its token; Azure was seen to take 5 to 10 minutes."""
    disabled_return_code: int = 5
    """Unsure: 3 or 5 when the device is disabled."""
    qos2_publish: str = "close"
    """`close` as documented, or `puback` as once observed."""
    foreign_filter: str = "close"
    """`close`, or `failure` for SUBACK 0x80."""
    max_filters: int = 5
    """Concurrent topic filters of one connection; unsure what Azure does with the sixth: here it closes."""
    max_telemetry: int = 256 * 1024
    keep_model_id: bool = True
    """Unsure: whether the twin's modelId outlives a CONNECT without model-id."""

    # hub, methods
    method_response_seconds: float = 30.0
    """When the caller names none."""
    method_timeout_range: tuple[float, float] = (5.0, 300.0)
    """Unsure: the upper bound of responseTimeoutInSeconds is 300 or 3600."""
    max_method_payload: int = 128 * 1024
    """Of the request and of the answer."""
    long_method_answer: str = "close"
    """Unsure: what becomes of a device's longer answer: `close` of its connection, or `drop`, so that the caller waits
    for its time-out."""
    max_methods_in_flight: int = 1000
    """Unsure: of one device; from there 403800, and the name that goes with this number, which no source has."""

    # hub, identities and twins
    max_modules: int = 50
    """Unsure: modules of one device; one more is refused with 413003."""
    max_bulk: int = 100
    """Unsure: devices and modules in one bulk request."""
    module_certificate_name: str = "device/module"
    """Unsure: the CN of a module's certificate under a CA: `device/module`, both ids as in the client id, or `module`,
    its own alone."""

    # hub, telemetry
    bad_properties: str = "close"
    """Unsure: what becomes of telemetry whose message id or creation time breaks the rules: `close`, or `accept`.
    """
    foreign_will: str = "close"
    """Unsure: for a CONNECT whose will is not for the device's own events topic: `close`, `refuse` (CONNACK 5) or
    `ignore`."""
    telemetry_rate: float | None = None
    """Messages a second of one device, in the mean; what exceeds it closes the connection. None is no limit."""
    twin_rate: float | None = None
    """Twin reads and updates a second of one device, in the mean; what exceeds it gets 429001."""

    # hub, messages to devices
    max_c2d: int = 64 * 1024
    c2d_queue: int = 50
    c2d_seconds: float = 3600.0
    """Time to live when the sender names no expiry."""
    c2d_max_seconds: float = 2 * 24 * 3600.0
    c2d_lock_seconds: float = 60.0
    """Also of feedback and of file upload notifications."""
    c2d_max_deliveries: int = 10
    c2d_count_lock_expiry: bool = False
    """Unsure: whether a lock that ran out counts as a delivery, as an explicit abandon does; the documents say so
    up to 2025 and deny it since."""
    c2d_clean_session_purges: bool = True
    """Whether a CONNECT with a clean session drops the device's waiting messages."""
    feedback_batch: int = 64
    feedback_batch_seconds: float = 15.0
    feedback_seconds: float = 3600.0
    feedback_max_deliveries: int = 10

    # hub, file upload
    file_upload: bool = True
    """False is a hub without a storage account: 400014."""
    max_uploads: int = 10
    """Of one device at once; the next is refused with 403006."""
    upload_seconds: float = 3600.0
    """How long the link to the blob holds."""
    max_blob: int = 64 * 1024 * 1024
    max_blobs: int = 256 * 1024 * 1024
    """Bytes of all blobs together; the oldest go first."""
    file_notifications: bool = False
    """Whether the service is told of finished uploads."""

    # the Event Hubs-compatible endpoint
    amqp_port: int | None = None
    """None is off; 5671 is where azure-iot-hub and most clients look for it; 0 takes any free port. Needs the
    extra `eventhub`."""
    event_partitions: int = 4
    """Unsure for free hubs, where it may be 2."""
    max_events: int = 10_000
    """Telemetry kept in a partition; the oldest goes first."""
    max_event_bytes: int = 64 * 1024 * 1024
    consumer_groups: tuple[str, ...] = ()
    """Beside `$Default`."""
    amqp_refusal_port: int | None = None
    """Where devices that come by AMQP are heard and sent away, which is noted. None is off; a port that is taken is
    left alone."""
    unknown_partition_condition: str = "amqp:not-found"
    """Unsure: the AMQP condition for a receiver on a partition that is not there;
    `com.microsoft:argument-out-of-range` is reported too."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a started emulator is. `service_host` is host:port; the connection string has the iothubowner
    key.
    """

    id_scope: str
    dps_host: str
    hub_host: str
    service_host: str
    ca_path: Path
    hub_connection_string: str = field(repr=False)
    event_hub_connection_string: str = field(default="", repr=False)
    """Empty unless `EmulatorOptions.amqp_port` is set."""
    https_port: int | None = None
    """Of WebSockets and of the HTTPS APIs for devices; None when there is none."""
    https_hint: str = ""
    """Why there is none though it was asked for, and what to do."""
    dps_connection_string: str = field(default="", repr=False)
    """Of the service API of DPS, which is on the service host too; with the key of provisioningserviceowner."""
    more_hub_connection_strings: tuple[str, ...] = field(default=(), repr=False)
    """Of the hubs in `EmulatorOptions.more_hubs`."""
    control: str = ""
    """URL of the control endpoint; empty unless `EmulatorOptions.control_port` is set."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A device that may provision itself. Keys are base64, out of the repr; empty for X.509 and TPM."""

    registration_id: str
    device_id: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnrollmentGroup:
    """Devices that may provision themselves with a key derived from the group's, or by a CA (then keys are empty)."""

    group_id: str
    primary_key: str = field(default="", repr=False)
    secondary_key: str = field(default="", repr=False)

    def device_key(self, registration_id: str) -> str:
        """Return the primary key of one device."""
        from harness.emulator.tokens import derive_key

        return derive_key(self.primary_key, registration_id)


class EmulatorError(Exception):
    """The emulator could not start, or was misused. The message says what to do."""


class PortInUse(EmulatorError):
    """Another process listens on a port that the emulator must have."""


class AddressNotLocal(EmulatorError):
    """The chosen address does not belong to this machine."""


class NotPermitted(EmulatorError):
    """This user may not listen on that port."""
