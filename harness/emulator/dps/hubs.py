"""The hubs a DPS instance is linked to, as DPS sees them: a place where a device can be put, and taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.emulator.hub.core import IotHub
    from harness.emulator.hub.twins import Twin


@dataclass(frozen=True, slots=True)
class Placement:
    """What DPS asks a hub to create: a device with these keys, or thumbprints, and this initial twin."""

    device_id: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    initial_twin: Mapping[str, Any] = field(default_factory=dict)
    authentication: str = "sas"
    edge: bool = False


class LinkedHub:
    """One hub. What it raises is a ServiceError of the hub's."""

    def __init__(self, hub: IotHub) -> None:
        self._hub = hub
        self.host = hub.host

    def place(self, placement: Placement, twin: Twin | None = None) -> None:
        """Create the device, or give the one that is there these credentials. `twin` replaces its twin."""
        hub = self._hub
        hub.place(placement)
        device = hub.registry.get(placement.device_id)
        if placement.authentication != "sas":
            device.thumbprints = (placement.primary_key, placement.secondary_key)
            device.primary_key = device.secondary_key = ""
        else:
            device.thumbprints = (None, None)
        device.authentication = placement.authentication
        device.capabilities = {**device.capabilities, "iotEdge": placement.edge}
        hub.registry.note_authentication(device)
        if twin is not None:
            device.twin = twin

    def take(self, device_id: str) -> Twin | None:
        """Delete the device, if it is there, and return the twin it had."""
        device = self._hub.registry.find(device_id)
        if device is None:
            return None
        self._hub.delete_device(device_id, None)
        return device.twin
