"""The kinds of events that a person who watches tells apart, and whom an event is about."""

from __future__ import annotations

from typing import Any

from harness.record import events as ev

KINDS: dict[str, tuple[type[ev.Event], ...]] = {
    "telemetry": (ev.TelemetryReceived,),
    "reported": (ev.ReportedPatched,),
    "desired": (ev.DesiredChanged,),
    "commands": (ev.MethodRequested, ev.MethodAnswered),
    "connection": (
        ev.HandshakeFailed,
        ev.HubConnected,
        ev.HubDisconnected,
        ev.Subscribed,
        ev.Unsubscribed,
        ev.TwinRequested,
        ev.ProtocolViolation,
        ev.DeviceRequestRefused,
    ),
    "dps": (
        ev.ProvisioningConnected,
        ev.ProvisioningDisconnected,
        ev.RegistrationRequested,
        ev.RegistrationPolled,
        ev.RegistrationAnswered,
        ev.RegistrationRead,
        ev.AllocationAnswered,
        ev.DeviceAssigned,
    ),
    "c2d": (ev.C2dEnqueued, ev.C2dDelivered, ev.C2dReturned, ev.C2dSettled),
    "upload": (ev.FileUploadStarted, ev.BlobWritten, ev.FileUploadEnded),
    "fault": (ev.FaultPlayed,),
}

OTHER = "other"
_KIND_OF = {cls: kind for kind, classes in KINDS.items() for cls in classes}


def kind_of(event: ev.Event) -> str:
    return _KIND_OF.get(type(event), OTHER)


def identity_of(event: ev.Event) -> tuple[str, str | None]:
    """The device or registration id (empty where nobody is known yet) and the module id of an event."""
    fields: Any = event
    device = getattr(fields, "device_id", None) or getattr(fields, "registration_id", None)
    module = getattr(fields, "module_id", None)
    if device is None and isinstance(event, ev.FaultPlayed):
        device, _, module = event.identity.partition("/")
    return device or "", module or None
