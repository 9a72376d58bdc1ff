"""Who may use the service API of a DPS instance: shared access policies and their tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from harness.emulator.errors import ServiceError
from harness.emulator.policies import Doorman
from harness.emulator.tokens import new_key

OWNER = "provisioningserviceowner"


class Right(str, Enum):
    SERVICE_CONFIG = "ServiceConfig"
    ENROLLMENT_READ = "EnrollmentRead"
    ENROLLMENT_WRITE = "EnrollmentWrite"
    REGISTRATION_READ = "RegistrationStatusRead"
    REGISTRATION_WRITE = "RegistrationStatusWrite"


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """A shared access policy. Keys are random for each emulator."""

    rights: frozenset[Right]
    primary_key: str = field(default_factory=lambda: new_key(32), repr=False)
    secondary_key: str = field(default_factory=lambda: new_key(32), repr=False)


class ServiceAccess:
    """Checks tokens. `hosts` are the names of the service host, without a port; `skew` is allowed in seconds."""

    def __init__(self, hosts: Iterable[str], wall: Callable[[], float], skew: float) -> None:
        self.policies = {OWNER: ServicePolicy(frozenset(Right))}
        self._doorman = Doorman("this DPS", hosts, wall, skew)

    def check(self, authorization: str | None, path: str, right: Right) -> None:
        """Check the Authorization header of a call. Raises ServiceError 401002, 401003."""
        token = self._doorman.read(authorization)
        if right not in self._doorman.policy(token, path, self.policies).rights:
            raise ServiceError(401002, f"the policy {token.key_name} lacks {right.value}")
