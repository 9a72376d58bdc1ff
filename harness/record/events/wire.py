"""Connections and subscriptions of a device, and the rules it broke on them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class HandshakeFailed(Event):
    """A TCP connection that never became TLS, or ended before its first packet: most often, no trust in the CA."""

    peer: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class HubConnected(Event):
    """CONNECT to the hub, accepted (`return_code` 0) or refused (`reason`, `error_code`).

    `model_id` is decoded; `raw_user_name` is as sent. `token_expires` is the SAS token's `se`. `tls_offered` are the
    cipher suites of the ClientHello by IANA number in hex, `c02b c02f`, where the target saw them.
    `token_mark` tells one SAS token from another, and nothing else of it; empty where the device showed none.
    A target that does not see the wire tells that the hub says Connected, the model id and how the device proved
    itself; all else is empty, and no check may judge it.
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
    tls_offered: str = ""
    token_mark: str = ""


@event
@dataclass(frozen=True, slots=True)
class HubDisconnected(Event):
    """`by` is device (DISCONNECT), hub (it closed) or network (the socket died); empty where the target cannot tell."""

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
class ProtocolViolation(Event):
    """The device broke a rule of MQTT or of IoT Hub. `closed` when the service closed the connection."""

    device_id: str
    module_id: str | None
    rule: str
    detail: str
    closed: bool


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
