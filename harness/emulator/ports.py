"""Why an address and port cannot be had, in words that say what to do."""

from __future__ import annotations

import errno

from harness.emulator.options import AddressNotLocal, EmulatorError, NotPermitted, PortInUse


def explain(error: OSError, address: str, port: int) -> EmulatorError:
    """Return the error to raise for a failed bind."""
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", 0) == 10048:
        return PortInUse(
            f"Port {port} on {address} is in use by {owner(address, port)}. Devices expect MQTT on exactly this port: "
            f"stop that program, or choose another address of this machine with --listen, as --listen 127.0.0.2."
        )
    if error.errno == errno.EADDRNOTAVAIL or getattr(error, "winerror", 0) == 10049:
        return AddressNotLocal(
            f"{address} is not an address of this machine. Choose one that is with --listen: 127.0.0.1 for devices "
            f"on this machine, its LAN address for a physical device."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return NotPermitted(
            f"The operating system does not let this user listen on port {port} of {address}. "
            f"Choose another address with --listen, or ask the machine's administrator."
        )
    return EmulatorError(f"Could not listen on {address} port {port}: {error.strerror or error}.")


def owner(address: str, port: int) -> str:
    """Say which process listens on a TCP port of an address, as well as this user may know."""
    import psutil

    taking = {address, "0.0.0.0", "::"}
    try:
        listeners = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr]
        pids = {c.pid for c in listeners if c.laddr.port == port and c.laddr.ip in taking}
    except (psutil.Error, OSError):
        return "another process (which one, this user may not see)"
    for pid in sorted(pid for pid in pids if pid):
        try:
            return f"{psutil.Process(pid).name()} (process {pid})"
        except psutil.Error:
            continue
    return "another process (which one, this user may not see)"
