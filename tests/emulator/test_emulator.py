"""The emulator as a whole, over real sockets, with peers that behave as no device should."""

from __future__ import annotations

import gc
import logging
import random
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.emulator import AddressNotLocal, Emulator, EmulatorError, EmulatorOptions, NotPermitted, PortInUse
from harness.emulator.hub.connection import HubConnection
from harness.emulator.ports import explain
from harness.emulator.shell.connection import TlsConnection
from harness.emulator.shell.mqtt import MqttConnection
from harness.emulator.tokens import sign
from harness.mqtt import Connect, Publish, ServerSession, encode
from harness.record.events import (
    Event,
    HandshakeFailed,
    HubConnected,
    HubDisconnected,
    ProtocolViolation,
    ProvisioningConnected,
    TelemetryReceived,
)
from tests.addresses import PORT, free_address
from tests.emulator.watching import Watcher

CONNACK_OK = b"\x20\x02\x00\x00"


def add_device(running: Watcher, device_id: str = "dev") -> str:
    return running.emulator.call(lambda s: s.hub.put_device(device_id, {}, None)).primary_key


def connect_packet(running: Watcher, key: str, device_id: str = "dev") -> bytes:
    host = running.endpoints.hub_host
    token = sign(f"{host}/devices/{device_id}", key, 4_000_000_000)
    return encode(Connect(device_id, f"{host}/{device_id}/?api-version=2021-04-12", token.encode()))


def dial(running: Watcher, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    raw = socket.create_connection((running.emulator.address, PORT), timeout=10)
    return (context or running.tls()).wrap_socket(raw, server_hostname=running.endpoints.hub_host)


@pytest.mark.parametrize("uvloop", [True, False])
def test_a_device_over_both_tls_versions(
    start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch, uvloop: bool
) -> None:
    if not uvloop:
        monkeypatch.setitem(sys.modules, "uvloop", None)  # as where it is not installed
    running = start()
    key = add_device(running)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = running.tls()
        context.minimum_version = context.maximum_version = version
        with dial(running, context) as device:
            device.sendall(connect_packet(running, key))
            assert device.recv(4) == CONNACK_OK
            topic = "devices/dev/messages/events/"
            device.sendall(encode(Publish(topic, bytes(200_000), 1, 1)) + encode(Publish(topic, b"2", 1, 2)))
            assert device.recv(8) == b"\x40\x02\x00\x01\x40\x02\x00\x02"[:8]
    versions = [event.tls_version for event in running.seen(HubConnected)]
    assert versions == ["TLSv1.2", "TLSv1.3"]
    assert [len(event.payload) for event in running.seen(TelemetryReceived)] == [200_000, 1] * 2


def test_a_device_that_does_not_trust_the_ca(running: Watcher) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        dial(running, ssl.create_default_context())
    assert "does not trust" in running.wait(HandshakeFailed).reason


def test_plain_mqtt_on_the_tls_port(running: Watcher) -> None:
    with socket.create_connection((running.emulator.address, PORT), timeout=10) as raw:
        raw.sendall(encode(Connect("dev")))
        while raw.recv(1000):
            pass
    assert "not TLS" in running.wait(HandshakeFailed).reason


def test_a_connection_without_a_word(running: Watcher) -> None:
    socket.create_connection((running.emulator.address, PORT)).close()
    assert "before TLS" in running.wait(HandshakeFailed).reason


def test_a_handshake_that_takes_too_long(start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions(handshake_seconds=0.05))
    with socket.create_connection((running.emulator.address, PORT), timeout=10) as raw:
        assert raw.recv(10) == b""
    assert "0.05 s" in running.wait(HandshakeFailed).reason


def test_a_connect_that_takes_too_long(start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsConnection, "_too_slow", lambda *_: None)  # a busy machine needs longer for TLS
    running = start(EmulatorOptions(handshake_seconds=0.05))
    with dial(running) as silent:
        assert silent.recv(10) == b""
    assert running.wait(ProtocolViolation).rule == "connect-timeout"


def test_a_packet_that_is_never_completed(start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions(packet_seconds=0.05))
    with dial(running) as half, dial(running) as good:
        for connection, name in ((half, "dev"), (good, "dev-2")):
            connection.sendall(connect_packet(running, add_device(running, name), name))
            assert connection.recv(4) == CONNACK_OK
        half.sendall(b"\x32\x20half a packet")
        assert half.recv(10) == b""
        assert running.wait(ProtocolViolation).rule == "packet-timeout"
        good.sendall(encode(Publish("devices/dev-2/messages/events/", b"{}", 1, 1)))
        assert good.recv(4) == b"\x40\x02\x00\x01"


def test_too_many_connections(start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions(max_connections=1))
    key = add_device(running)
    with dial(running) as first:
        with pytest.raises(OSError):  # noqa: PT011 - reset or end of file, as the system likes
            dial(running)
        first.sendall(connect_packet(running, key))
        assert first.recv(4) == CONNACK_OK


def test_hostile_bytes_cost_their_own_connection_only(running: Watcher) -> None:
    key = add_device(running)
    chance = random.Random(20240501)
    with dial(running) as good:
        good.sendall(connect_packet(running, key))
        assert good.recv(4) == CONNACK_OK
        for number in range(40):
            with dial(running) as bad:
                prefix = (
                    connect_packet(running, add_device(running, f"bad{number}"), f"bad{number}") if number % 2 else b""
                )
                bad.sendall(prefix + chance.randbytes(chance.randint(1, 400)))
                bad.shutdown(socket.SHUT_WR)
                while bad.recv(1000):
                    pass
        good.sendall(encode(Publish("devices/dev/messages/events/", b"still here", 1, 9)))
        assert good.recv(4) == b"\x40\x02\x00\x09"
    assert running.errors == []


def test_a_failing_receiver_costs_nobody_a_connection(state_dir: Path) -> None:
    errors: list[str] = []

    def emit(event: Event) -> None:
        raise RuntimeError("full disk")

    with Emulator(
        address=free_address(), state_dir=state_dir, emit=emit, on_error=lambda where, _: errors.append(where)
    ) as emulator:
        watcher = Watcher()
        watcher.emulator, watcher.endpoints = emulator, emulator.endpoints
        with dial(watcher) as device:
            device.sendall(connect_packet(watcher, add_device(watcher)))
            assert device.recv(4) == CONNACK_OK
    assert errors[0] == "the receiver of events failed on hub_connected"


def test_dps_and_hub_on_one_port(running: Watcher) -> None:
    enrollment = running.emulator.enroll("reg", device_id="dev")
    scope = running.endpoints.id_scope
    token = sign(f"{scope}/registrations/reg", enrollment.primary_key, 4_000_000_000)
    with dial(running) as device:
        device.sendall(encode(Connect("reg", f"{scope}/registrations/reg/api-version=2019-03-31", token.encode())))
        assert device.recv(4) == CONNACK_OK
    assert running.wait(ProvisioningConnected).return_code == 0


def _emulator_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "preflight-emulator"]


def test_stop_drops_connections_and_ends_the_thread(running: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    threads = _emulator_threads()
    device = dial(running)
    device.sendall(connect_packet(running, add_device(running)))
    assert device.recv(4) == CONNACK_OK
    running.emulator.stop()
    running.emulator.stop()
    assert running.wait(HubDisconnected).reason == "the emulator was stopped"
    assert len(_emulator_threads()) == len(threads) - 1  # other tests may hold emulators of their own
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    device.close()
    with pytest.raises(EmulatorError, match="not running"):
        running.emulator.enroll("late")


def test_a_second_emulator_on_the_address_says_who_has_it(running: Watcher, state_dir: Path) -> None:
    second = Emulator(address=running.emulator.address, state_dir=state_dir, emit=print)
    with pytest.raises(PortInUse, match=r"in use by .*process \d+.*--listen 127\.0\.0\.2"):
        second.start()
    second.stop()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_of_somebody_else(address: str, tmp_path: Path) -> None:
    with pytest.raises(AddressNotLocal, match="not an address of this machine"):
        Emulator(address=address, state_dir=tmp_path, emit=print).start()


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="not an IP address"):
        Emulator(address="my-laptop", state_dir=tmp_path, emit=print).start()


def test_a_port_that_needs_privileges() -> None:
    assert isinstance(explain(PermissionError(13, "Permission denied"), "127.0.0.1", 443), NotPermitted)


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmulatorError, match="Could not keep certificates"):
        Emulator(address=free_address(), state_dir=tmp_path / "file" / "state", emit=print).start()


def test_keys_are_not_in_what_is_printed(running: Watcher) -> None:
    enrollment = running.emulator.enroll("x")
    assert enrollment.primary_key not in repr(enrollment)
    assert "SharedAccessKey" not in repr(running.endpoints)


def _of_connections() -> list[object]:
    return [thing for thing in gc.get_objects() if isinstance(thing, (MqttConnection, ServerSession, HubConnection))]


def test_a_closed_connection_leaves_nothing_behind(running: Watcher) -> None:
    key = add_device(running)
    gc.collect()
    before = _of_connections()  # of emulators that other tests hold
    gc.disable()
    try:
        with dial(running) as device:
            device.sendall(connect_packet(running, key))
            assert device.recv(4) == CONNACK_OK
        running.wait(HubDisconnected)
        running.emulator.call(lambda _: None)
        assert [thing for thing in _of_connections() if all(thing is not one for one in before)] == []
    finally:
        gc.enable()
