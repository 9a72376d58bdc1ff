"""Who may do what in a hub: shared access policies, device keys and certificates, and the check of what a caller
shows against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from harness.emulator.errors import ServiceError
from harness.emulator.hub import x509
from harness.emulator.hub.registry import Identity
from harness.emulator.options import EmulatorOptions
from harness.emulator.policies import Doorman
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
    """Checks tokens and certificates. `hosts` are the names this hub goes by, without a port."""

    def __init__(self, hosts: Iterable[str], wall: Callable[[], float], options: EmulatorOptions) -> None:
        self.policies = default_policies()
        self.authorities: list[bytes] = []
        """CA certificates, DER, that vouch for devices of type `certificateAuthority`; see `trust`."""
        self._doorman = Doorman("this hub", hosts, wall, options.token_skew)
        self._wall = wall
        self._options = options

    def knows(self, host: str) -> bool:
        """Whether the name, with or without a port, is this hub's."""
        return self._doorman.knows(host)

    def service(self, authorization: str | None, path: str, permission: Permission) -> None:
        """Check a service request's Authorization header. Raises ServiceError 401002, 401003."""
        token = self._doorman.read(authorization)
        if permission not in self._doorman.policy(token, path, self.policies).permissions:
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
            if Permission.DEVICE_CONNECT not in self._doorman.policy(token, path, self.policies).permissions:
                raise ServiceError(401002, f"the policy {token.key_name} lacks DeviceConnect")
            return token
        self._doorman.check_scope(token, path, whole=True)
        if identity.authentication != "sas" or not token.signed_by(identity.keys):
            raise ServiceError(401003, "the token's signature is not of the device's key")
        return token

    def _check_certificate(self, identity: Identity, chain: x509.Chain) -> None:
        now, skew, kind = self._wall(), self._options.token_skew, identity.authentication
        if kind == "selfSigned":
            x509.check_thumbprint(chain, identity.thumbprints, now, skew)
        elif kind == "certificateAuthority":
            alone = self._options.module_certificate_name == "module" and identity.module_id is not None
            name = str(identity.module_id) if alone else identity.name
            x509.check_authority(chain, name, self.authorities, now, skew)
        else:
            raise ServiceError(401003, f"a certificate is shown, but the device's type is {kind}")
