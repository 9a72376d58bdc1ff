"""Requests that are no HTTP, stop in the middle, or have headers of any bytes: they cost their own connection, and are
no fault of ours.
"""

from __future__ import annotations

import logging
import re
import socket
from typing import Any

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.tokens import sign
from harness.record.events import Entry
from harness.record.journal import encode
from tests.emulator.test_rest import VERSION, Api
from tests.emulator.watching import Watcher

CHUNKED = "Transfer-Encoding: chunked"
SCOPE = "0ne00000001"
NO_TEXT = "\udcff"
"""Sent as the byte FF, which is in no UTF-8."""


@pytest.fixture
def running(start: Any) -> Watcher:
    watcher: Watcher = start(EmulatorOptions(id_scope=SCOPE))
    watcher.emulator.call(lambda services: services.hub.put_device("dev", {}, None))
    return watcher


def ask(running: Watcher, head: str, body: bytes) -> bytes:
    """Send a request as it stands, end the sending side, and return all that comes back."""
    host, _, port = running.endpoints.service_host.rpartition(":")
    context = running.tls()
    with (
        socket.create_connection((host, int(port)), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=host) as tls,
    ):
        tls.sendall(head.encode(errors="surrogateescape") + b"\r\n\r\n" + body)
        if b"cut" in body:
            return b""
        answer = b""
        while piece := tls.recv(65536):
            answer += piece
        return answer


def heads(running: Watcher) -> list[str]:
    """A request of a device, of a service, of a device to DPS, and of a service to DPS."""
    device = running.emulator.call(lambda services: services.hub.registry.get("dev").primary_key)
    host = running.endpoints.service_host
    own = sign(f"{host}/devices/dev", device, 4_000_000_000)
    dps_key = running.emulator.call(lambda s: s.dps_access.policies["provisioningserviceowner"].primary_key)
    dps = sign(host, dps_key, 4_000_000_000, "provisioningserviceowner")
    requests = [
        (f"POST /devices/dev/files?{VERSION}", own),
        (f"POST /devices/dev/messages/events?{VERSION}", own),
        (f"POST /devices/dev/messages/deviceBound?{VERSION}", Api(running).token()),
        (f"PATCH /digitaltwins/dev?{VERSION}", Api(running).token()),
        (f"PUT /devices/other?{VERSION}", Api(running).token()),
        (f"PUT /{SCOPE}/registrations/dev/register?{VERSION}", own),
        (f"PUT /enrollments/dev?{VERSION}", dps),
    ]
    return [
        f"{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: {token}" for line, token in requests
    ]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 2", b"{}"),
        ("Content-Length: x", b"{}"),
        (CHUNKED + "\r\nContent-Length: 2", b"{}"),
        ("X-Long: " + "x" * 70_000, b""),
        ("Content-Length: 100", b"{cut"),
        (CHUNKED, b"5\r\n{cut"),
    ],
)
def test_broken_requests(running: Watcher, caplog: pytest.LogCaptureFixture, header: str, body: bytes) -> None:
    with caplog.at_level(logging.WARNING):
        for head in heads(running):
            answer = ask(running, f"{head}\r\n{header}", body)
            if b"cut" not in body:
                assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer), (head.split(" HTTP")[0], answer[:200])
        assert Api(running)("GET", "/devices/dev").status == 200
    assert [record.getMessage() for record in caplog.records] == []
    assert running.errors == []


NAMES = ["Authorization", "Host", "User-Agent", "Content-Type", "If-Match", "Content-Encoding", "iothub-app-colour"]


@pytest.mark.parametrize("name", NAMES)
def test_headers_that_are_no_text(running: Watcher, caplog: pytest.LogCaptureFixture, name: str) -> None:
    with caplog.at_level(logging.WARNING):
        for head in heads(running):
            body = b"[]" if "digitaltwins" in head else b'{"blobName": "x"}'
            others = [line for line in head.split("\r\n") if not line.startswith(f"{name}:")]
            lines = [*others, f"{name}: {NO_TEXT}", f"Content-Length: {len(body)}"]
            status = int(ask(running, "\r\n".join(lines), body).split()[1])
            assert status == 401 if name == "Authorization" else status < 500, lines[0]
    assert [record.getMessage() for record in caplog.records] == []
    for event in running.events:
        encode(Entry(2, 0.0, event)).encode()


@pytest.mark.parametrize("name", ["iothub-app-colour", "iothub-correlationid"])
def test_a_property_that_is_no_text_is_refused(running: Watcher, name: str) -> None:
    for head in heads(running):
        if "/messages/" in head:
            answer = ask(running, f"{head}\r\n{name}: {NO_TEXT}\r\nContent-Length: 0", b"")
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert f"the header {name} is not UTF-8".encode() in answer
