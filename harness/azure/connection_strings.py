"""Connection strings of an IoT Hub, a DPS and an event hub: read, or refused with the part that is wrong.

They come from a portal by way of a clipboard and a shell, so they arrive cut, quoted, of the wrong kind or with a
placeholder left in. What is said about them never holds a key, nor any part that could be one.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

_HUB = "IoT Hub"
_DPS = "DPS"
_EVENT_HUB = "Event Hubs"
_PORTAL = {
    _HUB: "the hub's page, Shared access policies",
    _DPS: "the DPS instance's page, Shared access policies",
    _EVENT_HUB: "the hub's page, Built-in endpoints, Event Hub-compatible endpoint",
}
_FORM = {
    _HUB: "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…",
    _DPS: "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…",
    _EVENT_HUB: "Endpoint=sb://…/;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=…",
}
_KNOWN = (
    "HostName",
    "SharedAccessKeyName",
    "SharedAccessKey",
    "SharedAccessSignature",
    "DeviceId",
    "ModuleId",
    "GatewayHostName",
    "x509",
    "Endpoint",
    "EntityPath",
    "AccountName",
    "AccountKey",
)
_HUB_SUFFIX = re.compile(r"\.azure-devices\.(net|cn|us)$")
_DPS_SUFFIX = re.compile(r"\.azure-devices-provisioning\.(net|cn|us)$")
_HUB_POLICIES = ("iothubowner", "service", "device", "registryRead", "registryReadWrite")
"""The policies that every hub has from the start."""
_DPS_POLICY = "provisioningserviceowner"
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>\d{1,5}))?")
_LONGEST = 4096


class ConnectionStringError(ValueError):
    """A connection string cannot be used. The text says which part, and where the right one is; never a key."""


@dataclass(frozen=True, slots=True)
class _Service:
    """A service that takes `HostName=…` strings. `host` carries the port where one was given."""

    host: str
    policy: str
    key: str = field(repr=False)

    @property
    def text(self) -> str:
        """The connection string, in its usual spelling."""
        return f"HostName={self.host};SharedAccessKeyName={self.policy};SharedAccessKey={self.key}"

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        return _split(self.host)[0]

    @property
    def port(self) -> int | None:
        """The port of the REST side, where one was given."""
        return _split(self.host)[1]

    def token(self, expiry: int) -> str:
        """A shared access signature for the whole service, good until `expiry` (Unix time)."""
        resource = quote(self.host, safe="")
        signature = hmac.digest(base64.b64decode(self.key), f"{resource}\n{expiry}".encode(), hashlib.sha256)
        signed = quote(base64.b64encode(signature).decode(), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signed}&se={expiry}&skn={quote(self.policy, safe='')}"


@dataclass(frozen=True, slots=True)
class HubConnection(_Service):
    """How a service reaches an IoT Hub."""


@dataclass(frozen=True, slots=True)
class DpsConnection(_Service):
    """How a service reaches a DPS instance."""


@dataclass(frozen=True, slots=True)
class EventHubConnection:
    """How a service reaches an event hub. `host` is bare; `port` is None for AMQP's own, 5671."""

    host: str
    port: int | None
    policy: str
    key: str = field(repr=False)
    entity_path: str = ""

    @property
    def address(self) -> str:
        """`sb://host[:port]`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sb://{host}" if self.port is None else f"sb://{host}:{self.port}"

    @property
    def text(self) -> str:
        """The connection string, in its usual spelling."""
        return (
            f"Endpoint={self.address}/;SharedAccessKeyName={self.policy};SharedAccessKey={self.key};"
            f"EntityPath={self.entity_path}"
        )


def parse_hub(text: str) -> HubConnection:
    """The connection string of an IoT Hub's policy. Raises ConnectionStringError."""
    parts = _parts(_HUB, text)
    _refuse_other_kinds(_HUB, parts)
    return HubConnection(*_of_service(_HUB, parts))


def parse_dps(text: str) -> DpsConnection:
    """The connection string of a DPS instance's policy. Raises ConnectionStringError."""
    parts = _parts(_DPS, text)
    _refuse_other_kinds(_DPS, parts)
    return DpsConnection(*_of_service(_DPS, parts))


def parse_event_hub(text: str) -> EventHubConnection:
    """The connection string of a hub's built-in endpoint, or of another event hub. Raises ConnectionStringError."""
    parts = _parts(_EVENT_HUB, text)
    _refuse_other_kinds(_EVENT_HUB, parts)
    _require(_EVENT_HUB, parts, ("Endpoint", "SharedAccessKeyName", "SharedAccessKey", "EntityPath"))
    scheme, separator, rest = parts["Endpoint"].partition("://")
    if not separator or scheme.lower() not in ("sb", "amqps"):
        raise _wrong(_EVENT_HUB, "Endpoint has to begin with sb://")
    host, port = _split(_host(_EVENT_HUB, "Endpoint", rest.rstrip("/")))
    key = parts["SharedAccessKey"]
    if not key.isascii() or not key.isprintable() or " " in key:
        raise _wrong(_EVENT_HUB, "SharedAccessKey has characters that no key has; it was damaged on its way here")
    _refuse_percent(_EVENT_HUB, key)
    return EventHubConnection(host, port, parts["SharedAccessKeyName"], key, parts["EntityPath"].strip("/"))


def _parts(kind: str, text: str) -> dict[str, str]:
    """Names in their usual spelling and values. Raises ConnectionStringError."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        raise _wrong(kind, "it is empty")
    if len(text) > _LONGEST:
        raise _wrong(kind, f"it has {len(text):,} characters, which is too long for one")
    if text.startswith("SharedAccessSignature "):
        raise _wrong(
            kind, "it is a token (SharedAccessSignature), which expires; the policy's connection string is needed"
        )
    if any(c in text for c in "\r\n"):
        raise _wrong(kind, "there is a line break in it; it has to be one line")
    found: dict[str, str] = {}
    misspelt: list[str] = []
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        name, separator, value = (part.strip() for part in piece.partition("="))
        known = _usual(name)
        if known is None or not separator:
            misspelt.append(name if separator else "")
            continue
        if known in found:
            raise _wrong(kind, f"{known} is in it twice")
        if re.fullmatch(r"<.*>|\{.*\}|\[[^0-9A-Fa-f:].*\]|\.\.\.|…", value):
            raise _wrong(kind, f"{known} still holds a placeholder")
        found[known] = value
    if not found:
        raise _wrong(kind, f"it has none of the parts of one ({_FORM[kind]})")
    _refuse_misspelt(kind, found, misspelt)
    return found


def _usual(name: str) -> str | None:
    return next((known for known in _KNOWN if known.lower() == name.lower()), None)


def _refuse_misspelt(kind: str, found: Mapping[str, str], names: Iterable[str]) -> None:
    """A part whose name is nearly that of one which is missing; others, which nobody asks for, do no harm."""
    missing = [name for name in _KNOWN if name not in found and f"{name}=" in _FORM[kind]]
    for name in names:
        if name.isascii() and name.isalpha() and (close := difflib.get_close_matches(name, missing, n=1, cutoff=0.75)):
            raise _wrong(kind, f"{name} is misspelt: it is {close[0]}")


def _refuse_other_kinds(kind: str, parts: Mapping[str, str]) -> None:
    if "AccountKey" in parts or "AccountName" in parts:
        raise _wrong(kind, "it is that of a storage account")
    if "SharedAccessSignature" in parts and "SharedAccessKey" not in parts:
        raise _wrong(kind, "it carries a token (SharedAccessSignature) in place of SharedAccessKey; a key is needed")
    if kind == _EVENT_HUB:
        if "HostName" in parts and "Endpoint" not in parts:
            whose = "a device's" if "DeviceId" in parts else "an IoT Hub's or a DPS's"
            raise _wrong(kind, f"it is {whose} (it begins with HostName, not Endpoint)")
        return
    if "DeviceId" in parts:
        whose = "a module's" if "ModuleId" in parts else "a device's"
        raise _wrong(kind, f"it is {whose} own (it has DeviceId); a service needs that of a policy")
    if "Endpoint" in parts and "HostName" not in parts:
        raise _wrong(kind, "it is that of an Event Hubs endpoint (it begins with Endpoint, not HostName)")
    other = _other_service(kind, parts)
    if other:
        raise _wrong(kind, other)


def _other_service(kind: str, parts: Mapping[str, str]) -> str:
    """Why it is the other of hub and DPS; empty if it is not. On a host of Azure its name decides, else the policy."""
    host, policy = parts.get("HostName", "").lower(), parts.get("SharedAccessKeyName", "")
    if re.match(r"global\.azure-devices-provisioning\.", host):
        return f"HostName {host} is what devices use for every DPS; a service needs that of your own instance"
    if kind == _HUB and (_DPS_SUFFIX.search(host) or (not _HUB_SUFFIX.search(host) and policy == _DPS_POLICY)):
        return "it is that of a DPS"
    if kind == _DPS and (_HUB_SUFFIX.search(host) or (not _DPS_SUFFIX.search(host) and policy in _HUB_POLICIES)):
        return "it is that of an IoT Hub"
    return ""


def _of_service(kind: str, parts: Mapping[str, str]) -> tuple[str, str, str]:
    _require(kind, parts, ("HostName", "SharedAccessKeyName", "SharedAccessKey"))
    host = _host(kind, "HostName", parts["HostName"])
    _check_base64(kind, parts["SharedAccessKey"])
    return host, parts["SharedAccessKeyName"], parts["SharedAccessKey"]


def _require(kind: str, parts: Mapping[str, str], names: Iterable[str]) -> None:
    missing = [name for name in names if not parts.get(name)]
    if not missing:
        return
    hint = ""
    if list(parts) in (["HostName"], ["Endpoint"]):
        hint = "; a shell cuts it at the first `;` unless it stands in quotes"
    empty = [name for name in missing if name in parts]
    said = f"{_listed(empty)} {'is' if len(empty) == 1 else 'are'} empty" if empty else f"it lacks {_listed(missing)}"
    raise _wrong(kind, said + hint)


def _host(kind: str, part: str, text: str) -> str:
    """The host, with its port where it has one. Raises ConnectionStringError."""
    if "://" in text:
        raise _wrong(kind, f"{part} has to be a host name alone, without {text.partition('://')[0][:10]}://")
    found = _HOST.fullmatch(text)
    if found is None:
        raise _wrong(kind, f"{part} is no host name")
    if found["port"] is not None and not 0 < int(found["port"]) < 65536:
        raise _wrong(kind, f"{part} has the port {found['port']}; ports are 1 to 65535")
    return text


def _split(host: str) -> tuple[str, int | None]:
    found = _HOST.fullmatch(host)
    assert found is not None
    return found["host"].strip("[]"), int(found["port"]) if found["port"] else None


def _check_base64(kind: str, key: str) -> None:
    _refuse_percent(kind, key)
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        cut = len(key.rstrip("=")) % 4 == 1 or len(key) % 4 != 0
        why = "its end is missing" if cut else "it has characters that base64 has not"
        raise _wrong(kind, f"SharedAccessKey is not base64 ({why}); copy it once more") from None
    if not 16 <= len(raw) <= 64:
        raise _wrong(kind, f"SharedAccessKey has {len(raw)} bytes, and a key has 16 to 64; copy it once more")


def _refuse_percent(kind: str, key: str) -> None:
    if re.search(r"%[0-9A-Fa-f]{2}", key):
        raise _wrong(kind, "SharedAccessKey is percent-encoded, as in a URL; it has to be as the portal shows it")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _wrong(kind: str, what: str) -> ConnectionStringError:
    return ConnectionStringError(
        f"The {kind} connection string cannot be used: {what}. The right one is on the portal under {_PORTAL[kind]}, "
        f"and reads {_FORM[kind]}"
    )
