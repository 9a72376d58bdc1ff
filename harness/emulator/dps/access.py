"""Who may use the service API of a DPS instance: shared access policies and their tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from harness.emulator.errors import ServiceError
from harness.emulator.tokens import TokenError, new_key, parse_token

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
        self._hosts = {host.lower() for host in hosts}
        self._wall = wall
        self._skew = skew

    def check(self, authorization: str | None, path: str, right: Right) -> None:
        """Check the Authorization header of a call. Raises ServiceError 401002, 401003."""
        if not authorization:
            raise ServiceError(401002, "Authorization header missing")
        try:
            token = parse_token(authorization)
        except TokenError as error:
            raise ServiceError(401002, f"Authorization header is invalid: {error}") from None
        host, _, scope = token.resource.partition("/")
        if _without_port(host) not in self._hosts:
            raise ServiceError(401002, f"the token's sr names the host {host!r}, which is not this DPS")
        wanted, mine = _segments(path), _segments(scope)
        if wanted[: len(mine)] != mine:
            raise ServiceError(401002, "the token's sr does not cover this resource")
        policy = self.policies.get(token.key_name)
        if policy is None:
            raise ServiceError(401002, "the token names no policy of this DPS")
        if not token.signed_by((policy.primary_key, policy.secondary_key)):
            raise ServiceError(401002, f"the token's signature is not of the key of policy {token.key_name}")
        if token.expiry + self._skew < self._wall():
            raise ServiceError(401003, "the token has expired")
        if right not in policy.rights:
            raise ServiceError(401002, f"the policy {token.key_name} lacks {right.value}")


def _segments(path: str) -> list[str]:
    return [part.lower() for part in path.split("/") if part]


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]").lower()
