"""Hostile bytes on live connections: seeded, and longer with FUZZ_CONNECTIONS=20000.

Whatever comes, it costs its own connection only, the emulator says no word of a fault of its own, and a device
that behaves goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import socket
import ssl
from collections.abc import Callable

import pytest

from harness.emulator import EmulatorOptions
from harness.mqtt import Disconnect, Pingreq, Publish, Subscribe, Unsubscribe, encode
from harness.mqtt.packets import PUBACK, Acknowledgement
from harness.record.events import HandshakeFailed
from tests.addresses import PORT
from tests.emulator.live.raw import CONNACK_OK, add_device, connect_packet, connected, dial
from tests.emulator.watching import Watcher

COUNT = int(os.environ.get("FUZZ_CONNECTIONS", "150"))
SEED = 20_240_501


def hub_story(device_id: str) -> list[bytes]:
    """What a device may send after CONNECT."""
    filters = (
        ("$iothub/twin/res/#", 0),
        ("$iothub/methods/POST/#", 1),
        (f"devices/{device_id}/messages/devicebound/#", 1),
    )
    return [
        encode(Subscribe(1, filters)),
        encode(Publish(f"devices/{device_id}/messages/events/%24.ct=a%2Fb&x=%C3%A4", b"{}", 1, 2)),
        encode(Publish("$iothub/twin/GET/?$rid=1", b"", 0)),
        encode(Publish("$iothub/twin/PATCH/properties/reported/?$rid=2", b'{"a": {"b": null}}', 1, 3)),
        encode(Publish("$iothub/methods/res/200/?$rid=3", b"null", 0)),
        encode(Unsubscribe(4, ("$iothub/twin/res/#",))),
        encode(Acknowledgement(PUBACK, 1)),
        encode(Pingreq()),
        encode(Disconnect()),
    ]


DPS_STORY = [
    encode(Subscribe(1, (("$dps/registrations/res/#", 1),))),
    encode(
        Publish("$dps/registrations/PUT/iotdps-register/?$rid=1", b'{"registrationId": "x", "payload": null}', 1, 2)
    ),
    encode(Publish("$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=4.a", b" ", 1, 3)),
]


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Bytes flipped, dropped, repeated, moved, or another length where a length may be."""
    changed = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 8))):
        at = chance.randrange(len(changed) or 1)
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = bytes((chance.randrange(256),))
            case 1:
                del changed[at : at + chance.randrange(1, 20)]
            case 2:
                changed[at:at] = changed[at : at + chance.randrange(1, 40)]
            case 3:
                changed[at:at] = chance.randbytes(chance.randrange(1, 40))
            case _:
                changed[at : at + 2] = chance.choice(
                    (b"\xff\xff", b"\0\0", b"\x80\x80\x80\x80\x01", b"\xff\xff\xff\x7f")
                )
    return bytes(changed)


def stream(running: Watcher, chance: random.Random, key: str, device_id: str) -> bytes:
    """One connection's bytes: mostly a story that begins well and goes wrong somewhere."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(1, 500))
    hello = connect_packet(running, key, device_id)
    story = [chance.choice(hub_story(device_id) + DPS_STORY) for _ in range(chance.randrange(1, 8))]
    if chance.random() < 0.3:
        return mutate(chance, hello + b"".join(story))
    return hello + mutate(chance, b"".join(story))


def send(chance: random.Random, device: ssl.SSLSocket, data: bytes) -> None:
    """Write in pieces, then wait until the emulator has closed or answered; or go away at once."""
    with contextlib.suppress(OSError):
        while data:
            size = chance.choice((1, 7, 100, len(data)))
            device.sendall(data[:size])
            data = data[size:]
        if chance.random() < 0.2:
            return
        device.shutdown(socket.SHUT_WR)
        while device.recv(4096):
            pass


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    return start(EmulatorOptions(https_port=0))


def still_serves(running: Watcher, device: ssl.SSLSocket, caplog: pytest.LogCaptureFixture) -> None:
    device.sendall(encode(Publish("devices/good/messages/events/", b"still here", 1, 9)))
    assert device.recv(4) == b"\x40\x02\x00\x09"
    assert running.errors == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("harness")] == []


def test_mqtt(running: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    chance = random.Random(SEED)
    keys = {name: add_device(running, name) for name in ("good", "bad-0", "bad-1", "bad-2")}
    with connected(running, keys["good"], "good") as good:
        context = running.tls()
        for number in range(COUNT):
            name = f"bad-{number % 3}"
            with dial(running, context) as device:
                send(chance, device, stream(running, chance, keys[name], name))
        still_serves(running, good, caplog)


def test_below_tls(running: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    chance = random.Random(SEED)
    hello = client_hello(running)
    with connected(running, add_device(running, "good"), "good") as good:
        for _ in range(COUNT):
            data = mutate(chance, hello) if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 300))
            with (
                socket.create_connection((running.emulator.address, PORT), timeout=10) as raw,
                contextlib.suppress(OSError),
            ):
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(4096):
                    pass
        still_serves(running, good, caplog)
    assert running.seen(HandshakeFailed)


def client_hello(running: Watcher) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = running.tls().wrap_bio(incoming, outgoing, server_hostname=running.endpoints.hub_host)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_websockets(running: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    chance = random.Random(SEED)
    keys = {name: add_device(running, name) for name in ("good", "bad")}
    host, port = running.endpoints.hub_host, running.endpoints.https_port
    upgrade = (
        f"GET /$iothub/websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    ).encode()
    with connected(running, keys["good"], "good") as good:
        context = running.tls()
        for _ in range(COUNT // 2):
            frame = masked(stream(running, chance, keys["bad"], "bad"))
            story = mutate(chance, upgrade) + frame if chance.random() < 0.4 else upgrade + mutate(chance, frame)
            with (
                socket.create_connection((running.emulator.address, int(port or 0)), timeout=10) as raw,
                context.wrap_socket(raw, server_hostname=host) as device,
            ):
                send(chance, device, story)
        still_serves(running, good, caplog)


def masked(data: bytes) -> bytes:
    """One binary frame, masked with zeros (RFC 6455, 5.2)."""
    size = len(data)
    header = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return header + bytes(4) + data


def test_the_stories_are_right(running: Watcher) -> None:
    """Unchanged they are legal; else the fuzzing would only ever try the first packet."""
    key = add_device(running)
    with connected(running, key) as device:
        device.sendall(b"".join(hub_story("dev")[:-1]))
        received = b""
        while not received.endswith(b"\xd0\x00"):
            received += device.recv(4096)
    assert CONNACK_OK not in received
