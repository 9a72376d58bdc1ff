"""Thousands of connects and drops end with the memory and the descriptors they began with.

More with CHURN=20000 (connections). Every way a connection can end takes its turn.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.emulator import Emulator, EmulatorOptions
from harness.emulator.hub.connection import HubConnection
from harness.emulator.shell.connection import TlsConnection
from harness.mqtt import Connect, Disconnect, Publish, ServerSession, Subscribe, encode
from harness.record.events import Event
from tests.addresses import PORT, free_address
from tests.emulator.live.raw import CONNACK_OK, connect_packet
from tests.emulator.watching import Watcher

COUNT = int(os.environ.get("CHURN", "300"))
SLACK_KIB = 2_048 + COUNT / 10
"""What the allocator may keep; one connection in three left behind would be more."""
ROUNDS = 3
"""A heap that other tests have cut to pieces may grow once for nothing, but what leaks grows every time."""
_RESET = struct.pack("ii", 1, 0)


class Silent(Watcher):
    """Keeps no events: they would be the memory that grows."""

    def emit(self, event: Event) -> None:
        return


@pytest.fixture(params=["never", "always"])
def running(request: pytest.FixtureRequest, state_dir: Path) -> Iterator[Watcher]:
    watcher = Silent()
    options = EmulatorOptions(https_port=None, client_certificates=request.param)
    with Emulator(
        address=free_address(), state_dir=state_dir, emit=watcher.emit, options=options, on_error=watcher.on_error
    ) as emulator:
        watcher.emulator, watcher.endpoints = emulator, emulator.endpoints
        yield watcher


class Churn:
    """Connections by one device, each ended in another way."""

    def __init__(self, running: Watcher) -> None:
        key = running.emulator.call(lambda s: s.hub.put_device("dev", {}, None)).primary_key
        self._hello = connect_packet(running, key)
        self._address = running.emulator.address
        self._tls = running.tls()
        self._ways: tuple[Callable[[socket.socket], None], ...] = (
            self._says_nothing,
            self._half_a_handshake,
            self._resets,
            self._leaves,
            self._disconnects,
            self._breaks_a_rule,
            self._is_refused,
        )

    def run(self, count: int) -> None:
        for number in range(count):
            with (
                socket.create_connection((self._address, PORT), timeout=10) as raw,
                contextlib.suppress(ConnectionError, ssl.SSLError),
            ):
                self._ways[number % len(self._ways)](raw)

    def _device(self, raw: socket.socket) -> ssl.SSLSocket:
        device = self._tls.wrap_socket(raw, server_hostname=self._address)
        device.sendall(self._hello)
        assert device.recv(4) == CONNACK_OK
        return device

    def _says_nothing(self, raw: socket.socket) -> None:
        raw.close()

    def _half_a_handshake(self, raw: socket.socket) -> None:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00")

    def _resets(self, raw: socket.socket) -> None:
        with self._device(raw) as device:
            device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _leaves(self, raw: socket.socket) -> None:
        with self._device(raw) as device:
            device.sendall(encode(Subscribe(1, (("$iothub/twin/res/#", 1),))))

    def _disconnects(self, raw: socket.socket) -> None:
        with self._device(raw) as device:
            device.sendall(encode(Publish("devices/dev/messages/events/", b"1")) + encode(Disconnect()))

    def _breaks_a_rule(self, raw: socket.socket) -> None:
        with self._device(raw) as device:
            device.sendall(b"\x00\x00")
            device.recv(1)

    def _is_refused(self, raw: socket.socket) -> None:
        with self._tls.wrap_socket(raw, server_hostname=self._address) as device:
            device.sendall(encode(Connect("dev", f"{self._address}/dev/?api-version=2021-04-12")))
            device.recv(1)


def open_connections(running: Watcher) -> int:
    return running.emulator.call(lambda s: sum(len(one.connections) for one in s._device_listeners))


def settle(running: Watcher) -> None:
    """Wait until the emulator has noticed that everybody is gone."""
    for _ in range(1000):
        if not open_connections(running):
            return
    raise AssertionError(f"{open_connections(running)} connections are still there")


def of_connections() -> list[object]:
    return [o for o in gc.get_objects() if isinstance(o, (TlsConnection, ServerSession, HubConnection))]


def test_nothing_is_left(running: Watcher) -> None:
    gc.collect()
    held = of_connections()  # by emulators of other tests; referred to here, so that no id comes to be another's
    others = set(map(id, held))
    churn, process = Churn(running), psutil.Process()
    churn.run(COUNT // 3)  # what caches and allocators take once
    settle(running)
    gc.collect()
    files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    grown: list[float] = []
    for _ in range(ROUNDS):
        memory = process.memory_info().rss
        churn.run(COUNT)
        settle(running)
        gc.collect()
        assert [o for o in of_connections() if id(o) not in others] == []
        assert (process.num_fds() if hasattr(process, "num_fds") else process.num_handles()) <= files
        grown.append((process.memory_info().rss - memory) / 1024)
        if grown[-1] < SLACK_KIB:
            break
    if sys.platform == "linux":
        assert min(grown) < SLACK_KIB, f"{grown} KiB more after {COUNT} connections each time"
    assert running.errors == []
