"""What a connection may do, and until when: the tokens and passwords it has shown.

Two kinds of tokens come to the same port. An Event Hubs token names `sb://host/entity` and is signed with
the key's text as it stands; a hub's names the host alone and is signed with the key base64-decoded.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from harness.emulator.errors import ServiceError
from harness.emulator.hub.access import Access, Permission
from harness.emulator.tokens import Token, TokenError, parse_token

_URL = re.compile(r"(?:sb|amqps?)://([^/]*)/*(.*)", re.IGNORECASE)
_ROOT = "@sas.root."


class Refused(Exception):
    """A credential does not hold. The message never quotes it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """`events` is what an Event Hubs credential opens, else the hub's own nodes. `expiry` is Unix time, or
    None.
    """

    events: bool
    path: tuple[str, ...]
    expiry: float | None


class Authority:
    """Checks credentials of services against the hub's policies; only ServiceConnect counts here."""

    def __init__(self, access: Access, hub_host: str, wall: Callable[[], float], skew: float) -> None:
        """`skew` is what clocks may differ, in seconds."""
        self._access = access
        self._skew = skew
        self._hub_names = {hub_host.lower(), hub_host.lower().partition(".")[0]}
        self._wall = wall

    def token(self, text: str) -> Grant:
        """Check a shared access signature of either kind. Raises Refused."""
        try:
            token = parse_token(text)
        except TokenError as error:
            raise Refused(f"InvalidToken: {error}") from None
        url = _URL.fullmatch(token.resource)
        return self._event_hubs(token, url[1], url[2]) if url else self._hub(text, token)

    def plain(self, user: str, password: str) -> Grant:
        """Check SASL PLAIN: `{policy}@sas.root.{hub}` with a token, or policy and key. Raises Refused."""
        name, at_root, hub = user.partition(_ROOT)
        if at_root:
            if hub.lower() not in self._hub_names:
                raise Refused(f"the user name is for the hub {hub!r}, which is not this one")
            grant = self.token(password)
            if grant.events or parse_token(password).key_name != name:
                raise Refused("the password is no hub token of the user's policy")
            return grant
        keys = self._keys(user)
        if not any(hmac.compare_digest(key.encode(), password.encode()) for key in keys):
            raise Refused("the user name is no policy of this hub, or the password is not its key")
        return Grant(True, (), None)

    def _hub(self, text: str, token: Token) -> Grant:
        # A token for a part of the hub is checked against that part: the link's address comes later.
        path = token.resource.partition("/")[2]
        try:
            self._access.service(text, path, Permission.SERVICE_CONNECT)
        except ServiceError as error:
            raise Refused(error.message) from None
        return Grant(False, _segments(path), token.expiry + self._skew)

    def _event_hubs(self, token: Token, host: str, path: str) -> Grant:
        if not self._access.knows(host):
            raise Refused(f"InvalidAudience: the token is for the host {host!r}, which is not this one")
        if token.expiry + self._skew < self._wall():
            raise Refused("ExpiredToken: the token has expired")
        raw = [base64.b64encode(key.encode()).decode() for key in self._keys(token.key_name)]
        if not token.signed_by(raw):
            raise Refused("InvalidSignature: the token's signature is not of its policy's key")
        return Grant(True, _segments(path), token.expiry + self._skew)

    def _keys(self, name: str) -> tuple[str, ...]:
        policy = self._access.policies.get(name)
        if policy is None:
            raise Refused("PutTokenAuthorizationFailed: there is no such policy")
        if Permission.SERVICE_CONNECT not in policy.permissions:
            raise Refused(f"PutTokenAuthorizationFailed: the policy {name} lacks ServiceConnect")
        return policy.primary_key, policy.secondary_key


class Grants:
    """What one connection has been granted so far."""

    __slots__ = ("_held", "_wall")

    def __init__(self, wall: Callable[[], float]) -> None:
        self._held: dict[tuple[bool, tuple[str, ...]], Grant] = {}
        self._wall = wall

    def add(self, grant: Grant) -> None:
        """A newer token for the same thing takes the older one's place."""
        self._held[grant.events, grant.path] = grant

    def allow(self, path: str, *, events: bool) -> bool:
        """Whether a path of the event hub, or of the hub, is covered by a grant that has not expired."""
        wanted, now = _segments(path), self._wall()
        return any(
            grant.events == events
            and wanted[: len(grant.path)] == grant.path
            and (grant.expiry is None or grant.expiry > now)
            for grant in self._held.values()
        )

    def next_expiry(self) -> float | None:
        """Return the Unix time at which the next grant ends, None when none will."""
        now = self._wall()
        times = [grant.expiry for grant in self._held.values() if grant.expiry is not None and grant.expiry > now]
        return min(times, default=None)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.lower().split("/") if part)
