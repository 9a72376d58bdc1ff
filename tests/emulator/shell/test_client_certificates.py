"""Any client certificate gets through the handshake; the cores see the chain as it was sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.emulator.faults import Operation
from harness.emulator.options import EmulatorOptions
from harness.emulator.shell.tls import ServerTls, Tls, TlsClosed, TlsFailed
from harness.mqtt import Connect, encode
from tests.addresses import PORT
from tests.emulator.shell.chains import Issued, issue
from tests.emulator.watching import Watcher

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Pair:
    """A client on `ssl` and a server's `Tls`, joined in memory."""

    def __init__(self, server: Tls, client: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        self.server = server
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self._in, self._out, server_hostname="localhost", session=session)

    def shake(self) -> None:
        done = False
        while not (done and self.server.established):
            try:
                self.client.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            self.to_server()
            if not self.server.established:
                self.server.handshake()
            self.to_client()
        self.client.write(b"")

    def record(self, data: bytes) -> bytes:
        """Encrypt, and return what would go to the server."""
        self.client.write(data)
        return self._out.read()

    def to_server(self) -> None:
        self.server.feed(self._out.read())

    def to_client(self) -> None:
        self._in.write(self.server.pending())


@pytest.fixture
def watcher(start: Callable[..., Watcher]) -> Watcher:
    return start(EmulatorOptions(client_certificates="always"))


@pytest.fixture
def server_pem(watcher: Watcher) -> Path:
    return next(watcher.endpoints.ca_path.parents[1].glob("server-*/server.pem"))


@pytest.fixture
def asking(server_pem: Path) -> ServerTls:
    return ServerTls(server_pem, lambda: True)


def client_context(watcher: Watcher, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = watcher.tls()
    context.minimum_version = context.maximum_version = version
    return context


def expired() -> Issued:
    return issue("expired", days=(-30, -1))


def with_intermediates() -> Issued:
    root = issue("root", ca=True)
    return issue("device", issue("line 7", issue("plant", root, ca=True), ca=True))


def by_no_authority() -> Issued:
    return issue("device", issue("not a CA"))


def self_signed() -> Issued:
    return issue("device")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [self_signed, expired, with_intermediates, by_no_authority])
def test_the_chain_arrives_as_it_was_sent(
    watcher: Watcher, asking: ServerTls, tmp_path: Path, version: ssl.TLSVersion, make: Callable[[], Issued]
) -> None:
    device = make()
    pair = Pair(asking.session(), device.present(client_context(watcher, version), tmp_path))
    pair.shake()
    assert pair.server.peer_chain == device.chain
    assert pair.server.version == version.name.replace("_", ".")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_resumes_shows_its_chain_again(
    watcher: Watcher, asking: ServerTls, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    device = with_intermediates()
    context = device.present(client_context(watcher, version), tmp_path)
    first = Pair(asking.session(), context)
    first.shake()
    again = Pair(asking.session(), context, first.client.session)
    again.shake()
    assert not again.client.session_reused
    assert again.server.peer_chain == device.chain


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("asks", [True, False])
def test_a_client_without_a_certificate(
    watcher: Watcher, server_pem: Path, version: ssl.TLSVersion, asks: bool
) -> None:
    pair = Pair(ServerTls(server_pem, lambda: asks).session(), client_context(watcher, version))
    pair.shake()
    assert pair.server.peer_chain == ()
    pair.client.write(bytes(40_000))
    pair.to_server()
    received = b""
    while data := pair.server.read():
        received += data
    assert received == bytes(40_000)
    pair.server.write(b"a" * 40_000)
    pair.to_client()
    assert pair.client.read(100_000) + pair.client.read(100_000) + pair.client.read(100_000) == b"a" * 40_000
    pair.server.goodbye()
    pair.to_client()
    pair.client.unwrap()
    pair.to_server()
    with pytest.raises(TlsClosed):
        pair.server.read()


@pytest.mark.parametrize("asks", [True, False])
def test_what_is_not_tls_is_said(server_pem: Path, asks: bool) -> None:
    server = ServerTls(server_pem, lambda: asks).session()
    server.feed(encode(Connect("dev")))
    with pytest.raises(TlsFailed, match="not TLS"):
        server.handshake()


@pytest.mark.parametrize("asks", [True, False])
def test_a_client_that_does_not_trust_the_ca(server_pem: Path, asks: bool) -> None:
    pair = Pair(ServerTls(server_pem, lambda: asks).session(), ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        pair.shake()
    pair.to_server()
    with pytest.raises(TlsFailed, match="does not trust the emulator's CA"):
        pair.server.handshake()


def shown(running: Watcher, context: ssl.SSLContext) -> tuple[bytes, ...]:
    """Connect with whatever identity; return the chain that the service saw."""
    seen: list[tuple[bytes, ...]] = []

    class Gate:
        active = True

        def run(self, operation: Operation) -> None:
            assert operation.session is not None
            seen.append(operation.session.peer.peer_chain)
            operation.proceed()

    object.__setattr__(running.emulator.call(lambda s: s.context), "faults", Gate())
    host = running.endpoints.hub_host
    raw = socket.create_connection((running.emulator.address, PORT), timeout=10)
    with context.wrap_socket(raw, server_hostname=host) as device:
        device.sendall(encode(Connect("dev", f"{host}/dev/?api-version=2021-04-12")))
        assert device.recv(4) == b"\x20\x02\x00\x05"
    return seen[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_certificate_is_refused_in_mqtt_not_in_tls(
    watcher: Watcher, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    device = with_intermediates()
    assert shown(watcher, device.present(client_context(watcher, version), tmp_path)) == device.chain


def test_certificates_are_asked_for_once_something_is_attested_by_them(
    start: Callable[..., Watcher], tmp_path: Path
) -> None:
    running = start()
    device = issue("dev")
    context = device.present(running.tls(), tmp_path)
    assert shown(running, context) == ()
    other = {"authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "A" * 40}}}
    running.emulator.call(lambda s: s.hub.put_device("other", other, None))
    assert shown(running, context) == device.chain


def test_also_when_it_is_in_a_further_hub(start: Callable[..., Watcher], tmp_path: Path) -> None:
    running = start(EmulatorOptions(more_hubs=("further.example.net",)))
    device = issue("dev")
    other = {"authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "A" * 40}}}
    running.emulator.call(lambda s: s.hubs[1].put_device("other", other, None))
    assert shown(running, device.present(running.tls(), tmp_path)) == device.chain
