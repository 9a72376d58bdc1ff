"""Devices that prove themselves by certificate: by its thumbprint, or by a CA that the hub knows.

TLS has seen to it that the device holds the key; everything else is judged here and in `chains`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from harness.emulator.errors import ServiceError

Chain = tuple[bytes, ...]
"""DER, the device's own first."""


def thumbprints(certificate: bytes) -> tuple[str, str]:
    """Return SHA-1 and SHA-256 of a DER certificate in upper-case hex."""
    return hashlib.sha1(certificate).hexdigest().upper(), hashlib.sha256(certificate).hexdigest().upper()


def normal(thumbprint: str) -> str:
    """Return a thumbprint as `thumbprints` writes it: people copy it with colons, spaces and in lower case."""
    return "".join(c for c in thumbprint.upper() if c not in ": -")


def is_thumbprint(text: str) -> bool:
    """Whether it has the digits of a SHA-1 or SHA-256."""
    return len(normal(text)) in (40, 64) and set(normal(text)) <= set("0123456789ABCDEF")


def authority(certificate: bytes | str) -> bytes:
    """Read a CA's certificate, PEM or DER; returns DER. Raises ValueError when it is none."""
    chains = _chains()
    found: bytes = chains.read(certificate)
    try:
        usable = chains.is_authority(found)
    except chains.NotTrusted as error:
        raise ValueError(str(error)) from None
    if not usable:
        raise ValueError("the certificate is not of a CA")
    return found


def check_thumbprint(chain: Chain, known: Iterable[str | None], now: float, skew: float) -> None:
    """Raises ServiceError 401003 unless the certificate has one of these thumbprints and is valid now."""
    if {normal(one) for one in known if one}.isdisjoint(thumbprints(chain[0])):
        raise ServiceError(401003, "the certificate's thumbprint is not one of the device's")
    chains = _chains()
    try:
        chains.check_dates(chain[0], now, skew)
    except chains.NotTrusted as error:
        raise ServiceError(401003, str(error)) from None


def check_authority(chain: Chain, name: str, authorities: Iterable[bytes], now: float, skew: float) -> None:
    """Raises ServiceError 401003 unless the certificate's CN is the name and one of the CAs stands behind it."""
    chains = _chains()
    try:
        found = chains.common_name(chain[0])
        if found != name:
            raise ServiceError(401003, f"the certificate's CN is {found or 'missing'}, not {name}")
        chains.check_path(chain, authorities, now, skew)
    except chains.NotTrusted as error:
        raise ServiceError(401003, str(error)) from None


def _chains() -> Any:
    # On first use: `cryptography` takes longer to import than the rest of a start.
    from harness.emulator import chains

    return chains
