"""Secrets never leave: the only road to a file or a screen of ours goes through a `Redactor`.

It knows the secrets of the run by value (keys the target handed out, whatever the user lists) and the
usual shapes of others (shared access keys and signatures, private keys) by pattern.
"""

from __future__ import annotations

import base64
import re
import urllib.parse

MASK = "***"

_SHAPES = (
    (("sharedaccesskey",), re.compile(r"(?i)(SharedAccessKey\s*=\s*)[^;\s\"'&]+")),
    (("sig=",), re.compile(r"(?i)(\bsig=)[^&;\s\"']+")),
    (
        ("key", "sastoken"),
        re.compile(
            r"(?i)(\\?\"(?:primaryKey|secondaryKey|symmetricKey|authenticationKey|storageRootKey|sasToken)\\?\""
            r"\s*:\s*\\?\")[^\"\\]+"
        ),
    ),
    (
        ("private key",),
        re.compile(
            r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?:(?!-----END).)*(?=-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        ),
    ),
)
"""Each with words, case folded, of which a match has at least one: looking for them is far cheaper, and a journal of
telemetry has few.
"""
_SHORTEST = 6
"""Shorter strings are not taken as secrets: masking `1` everywhere would destroy the record."""


def _in_base64(secret: str) -> set[str]:
    """How the secret looks within the base64 of something longer, at each of the three places it can begin at.

    The journal holds a payload that is not UTF-8 in base64.
    """
    raw = secret.encode()
    looks = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")
        # The characters at either end also hold bits of what stands beside the secret.
        end = len(encoded) - (1 if (offset + len(raw)) % 3 else 0)
        looks.add(encoded[(0, 2, 3)[offset] : end])
    return {look for look in looks if len(look) >= _SHORTEST}


class Redactor:
    """Masks secrets in text. Thread-safe for reading while secrets are added."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()

    def add(self, *secrets: str | None) -> None:
        """Make these values secret from now on, also as they appear percent-encoded or in JSON."""
        known = set(self._secrets)
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                known |= {
                    *_in_base64(secret),
                    secret,
                    urllib.parse.quote(secret),
                    urllib.parse.quote(secret, safe=""),
                    secret.replace("/", "\\/"),
                }
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """The text with every secret masked."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        folded = text.casefold()
        for words, shape in _SHAPES:
            if any(word in folded for word in words):
                text = shape.sub(rf"\1{MASK}", text)
        return text
