"""What a user of the emulator gives and gets: options, endpoints, enrollments and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MQTT_PORT = 8883
"""Fixed in Microsoft's Python, C and embedded C SDKs."""


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """Every switch of the emulator. Times in seconds, sizes in bytes.

    Fields marked "unsure" stand for a behaviour of Azure that no public source settles; the default is the
    likeliest.
    """

    # where it listens
    mqtt_port: int = MQTT_PORT
    rest_port: int = 0
    """0 takes any free port."""
    host: str | None = None
    """The host name or address that devices are told; None is the address, or for 0.0.0.0 this machine's own.
    Never bare `localhost`: the C SDK gives up on it."""
    names: tuple[str, ...] = ()
    """Further names and addresses in the server certificate, and accepted as the hub's name."""
    uvloop: bool = True
    """Use uvloop where it is installed."""

    # limits against hostile or broken peers
    max_connections: int = 20_000
    handshake_seconds: float = 30.0
    """From TCP connect to an answered CONNECT."""

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


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A device that may provision itself by symmetric key. Keys are base64, out of the repr."""

    registration_id: str
    device_id: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)


class EmulatorError(Exception):
    """The emulator could not start, or was misused. The message says what to do."""


class PortInUse(EmulatorError):
    """Another process listens on a port that the emulator must have."""


class AddressNotLocal(EmulatorError):
    """The chosen address does not belong to this machine."""


class NotPermitted(EmulatorError):
    """This user may not listen on that port."""
