"""The hub: who is connected, what the service changes, and what devices hear of it.

REST and any other service protocol call the methods of `IotHub`; MQTT devices come in by `connect` and live
on as a `HubConnection`. Everything that reaches a device goes through its connection; everything observed
goes to the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from harness.emulator import names
from harness.emulator.context import Context
from harness.emulator.dps.hubs import Placement
from harness.emulator.errors import ServiceError
from harness.emulator.faults import Operation, Point
from harness.emulator.hub.access import Access
from harness.emulator.hub.c2d import CloudToDevice
from harness.emulator.hub.connection import HubConnection
from harness.emulator.hub.methods import Methods
from harness.emulator.hub.registry import Identity, Registry, read_identity
from harness.emulator.hub.throttles import Throttles
from harness.emulator.hub.uploads import Uploads
from harness.emulator.tokens import Token
from harness.mqtt import Connect, ServerSession
from harness.mqtt.packets import NOT_AUTHORIZED
from harness.record.events import DesiredChanged, HubConnected, TelemetryReceived

_MARK = 12
"""Digits of a digest: enough to tell the tokens of a run apart."""


class IotHub:
    """One hub. `host` is the name that DPS assigns; `other_names` are accepted in tokens and user names too."""

    def __init__(self, context: Context, host: str, other_names: Iterable[str] = ()) -> None:
        self.context = context
        self.host = host
        self.registry = Registry()
        self.methods = Methods(context)
        self.c2d = CloudToDevice(context, self.registry)
        self.uploads = Uploads(context)
        self.throttles = Throttles(context)
        self.telemetry_takers: list[Callable[[TelemetryReceived], None]] = []
        self.access = Access({host, *other_names}, context.wall, context.options)

    # --- devices come and go -------------------------------------------------------------------------

    def connect(self, session: ServerSession, packet: Connect) -> None:
        """Decide a CONNECT: CONNACK 0, or 5 for whatever does not prove a known and enabled identity."""
        try:
            name = names.parse_hub(packet.user_name or "", packet.client_id)
        except names.InvalidName as error:
            name = names.HubName("", packet.client_id, None, "", "", None)
            self._refuse(session, packet, name, NOT_AUTHORIZED, str(error), 401002)
            return
        identity = packet.client_id
        self.context.faults.run(
            Operation(
                Point.HUB_CONNECT,
                identity,
                lambda: self._decide(session, packet, name),
                lambda answer: self._refuse(session, packet, name, answer.status, answer.message, answer.error_code),
                session,
                token=packet.password or b"",
            )
        )

    def _decide(self, session: ServerSession, packet: Connect, name: names.HubName) -> None:
        try:
            if not self.access.knows(name.host):
                raise ServiceError(401002, f"the user name is for the host {name.host!r}, which is not this hub")
            identity = self.registry.find(name.device_id, name.module_id)
            if identity is None:
                raise ServiceError(401003, f"no such device or module: {packet.client_id}")
            token = self.access.device(packet.password, identity, session.peer.peer_chain)
            self.check_enabled(identity)
        except ServiceError as error:
            disabled = error.code == 403012
            code = self.context.options.disabled_return_code if disabled else NOT_AUTHORIZED
            self._refuse(session, packet, name, code, error.cause, error.code)
            return
        self._welcome(session, packet, name, identity, token)

    def _welcome(
        self,
        session: ServerSession,
        packet: Connect,
        name: names.HubName,
        identity: Identity,
        token: Token | None,
    ) -> None:
        connection = HubConnection(self, session, identity, name, packet)
        reaction = connection.check_will()
        if reaction == "close":
            self._record(session, packet, name, NOT_AUTHORIZED, token=token, reason="the will; closed without CONNACK")
            session.close("the will breaks a rule")
            return
        if reaction == "refuse":
            self._refuse(session, packet, name, NOT_AUTHORIZED, "the will", None)
            return
        if identity.connection is not None:
            identity.connection.session.close("a newer connection of the same identity replaced it", 400027)
        session_present = connection.open()
        if name.model_id is not None or not self.context.options.keep_model_id:
            identity.twin.model_id = name.model_id
        self._record(session, packet, name, 0, session_present=session_present, token=token)
        if token is not None:
            connection.watch_token(token.expiry)
        session.accept(connection, keep_alive=packet.keep_alive, session_present=session_present)
        connection.deliver_c2d()
        if connection.takes_methods:
            self.methods.ready(identity)

    def _refuse(
        self,
        session: ServerSession,
        packet: Connect,
        name: names.HubName,
        return_code: int,
        reason: str,
        error_code: int | None,
    ) -> None:
        self._record(session, packet, name, return_code, reason=reason, error_code=error_code)
        session.refuse(return_code)

    def _record(
        self,
        session: ServerSession,
        packet: Connect,
        name: names.HubName,
        return_code: int,
        *,
        session_present: bool = False,
        token: Token | None = None,
        reason: str = "",
        error_code: int | None = None,
    ) -> None:
        self.context.emit(
            HubConnected(
                device_id=name.device_id,
                module_id=name.module_id,
                return_code=return_code,
                model_id=name.model_id,
                api_version=name.api_version,
                client_type=name.client_type,
                keep_alive=packet.keep_alive,
                clean_session=packet.clean_session,
                session_present=session_present,
                transport=session.peer.transport,
                authentication="sas" if packet.password else "x509",
                raw_user_name=packet.user_name or "",
                tls_version=session.peer.tls_version,
                token_expires=token.expiry if token else None,
                reason=reason,
                error_code=error_code,
                tls_offered=session.peer.tls_offered,
                token_mark=hashlib.sha256(packet.password).hexdigest()[:_MARK] if packet.password else "",
            )
        )

    def check_enabled(self, identity: Identity) -> None:
        """Raises ServiceError 403012 when the identity, or the device it belongs to, is disabled."""
        if not (identity.enabled and self.registry.get(identity.device_id).enabled):
            raise ServiceError(403012, "the device is disabled")

    def telemetry(self, message: TelemetryReceived) -> None:
        """Take one device-to-cloud message: for the record, and for whoever stores telemetry beside it."""
        self.context.emit(message)
        for take in self.telemetry_takers:
            take(message)

    # --- the service side ----------------------------------------------------------------------------

    def place(self, placement: Placement) -> str:
        """Create the device DPS assigns, or give an existing one the enrollment's keys. Returns this hub's
        host. Raises ServiceError, and creates nothing, for an initial twin that breaks a rule.
        """
        device = self.registry.find(placement.device_id)
        if device is None:
            device = Identity(placement.device_id)
            if placement.initial_twin:
                twin = placement.initial_twin
                body = {"tags": twin.get("tags"), "properties": {"desired": twin.get("desired")}}
                device.twin.update(body, self.context.timestamp())
            self.registry.add(device)
        device.primary_key, device.secondary_key = placement.primary_key, placement.secondary_key
        return self.host

    def put_device(self, device_id: str, body: Any, if_match: str | None, *, module_id: str | None = None) -> Identity:
        """Create a device (or a module of it), or update it when `if_match` is given.

        Raises ServiceError 400, 404, 409, 412, 413.
        """
        now = self.context.timestamp()
        if if_match is None:
            identity = Identity(device_id, module_id)
            if module_id is not None:
                self._check_new_module(device_id)
            elif self.registry.find(device_id) is not None:
                raise ServiceError(409001, f"the device {device_id} is already registered")
            read_identity(identity, body, now)
            return self.registry.add(identity)
        identity = self.registry.get(device_id, module_id)
        check_etag(if_match, identity.etag)
        read_identity(identity, body, now)
        self.registry.note_authentication(identity)
        if not identity.enabled:
            for one in [identity, *(() if module_id else self.registry.modules(device_id))]:
                if one.connection is not None:
                    one.connection.session.close("the device was disabled", 403012)
        return identity

    def delete_device(self, device_id: str, if_match: str | None, *, module_id: str | None = None) -> None:
        """Delete a module, or a device and its modules, and drop their connections. Raises ServiceError 404, 412."""
        check_etag(if_match, self.registry.get(device_id, module_id).etag)
        for identity in self.registry.remove(device_id, module_id):
            self.methods.forget(identity)
            if identity.c2d is not None:
                identity.c2d.discard()
            if identity.module_id is None:
                self.uploads.forget(device_id)
            if identity.connection is not None:
                what = "device" if identity.module_id is None else "module"
                identity.connection.session.close(f"the {what} was deleted", 404001)

    def reset(self) -> None:
        """Forget every device with all it has, and what waits for the service; the policies keep their keys."""
        for device in list(self.registry.devices()):
            self.delete_device(device.device_id, None)
        self.c2d.feedback.clear()
        self.uploads.clear()
        self.throttles.clear()

    def _check_new_module(self, device_id: str) -> None:
        self.registry.get(device_id)
        limit = self.context.options.max_modules
        if sum(1 for _ in self.registry.modules(device_id)) >= limit:
            raise ServiceError(413003, f"the device {device_id} has {limit} modules, which is the most allowed")

    def update_twin(self, identity: Identity, body: Any, if_match: str | None = None) -> None:
        """Merge a service's twin patch and tell the device. Raises ServiceError 400, 403, 412."""
        check_etag(if_match, identity.twin.etag)
        desired = identity.twin.update(body, self.context.timestamp())
        if desired is not None:
            self._tell_desired(identity, desired)

    def replace_twin(self, identity: Identity, body: Any, if_match: str | None = None) -> None:
        """Replace tags and desired properties and tell the device. Raises ServiceError 400, 403, 412."""
        check_etag(if_match, identity.twin.etag)
        self._tell_desired(identity, identity.twin.replace(body, self.context.timestamp()))

    def _tell_desired(self, identity: Identity, patch: dict[str, Any]) -> None:
        version = identity.twin.desired.version

        def proceed() -> None:
            connection = identity.connection
            delivered = connection is not None and connection.send_desired(patch, version)
            self.context.emit(DesiredChanged(identity.device_id, identity.module_id, version, patch, delivered))

        session = identity.connection.session if identity.connection else None
        self.context.faults.run(Operation(Point.DESIRED, identity.name, proceed, None, session))


def check_etag(if_match: str | None, etag: str) -> None:
    """Raises ServiceError 412001 unless the header is absent, a wildcard (`*`, `"*"`) or the ETag."""
    if if_match is not None and if_match.strip().strip('"') not in ("*", etag):
        raise ServiceError(412001, "the ETag of If-Match is not the current one")
