"""Shared access policies and the tokens signed with their keys, as hub and DPS have them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from harness.emulator.errors import ServiceError
from harness.emulator.tokens import Token, TokenError, parse_token


class Keys(Protocol):
    """A policy, as far as its token is to be checked."""

    @property
    def primary_key(self) -> str: ...
    @property
    def secondary_key(self) -> str: ...


P = TypeVar("P", bound=Keys)


class Doorman:
    """Reads tokens and checks what they are for. `hosts` are the names of the service `what`, without a port; `skew`
    is allowed in seconds. Everything raises ServiceError 401002, and 401003 for a token that is over.
    """

    def __init__(self, what: str, hosts: Iterable[str], wall: Callable[[], float], skew: float) -> None:
        self._what = what
        self._hosts = {host.lower() for host in hosts}
        self._wall = wall
        self._skew = skew

    def knows(self, host: str) -> bool:
        """Whether the name, with or without a port, is this service's."""
        return without_port(host) in self._hosts

    def read(self, authorization: str | None) -> Token:
        """Return the token of an Authorization header."""
        if not authorization:
            raise ServiceError(401002, "Authorization header missing")
        try:
            return parse_token(authorization)
        except TokenError as error:
            raise ServiceError(401002, f"Authorization header is invalid: {error}") from None

    def policy(self, token: Token, path: str, policies: Mapping[str, P]) -> P:
        """Return the policy that has signed a token for this resource."""
        self.check_scope(token, path)
        policy = policies.get(token.key_name)
        if policy is None:
            raise ServiceError(401002, f"the token names no policy of {self._what}")
        if not token.signed_by((policy.primary_key, policy.secondary_key)):
            raise ServiceError(401002, f"the token's signature is not of the key of policy {token.key_name}")
        return policy

    def check_scope(self, token: Token, path: str, *, whole: bool = False) -> None:
        """Raises unless the token is for this service, covers the path by whole segments, and is not over.

        `whole`: nor may it cover more, for its key is of whatever the path names.
        """
        host, _, scope = token.resource.partition("/")
        if not self.knows(host):
            raise ServiceError(401002, f"the token's sr names the host {host!r}, which is not {self._what}")
        wanted, mine = _segments(path), _segments(scope)
        if wanted[: len(mine)] != mine:
            raise ServiceError(401002, "the token's sr does not cover this resource")
        if whole and len(mine) < len(wanted):
            raise ServiceError(
                401002, f"the token has no skn, and its sr does not cover {path} alone, whose key it needs"
            )
        if token.expiry + self._skew < self._wall():
            raise ServiceError(401003, "the token has expired", cause=token.overdue(self._wall()))


def without_port(host: str) -> str:
    """`example:8443` to `example`, in lower case; `[::1]:8443` to `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() and ":" not in name else host).lower()


def _segments(path: str) -> list[str]:
    return [part.lower() for part in path.split("/") if part]
