"""Who may do what in a hub: shared access policies, device keys and certificates, and the check of what a caller
shows against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from harness.emulator.errors import ServiceError
from harness.emulator.hub import x509
from harness.emulator.hub.registry import Identity, Registry
from harness.emulator.tokens import Token, TokenError, new_key, parse_token


class Permission(str, Enum):
    REGISTRY_READ = "RegistryRead"
    REGISTRY_WRITE = "RegistryWrite"
    SERVICE_CONNECT = "ServiceConnect"
    DEVICE_CONNECT = "DeviceConnect"


@dataclass(frozen=True, slots=True)
class Policy:
    """A shared access policy. Keys are random for each emulator."""

    permissions: frozenset[Permission]
    primary_key: str = field(default_factory=lambda: new_key(32), repr=False)
    secondary_key: str = field(default_factory=lambda: new_key(32), repr=False)


def default_policies() -> dict[str, Policy]:
    """Return the policies that every new hub has."""
    read, write = Permission.REGISTRY_READ, Permission.REGISTRY_WRITE
    return {
        "iothubowner": Policy(frozenset(Permission)),
        "service": Policy(frozenset({Permission.SERVICE_CONNECT})),
        "device": Policy(frozenset({Permission.DEVICE_CONNECT})),
        "registryRead": Policy(frozenset({read})),
        "registryReadWrite": Policy(frozenset({read, write})),
    }


class Access:
    """Checks tokens. `hosts` are the names this hub goes by, without a port; `skew` is allowed in seconds."""

    def __init__(self, registry: Registry, hosts: Iterable[str], wall: Callable[[], float], skew: float) -> None:
        self.policies = default_policies()
        self.authorities: list[bytes] = []
        """CA certificates, DER, that vouch for devices of type `certificateAuthority`; see `trust`."""
        self._registry = registry
        self._hosts = {host.lower() for host in hosts}
        self._wall = wall
        self._skew = skew

    def knows(self, host: str) -> bool:
        """Whether the name, with or without a port, is this hub's."""
        return without_port(host) in self._hosts

    def service(self, authorization: str | None, path: str, permission: Permission) -> None:
        """Check a service request's Authorization header. Raises ServiceError 401002."""
        if not authorization:
            raise ServiceError(401002, "Authorization header missing")
        try:
            token = parse_token(authorization)
        except TokenError as error:
            raise ServiceError(401002, f"Authorization header is invalid: {error}") from None
        policy = self._policy(token, path)
        if permission not in policy.permissions:
            raise ServiceError(401002, f"the policy {token.key_name} lacks {permission.value}")

    def trust(self, certificate: bytes | str) -> None:
        """Let a CA (PEM or DER) vouch for devices. Raises ValueError when it is no CA's certificate."""
        self.authorities.append(x509.authority(certificate))

    def device(self, password: bytes | None, identity: Identity, chain: x509.Chain = ()) -> Token | None:
        """Check what a device or module shows: a token, which is returned, or else a certificate.

        Raises ServiceError 401002, 401003.
        """
        if not password and chain:
            self._check_certificate(identity, chain)
            return None
        if not password:
            raise ServiceError(401002, "the device sent neither a token nor a client certificate")
        try:
            token = parse_token(password.decode())
        except (TokenError, UnicodeDecodeError) as error:
            raise ServiceError(401002, f"the password is not a token: {error}") from None
        path = f"devices/{identity.device_id}"
        if identity.module_id is not None:
            path += f"/modules/{identity.module_id}"
        if token.key_name:
            if Permission.DEVICE_CONNECT not in self._policy(token, path).permissions:
                raise ServiceError(401002, f"the policy {token.key_name} lacks DeviceConnect")
            return token
        self._check_scope(token, path)
        if identity.authentication != "sas" or not token.signed_by(identity.keys):
            raise ServiceError(401003, "the token's signature is not of the device's key")
        return token

    def _check_certificate(self, identity: Identity, chain: x509.Chain) -> None:
        now, kind = self._wall(), identity.authentication
        if kind == "selfSigned":
            x509.check_thumbprint(chain, identity.thumbprints, now, self._skew)
        elif kind == "certificateAuthority":
            # Unsure for modules, whose ids many devices share: as Edge has it, the CN is the device's and theirs.
            x509.check_authority(chain, identity.name, self.authorities, now, self._skew)
        else:
            raise ServiceError(401003, f"a certificate is shown, but the device's type is {kind}")

    def _policy(self, token: Token, path: str) -> Policy:
        self._check_scope(token, path)
        policy = self.policies.get(token.key_name)
        if policy is None:
            raise ServiceError(401002, "the token names no policy of this hub")
        if not token.signed_by((policy.primary_key, policy.secondary_key)):
            raise ServiceError(401002, f"the token's signature is not of the key of policy {token.key_name}")
        return policy

    def _check_scope(self, token: Token, path: str) -> None:
        host, _, scope = token.resource.partition("/")
        if not self.knows(host):
            raise ServiceError(401002, f"the token's sr names the host {host!r}, which is not this hub")
        wanted, mine = path.strip("/").split("/"), [part for part in scope.split("/") if part]
        if [part.lower() for part in wanted[: len(mine)]] != [part.lower() for part in mine]:
            raise ServiceError(401002, "the token's sr does not cover this resource")
        if token.expiry + self._skew < self._wall():
            raise ServiceError(401003, "the token has expired")


def without_port(host: str) -> str:
    """`example:8443` to `example`, in lower case; `[::1]:8443` to `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() and ":" not in name else host).lower()
