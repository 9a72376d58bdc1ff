"""What every look at a server has in common: how long it may take, and how a failure is told."""

from __future__ import annotations

import os
import ssl

SECONDS = 8.0
"""For a name, a connection or a handshake."""


def trusting() -> ssl.SSLContext:
    """TLS with whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def reason(error: OSError) -> str:
    """Without the address, which asyncio puts into the text."""
    return os.strerror(error.errno) if error.errno else str(error)
