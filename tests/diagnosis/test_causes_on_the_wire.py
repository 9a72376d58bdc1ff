"""Devices that go wrong on real sockets: each gets its own diagnosis, whatever its SDK may have said."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import ProvisioningDeviceClient
from azure.iot.device.exceptions import ClientError

from harness.checks import CHECKS, Evidence, Judgement, judge
from harness.emulator import Emulator, EmulatorOptions
from harness.emulator.shell.connection import TlsConnection
from harness.emulator.tokens import new_key, sign
from harness.mqtt import Connect, Publish, Subscribe, encode
from harness.record import Recorder
from harness.record import events as ev
from harness.report.text import finding_text
from harness.verdict import Finding
from tests.addresses import PORT, free_address

ID = "dev-1"
EXPIRY = 4_000_000_000
FILTER = "$dps/registrations/res/#"


class Bench:
    """The local target with one enrolled device, and the record of what comes."""

    def __init__(self, state: Path, options: EmulatorOptions | None = None) -> None:
        self.recorder, self.evidence, self.key = Recorder(), Evidence(), new_key()
        self.recorder.follow(self.evidence.add)

        def emit(event: ev.Event) -> None:
            self.recorder.emit(event)

        self.emulator = Emulator(address=free_address(), state_dir=state, emit=emit, options=options, on_error=print)
        self.ends = self.emulator.start()
        self.recorder.emit(ev.TargetOpened("local", {"dps": self.ends.dps_host}, ("wire", "dps-payload")))
        self.emulator.enroll(ID, primary_key=self.key, secondary_key=new_key())
        self.recorder.emit(ev.DeviceEnrolled(ID, "symmetric-key", self.ends.id_scope))

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ends.ca_path)

    def tcp(self) -> socket.socket:
        return socket.create_connection((self.emulator.address, PORT), timeout=10)

    def tls(self, context: ssl.SSLContext | None = None, name: str | None = None) -> ssl.SSLSocket:
        return (context or self.trust()).wrap_socket(self.tcp(), server_hostname=name or self.ends.dps_host)

    def dps_connect(
        self, key: str | None = None, scope: str | None = None, expiry: int = EXPIRY, **more: Any
    ) -> ssl.SSLSocket:
        """CONNECT to DPS; the CONNACK is read."""
        scope, device = scope or self.ends.id_scope, more.get("device", ID)
        token = sign(f"{scope}/registrations/{device}", key or self.key, expiry, "registration")
        password = more.get("password", token.encode())
        name = f"{scope}/registrations/{device}/api-version=2019-03-31"
        wire = self.tls()
        wire.sendall(encode(Connect(device, name, password)))
        wire.recv(4)
        return wire

    def register(self, wire: ssl.SSLSocket) -> None:
        """Ask DPS, and read its answer."""
        wire.sendall(encode(Subscribe(1, ((FILTER, 1),))))
        wire.recv(5)
        wire.sendall(encode(Publish("$dps/registrations/PUT/iotdps-register/?$rid=1", b"{}", 0)))
        wire.recv(1000)

    def finding(self, kind: type[ev.Event], code: str, of: str = "registers_through_dps") -> Finding:
        """What the check says once such an event has come."""
        self.recorder.wait(lambda _: self.evidence.of(kind) or None, 10)
        found = judge(Judgement(CHECKS[of]), self.evidence).findings
        assert [f.code for f in found] == [code], found
        assert found[0].remedy
        return found[0]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def bench(state: Path) -> Iterator[Bench]:
    made = Bench(state)
    yield made
    made.emulator.stop()


@pytest.fixture
def hurried(state: Path) -> Iterator[Bench]:
    """It gives a device little time, which is too little for TLS on a busy machine."""
    made = Bench(state, EmulatorOptions(handshake_seconds=0.3))
    yield made
    made.emulator.stop()


# --- before TLS -----------------------------------------------------------------------------------------


def test_tcp_and_not_a_byte(hurried: Bench) -> None:
    with hurried.tcp() as wire:
        assert wire.recv(1) == b""
        found = hurried.finding(ev.HandshakeFailed, "tls-not-begun")
    assert "sent nothing" in found.message


def test_tcp_and_away(bench: Bench) -> None:
    bench.tcp().close()
    bench.finding(ev.HandshakeFailed, "tls-not-begun")


def test_plain_mqtt(bench: Bench) -> None:
    with bench.tcp() as wire:
        wire.sendall(encode(Connect(ID, "x", b"y")))
        found = bench.finding(ev.HandshakeFailed, "tls-not-used")
    assert "does not speak TLS" in found.message


def test_a_hello_and_away(bench: Bench) -> None:
    with bench.tcp() as wire:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = bench.trust().wrap_bio(incoming, outgoing, server_hostname=bench.ends.dps_host)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        wire.sendall(outgoing.read())
        wire.recv(1)
    assert "without an alert" in bench.finding(ev.HandshakeFailed, "tls-broken-off").message


# --- TLS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_missing_ca(bench: Bench, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLCertVerificationError):
        bench.tls(context)
    found = bench.finding(ev.HandshakeFailed, "ca-not-trusted")
    assert "does not trust the CA" in found.message
    assert "Install the CA certificate" in found.remedy


def test_another_host_name(bench: Bench) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        bench.tls(name="other.example")
    assert "exactly as it was printed" in bench.finding(ev.HandshakeFailed, "certificate-refused").remedy


def test_an_old_tls(bench: Bench) -> None:
    hello = bytes.fromhex("16030100310100002d0301") + bytes(32) + bytes.fromhex("000006c00ac014002f0100")
    with bench.tcp() as wire:
        wire.sendall(hello)
        wire.recv(100)
        bench.finding(ev.HandshakeFailed, "tls-version")


def test_tls_and_away(bench: Bench) -> None:
    wire = bench.tls()
    wire.close()
    assert "without a CONNECT" in bench.finding(ev.HandshakeFailed, "left-before-connect").message


def test_tls_and_silence(hurried: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsConnection, "_too_slow", lambda *_: None)
    with hurried.tls() as wire:
        assert wire.recv(1) == b""
        hurried.finding(ev.ProtocolViolation, "mqtt-not-understood")


def test_another_version_of_mqtt(bench: Bench) -> None:
    with bench.tls() as wire:
        wire.sendall(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03dev")
        assert wire.recv(4) == b"\x20\x02\x00\x01"
    found = bench.finding(ev.ProtocolViolation, "mqtt-version")
    assert 'explain:   preflight explain "CONNACK 1"' in finding_text(found)


# --- DPS ------------------------------------------------------------------------------------------------


def test_a_wrong_id_scope(bench: Bench) -> None:
    bench.dps_connect(scope="0ne000FFFFF").close()
    found = bench.finding(ev.ProvisioningConnected, "wrong-id-scope")
    assert "0ne000FFFFF" in found.message
    assert bench.ends.id_scope in found.message
    assert 'preflight explain "CONNACK 5"' in finding_text(found)


def test_a_key_for_a_password(bench: Bench) -> None:
    bench.dps_connect(password=bench.key.encode()).close()
    bench.finding(ev.ProvisioningConnected, "password-no-token")


def test_a_wrong_key(bench: Bench) -> None:
    with bench.dps_connect(new_key()) as wire:
        bench.register(wire)
    found = bench.finding(ev.RegistrationAnswered, "wrong-key")
    assert "401 (" in found.message
    assert "Check the key" in found.remedy


@pytest.mark.parametrize(
    ("expiry", "says"),
    [(1000, "never set"), (int(time.time()) - 3 * 86400, "3 days ago")],
    ids=["never set", "an hour slow"],
)
def test_a_clock_that_is_off(bench: Bench, expiry: int, says: str) -> None:
    with bench.dps_connect(expiry=expiry) as wire:
        bench.register(wire)
    found = bench.finding(ev.RegistrationAnswered, "token-born-expired")
    assert says in found.message
    assert "clock (NTP)" in found.remedy
    assert "preflight explain 401" in finding_text(found)


def test_a_wrong_registration_id(bench: Bench) -> None:
    with bench.dps_connect(device="dev-2") as wire:
        bench.register(wire)
    found = bench.finding(ev.RegistrationAnswered, "wrong-registration-id")
    assert "dev-2" in found.message
    assert ID in found.message
    assert "preflight explain 404201" in finding_text(found)


def test_a_device_that_never_polls(bench: Bench) -> None:
    with bench.dps_connect() as wire:
        bench.register(wire)
        bench.finding(ev.RegistrationAnswered, "registration-not-polled")


def test_a_device_that_stops_at_the_connect(bench: Bench) -> None:
    with bench.dps_connect():
        bench.finding(ev.ProvisioningConnected, "no-register-request")


def test_a_stock_sdk_with_a_wrong_key(bench: Bench) -> None:
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        bench.ends.dps_host,
        ID,
        bench.ends.id_scope,
        new_key(),
        server_verification_cert=Path(bench.ends.ca_path).read_text(encoding="utf-8"),
    )
    with pytest.raises(ClientError):
        client.register()
    bench.finding(ev.RegistrationAnswered, "wrong-key")
    client._pipeline.shutdown(callback=lambda **_: None)  # type: ignore[no-untyped-call]


# --- the hub --------------------------------------------------------------------------------------------


def assigned(bench: Bench) -> str:
    """Let DPS assign the device; returns the hub's host."""
    key = bench.emulator.call(lambda s: s.hub.put_device(ID, {}, None)).primary_key
    bench.key = key
    bench.recorder.emit(ev.DeviceAssigned(ID, bench.ends.hub_host, ID))
    return bench.ends.hub_host


def hub_connect(bench: Bench, key: str, expiry: int = EXPIRY, device: str = ID, host: str = "") -> None:
    mine = bench.ends.hub_host
    token = sign(f"{host or mine}/devices/{device}", key, expiry)
    with bench.tls() as wire:
        wire.sendall(encode(Connect(device, f"{mine}/{device}/?api-version=2021-04-12", token.encode())))
        assert wire.recv(4) == b"\x20\x02\x00\x05"


def test_a_hub_refuses(bench: Bench) -> None:
    assigned(bench)
    at_hub: Callable[[str], Finding] = functools.partial(bench.finding, ev.HubConnected, of="connects_to_hub")
    hub_connect(bench, new_key())
    assert "preflight explain 401003" in finding_text(at_hub("wrong-key"))
    hub_connect(bench, bench.key, 1000)
    assert "as of a clock that was never set" in at_hub("token-born-expired").message
    hub_connect(bench, bench.key, device="DEV-1")
    assert "DEV-1" in at_hub("device-unknown").message
    hub_connect(bench, bench.key, host="other.azure-devices.net")
    assert "other.azure-devices.net" in at_hub("token-scope").message


def test_a_missing_ca_at_the_hub_only(bench: Bench) -> None:
    assigned(bench)
    with pytest.raises(ssl.SSLCertVerificationError):
        bench.tls(ssl.create_default_context())
    bench.finding(ev.HandshakeFailed, "ca-not-trusted", "connects_to_hub")


def test_what_tls_the_device_offers_is_in_the_record(bench: Bench) -> None:
    key = bench.emulator.call(lambda s: s.hub.put_device(ID, {}, None)).primary_key
    context = bench.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    token = sign(f"{bench.ends.hub_host}/devices/{ID}", key, EXPIRY)
    with bench.tls(context) as wire:
        wire.sendall(encode(Connect(ID, f"{bench.ends.hub_host}/{ID}/?api-version=2021-04-12", token.encode())))
        assert wire.recv(4) == b"\x20\x02\x00\x00"
    event = bench.evidence.connected
    assert event is not None
    assert event[1].tls_offered.split()[0] == "c02b"
    found = judge(Judgement(CHECKS["edge_tls"]), bench.evidence).findings
    assert [f.code for f in found] == ["tls-suites-missing"]
