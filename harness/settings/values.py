"""How the text of a setting is read: each function takes a text or a TOML value and raises ValueError with a reason."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def seconds(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 < number < 1e6:
        raise ValueError("a number of seconds above 0 is expected")
    return number


def some_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    return value.strip()


class Location(str):
    """A directory or a URL."""

    __slots__ = ()


def locations(value: Any) -> tuple[Location, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)):
        raise ValueError("a text or a list of texts is expected")
    return tuple(
        Location(Path(some_text(v)).expanduser() if "://" not in some_text(v) else some_text(v)) for v in values
    )


def webhook(value: Any) -> str:
    text = some_text(value)
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("a URL is expected") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and (host == "localhost" or host.startswith("127."))):
        raise ValueError("an https URL is expected, for DPS calls no other")
    if not host or parts.username is not None or any(c.isspace() for c in text):
        raise ValueError("a URL with a host, without a user name and without spaces is expected")
    return text


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError("true or false is expected")
    return words[str(value).lower()]


def path(value: Any) -> Path:
    return Path(some_text(value)).expanduser()


def in_base64(value: Any) -> str:
    text = "".join(some_text(value).split())
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("base64 is expected") from None
    return text


def tpm_registration_id(endorsement_key: str) -> str:
    """The registration id that Microsoft's SDKs give a device with a TPM that was told none.

    It is the SHA-256 of the public endorsement key (TPM2B_PUBLIC, here in base64), in base32, lower case, unpadded.
    """
    digest = hashlib.sha256(base64.b64decode(endorsement_key)).digest()
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()
