"""What whoever runs the emulator may do with it: look, enroll, reset. For its own thread.

The control endpoint, the command line and `Emulator` offer the same; none of it goes through Azure's APIs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.emulator.dps import enrolling
from harness.emulator.dps.enrollments import SymmetricKey
from harness.emulator.faults import Plan
from harness.environment import provisioning, symmetric_key, trust

if TYPE_CHECKING:
    from harness.emulator.services import Services


def status(services: Services) -> dict[str, Any]:
    """Return what runs, where, and which faults were played how often."""
    devices = [device for hub in services.hubs for device in hub.registry.devices()]
    return {
        **endpoints(services),
        "devices": len(devices),
        "connected": sum(device.connection is not None for device in devices),
        "events": services.stream.last if services.stream is not None else None,
        "seconds": services.stream.now if services.stream is not None else None,
        "faults": [
            {**fault.document(), "played": played}
            for fault, played in zip(services.faults.plan.faults, services.faults.played(), strict=True)
        ],
    }


def twins(services: Services) -> list[dict[str, Any]]:
    """Return the twins of all devices and modules, as the service API writes them."""
    identities = [one for hub in services.hubs for one in (*hub.registry.devices(), *hub.registry.modules())]
    return [identity.twin_document() for identity in identities]


def registrations(services: Services) -> dict[str, Any]:
    """Return what DPS knows of devices, without keys: their registrations, and the individual enrollments."""
    return {
        "registrations": [
            {"registrationId": one.registration_id, **one.document()} for one in services.dps.registrations
        ],
        "enrollments": [
            {
                "registrationId": one.id,
                **({} if one.device_id is None else {"deviceId": one.device_id}),
                "provisioningStatus": "enabled" if one.enabled else "disabled",
            }
            for one in services.enrollments.individuals()
        ],
    }


def endpoints(services: Services) -> dict[str, Any]:
    """Return where the emulator is, as the ready line's JSON has it."""
    ends = services.endpoints
    return {
        "idScope": ends.id_scope,
        "dpsHost": ends.dps_host,
        "hubHost": ends.hub_host,
        "serviceHost": ends.service_host,
        "caPath": str(ends.ca_path.resolve()),
        "hubConnectionString": ends.hub_connection_string,
        "dpsConnectionString": ends.dps_connection_string,
        "eventHubConnectionString": ends.event_hub_connection_string or None,
        "moreHubConnectionStrings": list(ends.more_hub_connection_strings),
        "httpsPort": ends.https_port,
        "httpsHint": ends.https_hint or None,
        "control": ends.control or None,
    }


def enroll(services: Services, registration_id: str, device_id: str | None = None) -> dict[str, Any]:
    """Let a device provision itself by symmetric key, unlike `Emulator.enroll` by the one that it has, if any: whoever
    asks again, or has kept the state, need not tell the device anew.

    Raises EmulatorError for an id that DPS does not allow.
    """
    enrolled = services.enrollments.get(registration_id)
    if enrolled is None or not isinstance(enrolled.attestation, SymmetricKey):
        key = enrolling.symmetric_key(None, None)
        enrolled = enrolling.individual(registration_id, key, {}, services.dps.assigner.hosts, device_id)
        services.enrollments.add(enrolled)
    elif device_id is not None:
        enrolled.device_id = device_id
    assert isinstance(enrolled.attestation, SymmetricKey)
    return {
        "registrationId": registration_id,
        "deviceId": enrolled.device_id or registration_id,
        "primaryKey": enrolled.attestation.primary,
        "secondaryKey": enrolled.attestation.secondary,
    }


def add_device(services: Services, device_id: str) -> dict[str, Any]:
    """Register a device at the hub, without DPS; one that is there is kept as it is. Raises ServiceError 400."""
    device = services.hub.registry.find(device_id) or services.hub.put_device(device_id, {}, None)
    host = services.endpoints.hub_host
    return {
        "deviceId": device_id,
        "connectionString": f"HostName={host};DeviceId={device_id};SharedAccessKey={device.primary_key}",
    }


def environment(ends: Mapping[str, Any], enrollment: Mapping[str, Any]) -> dict[str, str]:
    """Return what a device process reads from its environment, by the names of Microsoft's samples.

    `ends` and `enrollment` are what `endpoints` and `enroll` return.
    """
    return {
        **provisioning(enrollment["registrationId"], ends["idScope"], ends["dpsHost"]),
        **symmetric_key(enrollment["primaryKey"]),
        **trust(ends["caPath"]),
    }


def reset(services: Services) -> None:
    """Forget devices, enrollments, twins, messages and faults, and drop every device's connection.

    Certificates, id scope and the keys of the policies stay, so that nobody has to be told anew.
    """
    services.order(Plan())
    services.enrollments.clear()
    services.dps.reset()
    for hub in services.hubs:
        hub.reset()
    services.drop_devices("the emulator was reset")
