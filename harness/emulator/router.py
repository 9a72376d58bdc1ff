"""Sends each CONNECT to the service it is meant for. DPS and the hub live on one address and one port.

Several hubs are several entries in `hubs`, told apart by the host of the user name; the first takes what no
hub knows, and refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.emulator import names
from harness.emulator.context import Context
from harness.emulator.dps import mqtt as dps_mqtt
from harness.emulator.dps.core import ProvisioningService
from harness.emulator.hub.core import IotHub
from harness.mqtt import Connect, RemoteError, ServerSession
from harness.record.events import ProtocolViolation


class Router:
    """A `harness.mqtt.Application` over one DPS and one or more hubs."""

    def __init__(self, context: Context, dps: ProvisioningService, hubs: Sequence[IotHub]) -> None:
        self._context = context
        self._dps = dps
        self._hubs = hubs

    def connect(self, session: ServerSession, packet: Connect) -> None:
        user_name = packet.user_name or ""
        if names.is_dps(user_name):
            dps_mqtt.connect(self._dps, session, packet)
            return
        host = user_name.partition("/")[0]
        hub = next((hub for hub in self._hubs if hub.access.knows(host)), self._hubs[0])
        hub.connect(session, packet)

    def violated(self, session: ServerSession, error: RemoteError) -> None:
        self._context.emit(ProtocolViolation("", None, error.rule, error.detail, closed=True))
