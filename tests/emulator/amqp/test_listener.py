"""The AMQP port over real sockets: azure-iot-hub's messages to devices, redirects, and peers that misbehave."""

from __future__ import annotations

import importlib.util
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from harness.emulator import EmulatorError, EmulatorOptions, NotPermitted, PortInUse
from tests.addresses import free_address
from tests.emulator.watching import Watcher

needs_proton = pytest.mark.skipif(
    importlib.util.find_spec("proton") is None, reason="needs the extra: pip install 'pnp-preflight[eventhub]'"
)
needs_uamqp = pytest.mark.skipif(
    importlib.util.find_spec("uamqp") is None, reason="azure-iot-hub sends messages with uamqp, which is not here"
)
SECONDS = 20.0
AMQPS = 5671
SEND = """
import sys
from azure.iot.hub import IoTHubRegistryManager
manager = IoTHubRegistryManager.from_connection_string(sys.argv[1])
for device in sys.argv[2:]:
    try:
        manager.send_c2d_message(device, "hello", {"messageId": "m-1", "iothub-ack": "full", "colour": "red"})
        print("sent")
    except Exception as error:
        print(error)
"""
Start = Callable[..., Watcher]


def amqp_port(running: Watcher) -> int:
    return int(running.endpoints.event_hub_connection_string.partition("/;")[0].rpartition(":")[2])


def dial(running: Watcher) -> ssl.SSLSocket:
    raw = socket.create_connection((running.emulator.address, amqp_port(running)), timeout=SECONDS)
    return running.tls().wrap_socket(raw, server_hostname=running.endpoints.hub_host)


def ended(peer: socket.socket) -> bool:
    """Whether the other side closes, reading what it still says."""
    try:
        while peer.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def test_off_unless_asked_for(running: Watcher) -> None:
    assert running.endpoints.event_hub_connection_string == ""


def test_without_the_extra_the_error_names_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("harness.emulator.amqp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "proton", None)
    with pytest.raises(EmulatorError, match=r"pip install 'pnp-preflight\[eventhub\]'"):
        start(EmulatorOptions(amqp_port=0))


@needs_proton
def test_a_taken_port_is_explained(start: Start) -> None:
    address = free_address(AMQPS)
    with socket.create_server((address, 0)) as taken, pytest.raises((PortInUse, NotPermitted)) as error:
        start(EmulatorOptions(amqp_port=taken.getsockname()[1]), address)
    assert "Event Hubs" in str(error.value)


@needs_proton
@needs_uamqp
def test_azure_iot_hub_sends_a_message_to_a_device(start: Start) -> None:
    running = start(EmulatorOptions(amqp_port=AMQPS), free_address(AMQPS))
    running.emulator.call(lambda services: services.hub.put_device("dev", {}, None))
    # In a process of its own: uamqp reads SSL_CERT_FILE, and its C code is not to share our interpreter.
    done = subprocess.run(
        [sys.executable, "-c", SEND, running.endpoints.hub_connection_string, "dev", "nobody"],
        env={**os.environ, "SSL_CERT_FILE": str(running.endpoints.ca_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["sent", "C2D message send failure"], done.stderr

    def taken(services: Any) -> Any:
        return services.hub.c2d.queue(services.hub.registry.get("dev")).take()

    lent = running.emulator.call(taken)
    assert (lent.item.payload, lent.item.id, lent.item.ack) == (b"hello", "m-1", "full")
    assert lent.item.properties == {"colour": "red"}


@needs_proton
def test_a_blocking_client_finds_the_event_hub_from_the_hub(start: Start) -> None:
    from proton import SSLDomain
    from proton.utils import BlockingConnection, LinkDetached

    from harness.emulator.tokens import sign

    running = start(EmulatorOptions(amqp_port=0))
    host, port = running.endpoints.hub_host, amqp_port(running)
    key = running.emulator.call(lambda services: services.hub.access.policies["service"].primary_key)
    domain = SSLDomain(SSLDomain.MODE_CLIENT)
    domain.set_trusted_ca_db(str(running.endpoints.ca_path))
    domain.set_peer_authentication(SSLDomain.VERIFY_PEER)
    connection = BlockingConnection(
        f"amqps://{host}:{port}",
        timeout=SECONDS,
        ssl_domain=domain,
        allowed_mechs="PLAIN",
        user=f"service@sas.root.{host.partition('.')[0]}",
        password=sign(host, key, 4_000_000_000, "service"),
    )
    with pytest.raises(LinkDetached) as error:
        connection.create_receiver("messages/events/$management")
    link: Any = error.value.link
    found = link.remote_condition
    connection.close()
    assert found.name == "amqp:link:redirect"
    assert (found.info["hostname"], found.info["port"]) == (host, port)
    entity = found.info["address"].partition("//")[2].split("/")[1]
    assert f"EntityPath={entity}" in running.endpoints.event_hub_connection_string


@needs_proton
@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"AMQP\x00\x02\x00\x00",
        b"AMQP\x03\x01\x00\x00\x7f\xff\xff\xff\x02\x01\x00\x00",
    ],
)
def test_what_is_not_amqp_costs_that_connection_only(start: Start, data: bytes) -> None:
    running = start(EmulatorOptions(amqp_port=0))
    with dial(running) as sound, dial(running) as broken:
        broken.sendall(data)
        assert ended(broken)
        sound.sendall(b"AMQP\x03\x01\x00\x00")
        assert sound.recv(8) == b"AMQP\x03\x01\x00\x00"
    assert running.errors == []


@needs_proton
def test_who_does_not_go_on_is_dropped(start: Start) -> None:
    running = start(EmulatorOptions(amqp_port=0, handshake_seconds=0.2))
    with socket.create_connection((running.emulator.address, amqp_port(running)), timeout=SECONDS) as no_tls:
        assert ended(no_tls)


@needs_proton
def test_who_shakes_hands_and_does_not_go_on_is_dropped(start: Start) -> None:
    running = start(EmulatorOptions(amqp_port=0))

    def hurry(services: Any) -> None:  # from here on: a busy machine needs longer for TLS
        object.__setattr__(services.context.options, "handshake_seconds", 0.2)

    running.emulator.call(hurry)
    with dial(running) as no_amqp:
        assert ended(no_amqp)


@needs_proton
def test_connections_come_and_go_and_leave_nothing(start: Start) -> None:
    running = start(EmulatorOptions(amqp_port=0))
    for _ in range(20):
        with dial(running) as peer:
            peer.sendall(b"AMQP\x03\x01\x00\x00")
            peer.recv(8)
            peer.sendall(b"\xff" * 100)
            assert ended(peer)
    with dial(running) as last:
        assert running.emulator.call(lambda services: len(services.amqp._sockets)) <= 2
        running.emulator.stop()
        assert ended(last)
    assert running.errors == []
