"""A device that writes its own packets on a TLS socket."""

from __future__ import annotations

import socket
import ssl

from harness.emulator.tokens import sign
from harness.mqtt import Connect, encode
from tests.addresses import PORT
from tests.emulator.watching import Watcher

CONNACK_OK = b"\x20\x02\x00\x00"
EXPIRY = 4_000_000_000


def add_device(running: Watcher, device_id: str = "dev") -> str:
    """Register a device; returns its key."""
    return running.emulator.call(lambda s: s.hub.put_device(device_id, {}, None)).primary_key


def connect_packet(running: Watcher, key: str, device_id: str = "dev", keep_alive: int = 0) -> bytes:
    host = running.endpoints.hub_host
    token = sign(f"{host}/devices/{device_id}", key, EXPIRY)
    name = f"{host}/{device_id}/?api-version=2021-04-12"
    return encode(Connect(device_id, name, token.encode(), keep_alive=keep_alive))


def dial(running: Watcher, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """Connect over TLS and say nothing."""
    raw = socket.create_connection((running.emulator.address, PORT), timeout=10)
    return (context or running.tls()).wrap_socket(raw, server_hostname=running.endpoints.hub_host)


def connected(running: Watcher, key: str, device_id: str = "dev") -> ssl.SSLSocket:
    """Connect over TLS and MQTT."""
    device = dial(running)
    device.sendall(connect_packet(running, key, device_id))
    assert device.recv(4) == CONNACK_OK
    return device
