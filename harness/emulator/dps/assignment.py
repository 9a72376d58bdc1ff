"""Which hub a device gets, and what becomes of its data when it registers again.

Allocation policies: concepts-service, "Allocation policy". Re-provisioning: concepts-device-reprovision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.emulator.dps.enrollments import Credentials, Enrolled, Grant, Policy
from harness.emulator.dps.hubs import LinkedHub, Placement
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorOptions

CUSTOM_FAILED, NO_HUB, CUSTOM_UNAUTHORIZED = 400207, 400208, 400209
"""The errors of an allocation; what a device knows as HUB_NOT_SPECIFIED and UNAUTHORIZED are the latter two."""


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """What a custom allocation is asked: for this device, with what it sent as `payload`, one of `hubs`."""

    registration_id: str
    payload: Any
    hubs: tuple[str, ...]
    enrollment: Enrolled
    current_hub: str | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a custom allocation answers. `hub` None means that there is none for this device."""

    hub: str | None
    initial_twin: Mapping[str, Any] | None = None
    payload: Any = None


Allocate = Callable[[AllocationRequest], Allocation]
"""A custom allocation. PermissionError means that the device is not authorised; any other error, that it failed."""


class Failed(Exception):
    """The registration ends as `failed`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Assigned:
    """`first_hub` is the one of the device's initial assignment."""

    hub: str
    device_id: str
    substatus: str
    first_hub: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """A device that is to be assigned: who it is, and where an earlier registration has put it.

    `allocation` is what a webhook decided, if the enrollment has one.
    """

    registration_id: str
    enrolled: Enrolled
    credentials: Credentials = field(repr=False)
    payload: Any = None
    previous: Assigned | None = None
    allocation: Allocation | Failed | None = None

    @property
    def device_id(self) -> str:
        return self.enrolled.device_id or self.enrolled.registration_id or self.registration_id


class Assigner:
    """`allocate` is the custom allocation of enrollments that ask for one and have no webhook."""

    def __init__(self, options: EmulatorOptions, hubs: Sequence[LinkedHub]) -> None:
        self.hubs = list(hubs)
        self.allocate: Allocate | None = None
        self._options = options

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names of the linked hubs."""
        return tuple(hub.host for hub in self.hubs)

    def assign(self, applicant: Applicant) -> Assigned:
        """Put the device into its hub. Raises Failed."""
        enrolled, previous = applicant.enrolled, applicant.previous
        allocation = self._choose(applicant)
        hub = self._find(allocation.hub)
        if hub is None:
            raise Failed(NO_HUB, "No IoT hub is linked or specified for this enrollment")
        if allocation.initial_twin is not None and enrolled.policy is Policy.MIGRATE:
            enrolled = replace(enrolled, policy=Policy.RESET)  # an initial twin goes before any migration
            applicant = replace(applicant, enrolled=enrolled)
        grant = self._grant(applicant)
        initial = enrolled.initial_twin if allocation.initial_twin is None else allocation.initial_twin
        placement = Placement(
            applicant.device_id, grant.primary, grant.secondary, initial, grant.authentication, enrolled.edge
        )
        try:
            self._move(applicant, hub, placement)
        except ServiceError as error:
            raise Failed(error.code, error.message) from None
        first = hub.host if previous is None else previous.first_hub
        payload = enrolled.payload if allocation.payload is None else allocation.payload
        return Assigned(hub.host, placement.device_id, self._substatus(applicant, hub), first, payload)

    def eligible(self, enrolled: Enrolled) -> list[str]:
        """The host names of the linked hubs that an enrollment allows."""
        wanted = {name.lower() for name in enrolled.hubs}
        return [hub.host for hub in self.hubs if not wanted or hub.host.lower() in wanted]

    def is_custom(self, enrolled: Enrolled) -> bool:
        return (enrolled.allocation or self._options.dps_allocation) == "custom"

    # --- the hub -------------------------------------------------------------------------------------

    def _choose(self, applicant: Applicant) -> Allocation:
        enrolled, previous = applicant.enrolled, applicant.previous
        if previous is not None and enrolled.policy is Policy.NEVER and self._find(previous.hub) is not None:
            # The webhook is called all the same, for it may have something to tell the device.
            told = self._ask(applicant, self.eligible(enrolled)).payload if self.is_custom(enrolled) else None
            return Allocation(previous.hub, payload=previous.payload if told is None else told)
        hosts = self.eligible(enrolled)
        if self.is_custom(enrolled):
            return self._ask(applicant, hosts)
        if not hosts:
            return Allocation(None)
        if (enrolled.allocation or self._options.dps_allocation) == "hashed":
            return Allocation(max(hosts, key=lambda host: _weight(host, applicant.registration_id)))
        # static names one hub; of the lowest latency is, on one machine, any.
        return Allocation(hosts[0])

    def _ask(self, applicant: Applicant, hosts: list[str]) -> Allocation:
        if isinstance(applicant.allocation, Failed):
            raise applicant.allocation
        if applicant.allocation is not None:
            return applicant.allocation
        if self.allocate is None:
            raise Failed(CUSTOM_FAILED, "Custom allocation failed with status code: 404")
        current = applicant.previous.hub if applicant.previous is not None else None
        request = AllocationRequest(
            applicant.registration_id, applicant.payload, tuple(hosts), applicant.enrolled, current
        )
        try:
            allocation = self.allocate(request)
        except PermissionError:
            raise Failed(CUSTOM_UNAUTHORIZED, "Custom allocation failed with status code: 401") from None
        except Exception as error:
            raise Failed(CUSTOM_FAILED, f"Custom allocation failed with status code: 500 ({error})") from None
        return allocation

    def _find(self, host: str | None) -> LinkedHub | None:
        return next((hub for hub in self.hubs if host is not None and hub.host.lower() == host.lower()), None)

    # --- the device ----------------------------------------------------------------------------------

    def _grant(self, applicant: Applicant) -> Grant:
        grant = applicant.enrolled.attestation.grant(applicant.registration_id, applicant.credentials)
        if grant.authentication == "selfSigned" and applicant.enrolled.group_id is not None:
            return Grant(self._options.dps_x509_group_devices, grant.primary, grant.secondary)
        return grant

    def _move(self, applicant: Applicant, hub: LinkedHub, placement: Placement) -> None:
        previous, policy = applicant.previous, applicant.enrolled.policy
        source = None if previous is None else self._find(previous.hub)
        if source is None or previous is None:
            hub.place(placement)
            return
        if source is hub:
            if policy is Policy.RESET:
                hub.take(placement.device_id)
            hub.place(placement)
            return
        twin = source.take(previous.device_id)
        hub.place(placement, twin if policy is Policy.MIGRATE else None)

    def _substatus(self, applicant: Applicant, hub: LinkedHub) -> str:
        previous, policy = applicant.previous, applicant.enrolled.policy
        if previous is None:
            return "initialAssignment"
        if policy is Policy.NEVER:
            return previous.substatus
        if previous.hub.lower() == hub.host.lower():
            return "deviceDataReset" if policy is Policy.RESET else self._options.dps_same_hub_substatus
        if hub.host.lower() == previous.first_hub.lower():
            return "reprovisionedToInitialAssignment"
        return "deviceDataMigrated" if policy is Policy.MIGRATE else "deviceDataReset"


def _weight(host: str, registration_id: str) -> bytes:
    """Spreads devices evenly, and moves few when a hub comes or goes (highest random weight)."""
    return hashlib.sha256(f"{host.lower()}\n{registration_id.lower()}".encode()).digest()
