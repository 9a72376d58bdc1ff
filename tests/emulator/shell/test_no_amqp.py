"""A device that comes by AMQP is heard and sent away."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.options import AMQP_PORT
from harness.emulator.shell.connection import TlsConnection
from harness.record.events import HandshakeFailed, ProtocolViolation
from tests.addresses import free_address
from tests.emulator.watching import DEADLINE, Watcher

HEARD = EmulatorOptions(https_port=None, amqp_refusal_port=AMQP_PORT)


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    return start(HEARD)


def say(running: Watcher, *words: bytes) -> bytes:
    """Send these over TLS one by one; what comes back until the connection is closed."""
    host = running.endpoints.hub_host
    with (
        socket.create_connection((host, AMQP_PORT), timeout=DEADLINE) as plain,
        running.tls().wrap_socket(plain, server_hostname=host) as tls,
    ):
        for word in words:
            tls.sendall(word)
        return tls.recv(1)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ((b"AMQP\x03\x01\x00\x00",), "amqp"),
        ((b"AMQP\x00\x01\x00\x00" + bytes(5000),), "amqp"),
        ((b"AM", b"QP\x03\x01\x00\x00"), "amqp"),
        ((b"GET / HTTP/1.1\r\n\r\n",), "unsupported-protocol"),
    ],
    ids=["sasl", "plain and more", "in two pieces", "http"],
)
def test_what_is_spoken_there_is_told_and_the_connection_closed(
    running: Watcher, words: tuple[bytes, ...], rule: str
) -> None:
    assert say(running, *words) == b""
    violation = running.wait(ProtocolViolation)
    assert (violation.rule, violation.device_id, violation.closed) == (rule, "", True)
    assert not running.errors


def test_one_that_says_too_little_is_cut_off(start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsConnection, "_too_slow", lambda *_: None)  # a busy machine needs longer for TLS
    running = start(replace(HEARD, handshake_seconds=1.0))
    assert say(running, b"AM") == b""
    assert not running.seen(ProtocolViolation)


def test_one_that_does_not_trust_the_ca_is_told_as_on_other_ports(running: Watcher) -> None:
    with socket.create_connection((running.endpoints.hub_host, AMQP_PORT), timeout=DEADLINE) as plain:
        plain.sendall(b"AMQP\x00\x01\x00\x00")
        plain.recv(100)
    assert running.wait(HandshakeFailed)


def test_a_port_that_is_taken_is_left_alone(start: Callable[..., Watcher]) -> None:
    address = free_address()
    with socket.create_server((address, AMQP_PORT)):
        watcher = start(HEARD, address)
    assert watcher.endpoints.hub_host == address
