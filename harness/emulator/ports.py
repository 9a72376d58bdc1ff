"""Why an address and port cannot be had, in words that say what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator

from harness.emulator.options import MQTT_PORT, AddressNotLocal, EmulatorError, NotPermitted, PortInUse


def explain(error: OSError, address: str, port: int) -> EmulatorError:
    """Return the error to raise for a failed bind."""
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", 0) == 10048:
        taken = f"Port {port} on {address} is in use by {owner(address, port)}."
        if port != MQTT_PORT:
            return PortInUse(f"{taken} Stop that program, or choose another port or address.")
        return PortInUse(
            f"{taken} Devices expect MQTT on exactly this port: "
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


def without_https(error: EmulatorError, address: str, port: int) -> str:
    """Say what is missing without the HTTPS port, why, and what to do."""
    if isinstance(error, NotPermitted) and sys.platform.startswith("linux") and port < 1024:
        command = f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port}"
        why = f"on Linux, only root may listen on port {port}"
        remedy = f"allow everybody the port with `{command}`"
    elif isinstance(error, PortInUse):
        why = f"port {port} on {address} is in use by {owner(address, port)}"
        remedy = "stop that program, or choose another address of this machine; the SDKs know port 443 only"
    else:
        return f"WebSockets and HTTPS for devices are off. {error}"
    return (
        f"WebSockets and HTTPS for devices are off: {why}. Devices over MQTT on port {MQTT_PORT} need none of it. "
        f"To have it, {remedy}."
    )


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


def loopback_addresses(port: int) -> Iterator[str]:
    """Yield loopback addresses on which nobody listens on this port, in an order of each process's own.

    The port is fixed in Microsoft's SDKs, so emulators side by side need an address each: 127.0.0.2 to
    127.0.0.250 where the system has them, else 127.0.0.1 alone (macOS). A caller may still lose the race for one.
    """
    tried = [f"127.0.0.{2 + (os.getpid() * 7 + turn) % 249}" for turn in range(249)]
    for address in (*tried, "127.0.0.1") if sys.platform != "darwin" else ("127.0.0.1",):
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((address, port))
                probe.close()
                yield address
