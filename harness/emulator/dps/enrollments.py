"""Who may register with DPS, and how each proves who it is.

An attestation answers one question: do these credentials prove that registration id? X.509 and TPM are
further classes with the same method; `Enrollments.attest` and the core do not change with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.emulator.errors import ServiceError
from harness.emulator.tokens import Token, derive_key, new_key


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection offered: a parsed token, a client certificate (DER), or neither."""

    token: Token | None = None
    certificate: bytes | None = None


class Attestation(Protocol):
    kind: str

    def proves(self, registration_id: str, credentials: Credentials) -> bool: ...
    def device_keys(self, registration_id: str) -> tuple[str, str]:
        """Return primary and secondary key that the hub's device gets."""


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """Of an individual enrollment: the device signs with one of the keys itself."""

    primary: str = field(default_factory=new_key, repr=False)
    secondary: str = field(default_factory=new_key, repr=False)
    kind = "symmetric-key"

    def proves(self, registration_id: str, credentials: Credentials) -> bool:
        return credentials.token is not None and credentials.token.signed_by((self.primary, self.secondary))

    def device_keys(self, registration_id: str) -> tuple[str, str]:
        return self.primary, self.secondary


@dataclass(frozen=True, slots=True)
class GroupSymmetricKey:
    """Of an enrollment group: the device signs with a key derived from the group's; the group key itself is
    refused.
    """

    primary: str = field(default_factory=new_key, repr=False)
    secondary: str = field(default_factory=new_key, repr=False)
    kind = "symmetric-key"

    def proves(self, registration_id: str, credentials: Credentials) -> bool:
        token = credentials.token
        return token is not None and token.signed_by(self.device_keys(registration_id))

    def device_keys(self, registration_id: str) -> tuple[str, str]:
        return derive_key(self.primary, registration_id), derive_key(self.secondary, registration_id)


@dataclass(slots=True)
class Enrolled:
    """An individual enrollment, or a group when `registration_id` is None.

    `device_id` None means the registration id. `payload` goes to the device with its assignment.
    `initial_twin` has `tags` and `desired`, either may be missing.
    """

    attestation: Attestation
    registration_id: str | None = None
    group_id: str | None = None
    device_id: str | None = None
    enabled: bool = True
    payload: Any = None
    initial_twin: Mapping[str, Any] = field(default_factory=dict)


class Enrollments:
    """All enrollments of one DPS instance. Registration ids are compared without case."""

    def __init__(self) -> None:
        self._individual: dict[str, Enrolled] = {}
        self._groups: dict[str, Enrolled] = {}

    def add(self, enrolled: Enrolled) -> None:
        """Add or replace."""
        if enrolled.registration_id is not None:
            self._individual[enrolled.registration_id.lower()] = enrolled
        elif enrolled.group_id is not None:
            self._groups[enrolled.group_id] = enrolled

    def get(self, registration_id: str) -> Enrolled | None:
        return self._individual.get(registration_id.lower())

    def groups(self) -> Iterator[Enrolled]:
        return iter(self._groups.values())

    def find(self, registration_id: str, credentials: Credentials) -> Enrolled | None:
        """Return the enrollment that these credentials prove, None if they prove none.

        Raises ServiceError 404201 when nobody enrolled the registration id and no group could.
        """
        individual = self.get(registration_id)
        if individual is not None:
            return individual if individual.attestation.proves(registration_id, credentials) else None
        if not self._groups:
            raise ServiceError(404201, f"no enrollment for the registration id {registration_id}")
        return next((g for g in self.groups() if g.attestation.proves(registration_id, credentials)), None)
