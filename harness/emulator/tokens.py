"""Shared access signatures: reading, checking and making them, and the derived keys of enrollment groups.

    SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={key name}]

The signature is HMAC-SHA256, with the base64-decoded key, over the text of `sr` exactly as it was sent, a
newline and `se`. Devices encode `sr` in several ways (%2F, %2f, not at all) and order the fields as they
like.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import quote, unquote

PREFIX = "SharedAccessSignature "
_MAX_TOKEN = 4096
_BEFORE_ANY_TOKEN = 1_400_000_000
"""Unix time of 2014, before there was an IoT Hub: whoever counts from 1970 or 2000 is still below it."""


class TokenError(ValueError):
    """The text is not a shared access signature, or it does not hold. The message never quotes the token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token, not yet checked. `raw_resource` is `sr` as sent, `resource` decoded; `expiry` is Unix
    time.
    """

    raw_resource: str
    resource: str
    expiry: int
    raw_expiry: str
    key_name: str
    signature: bytes = field(repr=False)

    def signed_by(self, keys: Iterable[str]) -> bool:
        """Whether one of these base64 keys made the signature. Compares in constant time."""
        return any(hmac.compare_digest(self.signature, self._sign(key)) for key in keys)

    def overdue(self, now: float) -> str:
        """Say by how much the token is over. For the record: a device's clock is the usual cause."""
        ended, late = datetime.fromtimestamp(self.expiry, timezone.utc), now - self.expiry
        ago = f"{late / 86400:.0f} days" if late > 2 * 86400 else f"{late / 60:.0f} min"
        unset = ", as of a clock that was never set" if self.expiry < _BEFORE_ANY_TOKEN else ""
        return f"the token has expired: its se is {ended:%Y-%m-%dT%H:%M:%SZ}, {ago} ago{unset}"

    def _sign(self, key: str) -> bytes:
        return _hmac(key, f"{self.raw_resource}\n{self.raw_expiry}")


def parse_token(text: str) -> Token:
    """Read a token's fields, in any order. Raises TokenError."""
    if not text.startswith(PREFIX) or len(text) > _MAX_TOKEN:
        raise TokenError("not a SharedAccessSignature")
    fields = dict(pair.partition("=")[::2] for pair in text[len(PREFIX) :].strip().split("&"))
    raw, raw_expiry = fields.get("sr", ""), fields.get("se", "")
    if not raw or not fields.get("sig"):
        raise TokenError("the token has no sr or no sig")
    if not (raw_expiry.isascii() and raw_expiry.isdigit() and len(raw_expiry) <= 12):
        raise TokenError("the token's se is not a time in seconds")
    try:
        signature = base64.b64decode(unquote(fields["sig"]), validate=True)
    except (binascii.Error, ValueError):
        raise TokenError("the token's sig is not base64") from None
    return Token(raw, unquote(raw), int(raw_expiry), raw_expiry, unquote(fields.get("skn", "")), signature)


def sign(resource: str, key: str, expiry: int, key_name: str | None = None) -> str:
    """Make a token. `resource` is not yet encoded; `key` is base64."""
    raw = quote(resource, safe="")
    signature = quote(base64.b64encode(_hmac(key, f"{raw}\n{expiry}")).decode(), safe="")
    name = f"&skn={quote(key_name, safe='')}" if key_name else ""
    return f"{PREFIX}sr={raw}&sig={signature}&se={expiry}{name}"


def new_key(size: int = 64) -> str:
    """Return a random key in base64, of as many bytes as Azure makes them for an enrollment."""
    return base64.b64encode(secrets.token_bytes(size)).decode()


def is_key(text: str) -> bool:
    """Whether the text is base64 of 16 to 64 bytes, as the services demand of a key."""
    try:
        return 16 <= len(base64.b64decode(text, validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False


def derive_key(group_key: str, registration_id: str) -> str:
    """Return the device key of a group enrollment (concepts-symmetric-key-attestation, "Group enrollments")."""
    return base64.b64encode(_hmac(group_key, registration_id)).decode()


def _hmac(key: str, text: str) -> bytes:
    return hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)
