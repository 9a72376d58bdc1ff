"""The identity registry: devices, with their credentials, their twin and their MQTT session.

Modules are identities of the same class with a `module_id`.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.emulator.errors import ServiceError
from harness.emulator.hub.twins import NEVER, Twin
from harness.emulator.hub.x509 import is_thumbprint
from harness.emulator.tokens import is_key, new_key

if TYPE_CHECKING:
    from harness.emulator.hub.c2d import Queue
    from harness.emulator.hub.connection import HubConnection

_ID = re.compile(r"[A-Za-z0-9\-.%_#*?!(),:=@$'+]{1,128}")
_AUTHENTICATION_TYPES = ("sas", "selfSigned", "certificateAuthority", "none")


def new_etag() -> str:
    return base64.b64encode(str(secrets.randbelow(10**9)).encode()).decode()


@dataclass(slots=True, eq=False)
class Identity:
    """A device, or a module of one. Times are RFC 3339 texts; `subscriptions` is None without a persistent
    session.
    """

    device_id: str
    module_id: str | None = None
    enabled: bool = True
    status_reason: str | None = None
    authentication: str = "sas"
    primary_key: str = field(default="", repr=False)
    secondary_key: str = field(default="", repr=False)
    thumbprints: tuple[str | None, str | None] = (None, None)
    capabilities: dict[str, Any] = field(default_factory=lambda: {"iotEdge": False})
    generation_id: str = field(default_factory=lambda: str(10**17 + secrets.randbelow(9 * 10**17)))
    etag: str = field(default_factory=new_etag)
    twin: Twin = field(default_factory=Twin)
    connection: HubConnection | None = None
    subscriptions: dict[str, int] | None = None
    c2d: Queue | None = None
    managed_by: str | None = None
    scopes: dict[str, Any] = field(default_factory=dict)
    """`deviceScope` and `parentScopes` as the service wrote them."""
    connection_state_updated: str = NEVER
    status_updated: str = NEVER
    last_activity: str = NEVER

    @property
    def name(self) -> str:
        """`device` or `device/module`, as in the client id."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key in (self.primary_key, self.secondary_key) if key)

    @property
    def waiting_messages(self) -> int:
        """How many cloud-to-device messages are in its queue."""
        return 0 if self.c2d is None else len(self.c2d)

    def document(self) -> dict[str, Any]:
        """Return the device or module as the registry API writes it, keys included."""
        return self._device_document() if self.module_id is None else self._module_document()

    def _module_document(self) -> dict[str, Any]:
        return {
            "moduleId": self.module_id,
            "managedBy": self.managed_by,
            "deviceId": self.device_id,
            "generationId": self.generation_id,
            "etag": self.etag,
            "connectionState": self._connection_state(),
            "connectionStateUpdatedTime": self.connection_state_updated,
            "lastActivityTime": self.last_activity,
            "cloudToDeviceMessageCount": 0,
            "authentication": self._authentication(),
        }

    def _device_document(self) -> dict[str, Any]:
        return {
            "deviceId": self.device_id,
            "generationId": self.generation_id,
            "etag": self.etag,
            "connectionState": self._connection_state(),
            "status": self._status(),
            "statusReason": self.status_reason,
            "connectionStateUpdatedTime": self.connection_state_updated,
            "statusUpdatedTime": self.status_updated,
            "lastActivityTime": self.last_activity,
            "cloudToDeviceMessageCount": self.waiting_messages,
            "authentication": self._authentication(),
            "capabilities": self.capabilities,
            **self.scopes,
        }

    def twin_document(self) -> dict[str, Any]:
        """Return the twin as the service API writes it."""
        twin = self.twin.for_service()
        module = {} if self.module_id is None else {"moduleId": self.module_id}
        return {
            "deviceId": self.device_id,
            **module,
            "etag": twin.pop("etag"),
            "deviceEtag": self.etag,
            "status": self._status(),
            "statusUpdateTime": self.status_updated,
            "connectionState": self._connection_state(),
            "lastActivityTime": self.last_activity,
            "cloudToDeviceMessageCount": self.waiting_messages,
            "authenticationType": self.authentication,
            "x509Thumbprint": self._thumbprints(),
            **({} if twin.get("modelId") is None else {"modelId": twin.pop("modelId")}),
            **twin,
            **({"capabilities": self.capabilities} if self.module_id is None else {}),
            **self.scopes,
        }

    def _authentication(self) -> dict[str, Any]:
        sas = self.authentication == "sas"
        return {
            "symmetricKey": {
                "primaryKey": self.primary_key if sas else None,
                "secondaryKey": self.secondary_key if sas else None,
            },
            "x509Thumbprint": self._thumbprints(),
            "type": self.authentication,
        }

    def _status(self) -> str:
        return "enabled" if self.enabled else "disabled"

    def _connection_state(self) -> str:
        return "Connected" if self.connection is not None else "Disconnected"

    def _thumbprints(self) -> dict[str, str | None]:
        primary, secondary = self.thumbprints
        return {"primaryThumbprint": primary, "secondaryThumbprint": secondary}


class Registry:
    """All identities of one hub, in the order in which they were created."""

    def __init__(self) -> None:
        self._identities: dict[tuple[str, str | None], Identity] = {}
        self._modules: dict[str, list[Identity]] = {}
        self.uses_certificates = False
        """Whether any identity ever had X.509: from then on the listeners ask clients for certificates."""

    def find(self, device_id: str, module_id: str | None = None) -> Identity | None:
        return self._identities.get((device_id, module_id))

    def get(self, device_id: str, module_id: str | None = None) -> Identity:
        """Raises ServiceError 404001 or 404010."""
        found = self.find(device_id, module_id)
        if found is None and module_id is not None and self.find(device_id) is not None:
            raise ServiceError(404010, f"the module {module_id} of {device_id} does not exist")
        if found is None:
            raise ServiceError(404001, f"the device {device_id} does not exist")
        return found

    def devices(self) -> Iterator[Identity]:
        return (identity for identity in self._identities.values() if identity.module_id is None)

    def modules(self, device_id: str | None = None) -> Iterator[Identity]:
        """The modules of one device, or of all."""
        if device_id is not None:
            return iter(tuple(self._modules.get(device_id, ())))
        return (identity for identity in self._identities.values() if identity.module_id is not None)

    def add(self, identity: Identity) -> Identity:
        """Raises ServiceError 409001 or 409301 when the id is taken, 400004 when it is not an id."""
        for part in (identity.device_id, identity.module_id):
            if part is not None and not _ID.fullmatch(part):
                raise ServiceError(400004, "an id has 1 to 128 of A-Z a-z 0-9 - . % _ # * ? ! ( ) , : = @ $ ' +")
        key = (identity.device_id, identity.module_id)
        if key in self._identities:
            code = 409001 if identity.module_id is None else 409301
            raise ServiceError(code, f"{identity.name} is already registered")
        self._identities[key] = identity
        if identity.module_id is not None:
            self._modules.setdefault(identity.device_id, []).append(identity)
        self.note_authentication(identity)
        return identity

    def note_authentication(self, identity: Identity) -> None:
        """To be called when an identity's authentication has changed."""
        self.uses_certificates |= identity.authentication in ("selfSigned", "certificateAuthority")

    def remove(self, device_id: str, module_id: str | None = None) -> list[Identity]:
        """Remove a module, or a device with its modules; returns what was removed. Raises ServiceError 404001,
        404010.
        """
        removed = self.get(device_id, module_id)
        gone = [removed, *(() if module_id is not None else self.modules(device_id))]
        for identity in gone:
            del self._identities[identity.device_id, identity.module_id]
            if identity.module_id is not None:
                self._modules[device_id].remove(identity)
        return gone


def read_identity(identity: Identity, body: Any, now: str) -> None:
    """Take over what a PUT of a device or module says. Raises ServiceError 400004. Missing keys are generated or
    kept.
    """
    ids = (("deviceId", identity.device_id), ("moduleId", identity.module_id))
    if not isinstance(body, dict) or any((body.get(name) or own) != own for name, own in ids):
        raise ServiceError(400004, "the body must be a JSON object with the ids of the address")
    status = body.get("status") or "enabled"
    authentication = body.get("authentication") or {}
    if status not in ("enabled", "disabled") or not isinstance(authentication, dict):
        raise ServiceError(400004, "status must be enabled or disabled, authentication an object")
    symmetric = authentication.get("symmetricKey") or {}
    thumbprint = authentication.get("x509Thumbprint") or {}
    if not isinstance(symmetric, dict) or not isinstance(thumbprint, dict):
        raise ServiceError(400004, "symmetricKey and x509Thumbprint must be objects")
    keys = (symmetric.get("primaryKey"), symmetric.get("secondaryKey"))
    if any(key is not None and not (isinstance(key, str) and is_key(key)) for key in keys if key != ""):
        raise ServiceError(400004, "a symmetric key must be base64 of 16 to 64 bytes")
    kind = authentication.get("type") or _implied_type(thumbprint)
    if kind not in _AUTHENTICATION_TYPES:
        raise ServiceError(400004, f"unknown authentication type {kind!r}")
    if any(not (isinstance(one, str) and is_thumbprint(one)) for one in thumbprint.values() if one):
        raise ServiceError(400004, "a thumbprint must be a SHA-1 or SHA-256 in hex")
    if (status == "enabled") != identity.enabled:
        identity.status_updated = now
    identity.enabled = status == "enabled"
    identity.status_reason = body.get("statusReason")
    identity.authentication = kind
    if kind == "sas":
        identity.primary_key = keys[0] or identity.primary_key or new_key(32)
        identity.secondary_key = keys[1] or identity.secondary_key or new_key(32)
    identity.thumbprints = (thumbprint.get("primaryThumbprint"), thumbprint.get("secondaryThumbprint"))
    identity.managed_by = body.get("managedBy")
    identity.scopes = {name: body[name] for name in ("deviceScope", "parentScopes") if body.get(name)}
    if isinstance(body.get("capabilities"), dict):
        identity.capabilities = body["capabilities"]
    identity.etag = new_etag()


def _implied_type(thumbprint: dict[str, Any]) -> str:
    return "selfSigned" if any(thumbprint.values()) else "sas"
