"""Loopback addresses for tests that run side by side: port 8883 is fixed in Microsoft's SDKs, the address is not."""

from __future__ import annotations

import os
import socket
import sys
from itertools import count

PORT = 8883
_turn = count()


def free_address(port: int = PORT) -> str:
    """Return a loopback address on which nobody listens on this port (and which no caller here had lately).

    Every process takes its addresses from a block of its own, so that two test runs side by side do not race for
    one. Where only 127.0.0.1 is set up (macOS), that is the answer.
    """
    if sys.platform == "darwin":
        return "127.0.0.1"
    block = 1 + os.getpid() % 250
    for _ in range(249):
        address = f"127.0.{block}.{2 + next(_turn) % 249}"
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return address
    raise RuntimeError(f"no loopback address of 127.0.{block}.0/24 has port {port} free")
