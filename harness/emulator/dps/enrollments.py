"""Who may register with DPS, and how each proves who it is.

An attestation answers: do these credentials prove that registration id, and what does the hub's device get for
it? The symmetric keys are here; X.509 is in `certificates`, TPM in `tpm`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from harness.emulator.errors import ServiceError
from harness.emulator.tokens import Token, derive_key, new_key


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection offered: a parsed token, or the certificates its client showed (DER, its own first)."""

    token: Token | None = None
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """What attestations go by besides the credentials.

    `now` is Unix time and `skew` what is allowed for the device's clock, in seconds. `authorities` are the CAs
    uploaded to the DPS instance, DER by name.
    """

    now: float
    skew: float = 0.0
    require_client_usage: bool = True
    authorities: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the hub's device is given: an authentication type of the registry, and two keys or two thumbprints."""

    authentication: str
    primary: str = field(repr=False)
    secondary: str = field(repr=False)


class Attestation(Protocol):
    """`kind` is symmetric-key, x509 or tpm."""

    kind: str

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        """Return why the credentials do not prove the registration id, None when they do."""

    def grant(self, registration_id: str, credentials: Credentials) -> Grant: ...
    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        """Return what the attestation adds to a registration's state."""


def _token_objection(credentials: Credentials, keys: tuple[str, str]) -> str | None:
    if credentials.token is None:
        return "no token was sent"
    if not credentials.token.signed_by(keys):
        return "the token's signature is not of the enrolled key"
    return None


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """Of an individual enrollment: the device signs with one of the keys itself."""

    primary: str = field(default_factory=new_key, repr=False)
    secondary: str = field(default_factory=new_key, repr=False)
    kind = "symmetric-key"

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        return _token_objection(credentials, (self.primary, self.secondary))

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        return Grant("sas", self.primary, self.secondary)

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class GroupSymmetricKey:
    """Of an enrollment group: the device signs with a key derived from the group's; the group key itself is
    refused.
    """

    primary: str = field(default_factory=new_key, repr=False)
    secondary: str = field(default_factory=new_key, repr=False)
    kind = "symmetric-key"

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        objection = _token_objection(credentials, self._derived(registration_id))
        if objection and _token_objection(credentials, (self.primary, self.secondary)) is None:
            return "the token is signed with the group's key itself; a device signs with the key derived for its id"
        return objection

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        return Grant("sas", *self._derived(registration_id))

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        return {"symmetricKey": {"enrollmentGroupId": group_id}}

    def _derived(self, registration_id: str) -> tuple[str, str]:
        return derive_key(self.primary, registration_id), derive_key(self.secondary, registration_id)


class Policy(str, Enum):
    """What becomes of a device that registers again (concepts-device-reprovision)."""

    MIGRATE = "migrate"
    """Choose a hub anew; on another hub the device keeps its twin."""
    RESET = "reset"
    """Choose a hub anew, and begin with the initial twin."""
    NEVER = "never"
    """It stays where it is."""


def new_etag() -> str:
    """Return an ETag as DPS makes them: base64 of a quoted hex text."""
    text = f'"{secrets.token_hex(4)}-0000-0d00-0000-{secrets.token_hex(4)}0000"'
    return base64.b64encode(text.encode()).decode()


@dataclass(slots=True)
class Enrolled:
    """An individual enrollment, or a group when `registration_id` is None.

    `device_id` None means the registration id. `payload` goes to the device with its assignment.
    `initial_twin` has `tags` and `desired`, either may be missing. `hubs` are host names of linked hubs, empty
    for all; `allocation` is hashed, static, geoLatency or custom, None for what the DPS instance does. `other`
    keeps what the service API stores and DPS itself makes nothing of. `created` and `updated` are times as Azure
    writes them.
    """

    attestation: Attestation
    registration_id: str | None = None
    group_id: str | None = None
    device_id: str | None = None
    enabled: bool = True
    payload: Any = None
    initial_twin: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = Policy.MIGRATE
    hubs: tuple[str, ...] = ()
    allocation: str | None = None
    edge: bool = False
    etag: str = field(default_factory=new_etag)
    created: str = ""
    updated: str = ""
    other: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The registration id or the group id."""
        return self.registration_id or self.group_id or ""


class NotProved(Exception):
    """The credentials prove no enrollment. The message says why, for the record and not for the device."""


class Enrollments:
    """All enrollments of one DPS instance. Ids are compared without case."""

    def __init__(self) -> None:
        self._individual: dict[str, Enrolled] = {}
        self._groups: dict[str, Enrolled] = {}
        self.authorities: dict[str, bytes] = {}
        """CAs uploaded to the instance, DER by name, for groups that refer to them."""
        self.uses_certificates = False
        """Whether anything was ever enrolled by X.509: from then on the listeners ask clients for certificates."""

    def add(self, enrolled: Enrolled) -> None:
        """Add or replace."""
        self.uses_certificates |= enrolled.attestation.kind == "x509"
        if enrolled.registration_id is not None:
            self._individual[enrolled.registration_id.lower()] = enrolled
        elif enrolled.group_id is not None:
            self._groups[enrolled.group_id.lower()] = enrolled

    def get(self, registration_id: str) -> Enrolled | None:
        return self._individual.get(registration_id.lower())

    def get_group(self, group_id: str) -> Enrolled | None:
        return self._groups.get(group_id.lower())

    def individuals(self) -> Iterator[Enrolled]:
        return iter(self._individual.values())

    def groups(self) -> Iterator[Enrolled]:
        return iter(self._groups.values())

    def remove(self, enrolled: Enrolled) -> None:
        """Does nothing when it is not there."""
        store = self._individual if enrolled.registration_id is not None else self._groups
        store.pop(enrolled.id.lower(), None)

    def clear(self) -> None:
        """Forget every enrollment and every CA."""
        self._individual.clear()
        self._groups.clear()
        self.authorities.clear()

    def find(self, registration_id: str, credentials: Credentials, judge: Judge) -> Enrolled:
        """Return the enrollment that these credentials prove; an individual one goes before any group.

        Raises NotProved, and ServiceError 404201 when nobody enrolled the registration id and no group could.
        """
        individual = self.get(registration_id)
        candidates = [individual] if individual is not None else list(self._groups.values())
        if not candidates:
            raise ServiceError(404201, f"no enrollment for the registration id {registration_id}")
        objections: list[str] = []
        for enrolled in candidates:
            objection = enrolled.attestation.objection(registration_id, credentials, judge)
            if objection is None:
                return enrolled
            if objection not in objections:
                objections.append(objection)
        raise NotProved("; ".join(objections))
