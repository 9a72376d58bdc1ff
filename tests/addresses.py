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

    Addresses are 127.0.0.2 to 127.0.0.250, starting from one that depends on the process. Where only 127.0.0.1
    is set up (macOS), that is the answer.
    """
    if sys.platform == "darwin":
        return "127.0.0.1"
    for _ in range(249):
        address = f"127.0.0.{2 + (os.getpid() * 7 + next(_turn)) % 249}"
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return address
    raise RuntimeError(f"no loopback address from 127.0.0.2 to 127.0.0.250 has port {port} free")
