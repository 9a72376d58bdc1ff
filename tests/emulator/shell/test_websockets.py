"""MQTT over WebSockets on 443, and what shares that port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse, ProvisioningDeviceClient
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod

from harness.emulator import EmulatorOptions
from harness.emulator.context import Context
from harness.emulator.ports import explain, without_https
from harness.emulator.shell.connection import TlsConnection
from harness.emulator.shell.mqtt import limits
from harness.mqtt import Connect, Limits, Pingreq, Publish, encode
from harness.record.events import (
    HubConnected,
    HubDisconnected,
    ProtocolViolation,
    ProvisioningConnected,
    TelemetryReceived,
)
from tests.emulator.live.raw import CONNACK_OK, add_device, connect_packet
from tests.emulator.watching import Watcher

HTTPS = 443


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    watcher = start(EmulatorOptions(https_port=0))
    assert watcher.endpoints.https_port
    return watcher


@asynccontextmanager
async def upgraded(running: Watcher, protocol: str = "mqtt", query: str = "") -> AsyncIterator[Any]:
    url = f"wss://{running.endpoints.hub_host}:{running.endpoints.https_port}/$iothub/websocket{query}"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, protocols=(protocol,), ssl=running.tls()) as connection,
    ):
        yield connection


@pytest.mark.parametrize("spelling", ["mqtt", "MQTT"])
@pytest.mark.parametrize("query", ["", "?iothub-no-client-cert=true"])
@pytest.mark.asyncio
async def test_the_subprotocol_comes_back_as_it_was_spelt(running: Watcher, spelling: str, query: str) -> None:
    key = add_device(running)
    async with upgraded(running, spelling, query) as connection:
        assert connection.protocol == spelling
        await connection.send_bytes(connect_packet(running, key))
        assert await connection.receive_bytes() == CONNACK_OK
        await connection.send_bytes(encode(Pingreq()))
        assert await connection.receive_bytes() == b"\xd0\x00"
    running.wait(HubDisconnected, lambda event: event.by == "network")
    connected = running.seen(HubConnected)[0]
    assert connected.transport == "mqtt-ws"
    assert connected.tls_version == "TLSv1.3"


@pytest.mark.asyncio
async def test_packets_cut_anywhere(running: Watcher) -> None:
    key = add_device(running)
    topic = "devices/dev/messages/events/"
    stream = (
        connect_packet(running, key) + encode(Publish(topic, bytes(200_000), 1, 7)) + encode(Publish(topic, b"2", 1, 8))
    )
    async with upgraded(running) as connection:
        for at in range(0, len(stream), 50_001):
            await connection.send_bytes(stream[at : at + 50_001])
        received = b""
        while len(received) < 12:
            received += await connection.receive_bytes()
    assert received == CONNACK_OK + b"\x40\x02\x00\x07\x40\x02\x00\x08"
    assert [len(event.payload) for event in running.seen(TelemetryReceived)] == [200_000, 1]


@pytest.mark.parametrize(("protocol", "rule"), [("AMQPWSB10", "amqp"), ("", "websocket-subprotocol")])
@pytest.mark.asyncio
async def test_another_subprotocol_is_refused(running: Watcher, protocol: str, rule: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with upgraded(running, protocol):
            pass
    assert caught.value.status == 400
    assert running.wait(ProtocolViolation).rule == rule


@pytest.mark.asyncio
async def test_breaches_close_the_websocket(running: Watcher) -> None:
    async with upgraded(running) as connection:
        await connection.send_str("CONNECT")
        assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSE
    assert running.wait(ProtocolViolation).rule == "websocket-text"
    async with upgraded(running) as connection:
        await connection.send_bytes(bytes(2_000_000))
        assert (await connection.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    async with upgraded(running) as connection:
        await connection.send_bytes(connect_packet(running, "AAAA"))
        assert (await connection.receive()).data == b"\x20\x02\x00\x05"
        assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSE
    assert running.errors == []


@pytest.mark.asyncio
async def test_a_refusal_reaches_a_device_that_waits(running: Watcher) -> None:
    async with upgraded(running) as connection:
        await connection.send_bytes(encode(Connect("dev", "nobody.example/dev/?api-version=1")))
        assert (await connection.receive()).data == b"\x20\x02\x00\x05"


@pytest.mark.asyncio
async def test_a_websocket_that_says_nothing(start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    def hurried(context: Context) -> Limits:  # a busy machine needs longer for TLS and HTTP
        return replace(limits(context), connect_seconds=0.05)

    monkeypatch.setattr("harness.emulator.shell.websocket.limits", hurried)
    running = start(EmulatorOptions(https_port=0))
    async with upgraded(running) as connection:
        assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSE
    assert running.wait(ProtocolViolation).rule == "connect-timeout"


@pytest.mark.asyncio
async def test_half_a_request(start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsConnection, "_too_slow", lambda *_: None)  # a busy machine needs longer for TLS
    running = start(EmulatorOptions(https_port=0, handshake_seconds=0.5))
    host, port = running.endpoints.hub_host, running.endpoints.https_port
    reader, writer = await asyncio.open_connection(host, port, ssl=running.tls(), server_hostname=host)
    writer.write(b"GET / HTTP/1.1\r\nHost: ")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


@pytest.mark.asyncio
async def test_what_is_not_there_is_404_and_what_is_not_http_400(running: Watcher) -> None:
    host, port = running.endpoints.hub_host, running.endpoints.https_port
    async with aiohttp.ClientSession() as http, http.get(f"https://{host}:{port}/nothing", ssl=running.tls()) as answer:
        assert answer.status == 404
    reader, writer = await asyncio.open_connection(host, port, ssl=running.tls(), server_hostname=host)
    writer.write(connect_packet(running, "AAAA") + b"\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.0 400")
    writer.close()


@pytest.mark.asyncio
async def test_stop_says_so_on_every_websocket(running: Watcher) -> None:
    key = add_device(running)
    async with upgraded(running) as connection:
        await connection.send_bytes(connect_packet(running, key))
        assert await connection.receive_bytes() == CONNACK_OK
        await asyncio.to_thread(running.emulator.stop)
        assert (await connection.receive()).type is not aiohttp.WSMsgType.BINARY
    assert running.wait(HubDisconnected).reason == "the emulator was stopped"
    assert running.errors == []


def test_without_the_port_the_rest_works(start: Callable[..., Watcher]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = start(EmulatorOptions(https_port=port), address="127.0.0.1")
        assert running.endpoints.https_port is None
        assert "WebSockets and HTTPS for devices are off" in running.endpoints.https_hint
        assert f"port {port} on 127.0.0.1 is in use by" in running.endpoints.https_hint
        running.emulator.enroll("still-works")


def test_a_port_that_only_root_may_have() -> None:
    hint = without_https(explain(PermissionError(13, "Permission denied"), "127.0.0.1", HTTPS), "127.0.0.1", HTTPS)
    assert "443" in hint
    assert hint.startswith("WebSockets and HTTPS for devices are off")


def test_microsofts_sdk_over_websockets(start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions())
    if running.endpoints.https_port != HTTPS:
        pytest.skip(f"the SDK insists on port 443: {running.endpoints.https_hint}")
    trust = {"server_verification_cert": running.endpoints.ca_path.read_text(), "websockets": True}
    enrollment = running.emulator.enroll("dev-ws")
    registering = ProvisioningDeviceClient.create_from_symmetric_key(
        running.endpoints.dps_host, "dev-ws", running.endpoints.id_scope, enrollment.primary_key, **trust
    )
    assigned = registering.register().registration_state
    assert assigned is not None
    assert running.seen(ProvisioningConnected)[0].protocol == "mqtt-ws"
    client = IoTHubDeviceClient.create_from_symmetric_key(
        enrollment.primary_key, assigned.assigned_hub, assigned.device_id, **trust
    )

    def answer(request: Any) -> None:
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, request.payload))

    client.on_method_request_received = answer
    try:
        client.connect()
        client.send_message(Message(b"hello"))  # type: ignore[no-untyped-call]
        assert running.wait(TelemetryReceived).payload == b"hello"
        client.patch_twin_reported_properties({"a": 1})
        assert client.get_twin()["reported"]["a"] == 1
        registry = IoTHubRegistryManager.from_connection_string(running.endpoints.hub_connection_string)
        registry.protocol.config.connection.verify = str(running.endpoints.ca_path)
        method = CloudToDeviceMethod(method_name="echo", payload={"deep": [1]})
        assert registry.invoke_device_method("dev-ws", method).payload == {"deep": [1]}
    finally:
        client.shutdown()
    assert running.wait(HubConnected).transport == "mqtt-ws"
