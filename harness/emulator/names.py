"""The user name and client id of CONNECT: which service is meant, and what the device says about itself.

DPS   {idScope}/registrations/{registrationId}/api-version=…[&ClientVersion=…]
hub   {host}/{deviceId}[/{moduleId}]/?api-version=…[&DeviceClientType=…][&model-id=…]
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote


class InvalidName(ValueError):
    """The user name does not have the form its service asks for. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class DpsName:
    id_scope: str
    registration_id: str
    api_version: str
    client_version: str


@dataclass(frozen=True, slots=True)
class HubName:
    """`model_id` is decoded, None when the device announced none."""

    host: str
    device_id: str
    module_id: str | None
    api_version: str
    client_type: str
    model_id: str | None


def is_dps(user_name: str) -> bool:
    """Whether this is meant for DPS. A hub device called `registrations` has its query in a segment of its
    own.
    """
    segments = user_name.split("/", 3)
    if len(segments) < 3 or segments[1] != "registrations":
        return False
    return not any(segment.startswith("?") for segment in segments[2:])


def parse_dps(user_name: str, client_id: str) -> DpsName:
    """Raises InvalidName."""
    segments = user_name.split("/", 3)
    if len(segments) < 4 or not all(segments[:3]):
        raise InvalidName("the user name is not {idScope}/registrations/{registrationId}/api-version=…")
    if segments[2].lower() != client_id.lower():
        raise InvalidName("the client id is not the registration id of the user name")
    query = parse_query(segments[3])
    if not query.get("api-version"):
        raise InvalidName("the user name has no api-version")
    return DpsName(segments[0], segments[2], query["api-version"], query.get("ClientVersion", ""))


def parse_hub(user_name: str, client_id: str) -> HubName:
    """Raises InvalidName. The client id decides where the path ends: device ids may hold `?` and `=`."""
    host, _, rest = user_name.partition("/")
    device_id, slash, module_id = client_id.partition("/")
    if not host or not device_id or (slash and not module_id) or "/" in module_id:
        raise InvalidName("the client id is not {deviceId} or {deviceId}/{moduleId}")
    if not rest.startswith(client_id) or rest[len(client_id) :][:1] not in ("", "/"):
        raise InvalidName("the user name is not {host}/{clientId}/?api-version=…")
    tail = rest[len(client_id) :].lstrip("/")
    if "/" in tail and not tail.startswith("?"):
        raise InvalidName("the user name has more segments than the client id")
    query = parse_query(tail.lstrip("?"))
    return HubName(
        host,
        device_id,
        module_id or None,
        query.get("api-version", ""),
        query.get("DeviceClientType", ""),
        query.get("model-id") or None,
    )


def parse_query(text: str) -> dict[str, str]:
    """Split at `&` and the first `=`, decode percent only: `;` and `+` are plain characters in a DTMI."""
    pairs = (item.partition("=") for item in text.split("&") if item)
    return {unquote(name): unquote(value) for name, _, value in pairs}
