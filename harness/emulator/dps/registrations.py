"""What DPS remembers of devices that registered: the latest operation of each, and what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.emulator.context import new_guid
from harness.emulator.dps.assignment import Assigned
from harness.emulator.dps.enrollments import Enrolled

_OF_THE_DEVICE = ("symmetricKey", "x509", "tpm")


@dataclass(slots=True)
class Registration:
    """One device. `state` is what it is told (DeviceRegistrationResult), empty before its first result.

    `assigned` is where it is, None unless it was ever assigned. `operation_id` is the latest register's, which
    supersedes those before; while it is `pending` there is no result, and `payload` is what the device sent.
    """

    registration_id: str
    created: str
    group_id: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    assigned: Assigned | None = None
    operation_id: str = ""
    pending: bool = False
    polls_left: int = 0
    payload: Any = None

    def begin(self, payload: Any, polls: int) -> None:
        """A register request came: a new operation."""
        self.operation_id = f"4.{secrets.token_hex(8)}.{new_guid()}"
        self.pending, self.polls_left, self.payload = True, polls, payload

    def document(self) -> dict[str, Any]:
        """Return the state as the service API shows it (DeviceRegistrationState)."""
        if not self.state:
            begun = {"registrationId": self.registration_id, "createdDateTimeUtc": self.created}
            return {**begun, "status": "assigning", "lastUpdatedDateTimeUtc": self.created}
        return {name: value for name, value in self.state.items() if name not in _OF_THE_DEVICE}


class Registrations:
    """All devices that ever registered, by registration id without case, in the order of their first time."""

    def __init__(self) -> None:
        self._by_id: dict[str, Registration] = {}

    def find(self, registration_id: str) -> Registration | None:
        return self._by_id.get(registration_id.lower())

    def obtain(self, registration_id: str, enrolled: Enrolled, now: str) -> Registration:
        """Return the device's, made if need be."""
        key = registration_id.lower()
        found = self._by_id.get(key)
        if found is None:
            found = self._by_id[key] = Registration(registration_id, now)
        found.group_id = enrolled.group_id
        return found

    def of_group(self, group_id: str) -> Iterator[Registration]:
        wanted = group_id.lower()
        return (one for one in self._by_id.values() if one.group_id is not None and one.group_id.lower() == wanted)

    def remove(self, registration_id: str) -> None:
        """Does nothing when it is not there."""
        self._by_id.pop(registration_id.lower(), None)

    def remove_of(self, enrolled: Enrolled) -> None:
        """Forget what came by an enrollment, as its removal does."""
        if enrolled.registration_id is not None:
            self.remove(enrolled.registration_id)
        else:
            for one in list(self.of_group(enrolled.id)):
                self.remove(one.registration_id)

    def __iter__(self) -> Iterator[Registration]:
        return iter(self._by_id.values())

    def put(self, registration: Registration) -> None:
        """Take over one that was kept."""
        self._by_id[registration.registration_id.lower()] = registration

    def clear(self) -> None:
        self._by_id.clear()
