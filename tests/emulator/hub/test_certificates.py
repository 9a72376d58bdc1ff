"""Devices that prove themselves by certificate."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from harness.emulator.hub.x509 import thumbprints
from harness.emulator.options import EmulatorOptions
from harness.mqtt import Connack, Connect, Peer
from harness.record.events import HubConnected
from tests.emulator.fakes import HOST, WALL, World
from tests.mqtt.fakes import Client


class Party:
    """A key and its certificate."""

    def __init__(self, name: str, issuer: Party | None = None, *, ca: bool = False, days: int = 10) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now, by = datetime.fromtimestamp(WALL, timezone.utc), issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=20))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        self.der = builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


ROOT = Party("root", ca=True)
MIDDLE = Party("middle", ROOT, ca=True)
LEAF = Party("dev-1", MIDDLE)


@pytest.fixture
def world() -> World:
    world = World()
    world.hub.put_device("dev-1", {}, None)
    return world


def connect(world: World, *chain: bytes) -> int:
    client = Client(world.router, world.timers, peer=Peer("127.0.0.1:5", peer_chain=chain))
    answer = client.one(Connect("dev-1", f"{HOST}/dev-1/?api-version=2021-04-12", None))
    assert isinstance(answer, Connack)
    assert world.last(HubConnected).authentication == "x509"
    return answer.return_code


@pytest.mark.parametrize("place", ["primaryThumbprint", "secondaryThumbprint"])
@pytest.mark.parametrize("kind", [0, 1])
def test_by_thumbprint(world: World, place: str, kind: int) -> None:
    digits = thumbprints(LEAF.der)[kind]
    spelled = ":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).lower()
    world.hub.put_device("dev-1", {"authentication": {"type": "selfSigned", "x509Thumbprint": {place: spelled}}}, "*")
    assert world.hub.registry.uses_certificates
    assert connect(world, LEAF.der) == 0
    assert connect(world, MIDDLE.der) == 5
    assert "thumbprint" in world.last(HubConnected).reason
    assert connect(world) == 5
    assert "neither" in world.last(HubConnected).reason


def test_an_expired_certificate_is_refused_though_its_thumbprint_fits(world: World) -> None:
    old = Party("dev-1", days=-1)
    body = {"authentication": {"x509Thumbprint": {"primaryThumbprint": thumbprints(old.der)[0]}}}
    world.hub.put_device("dev-1", body, "*")
    assert connect(world, old.der) == 5
    assert "expired" in world.last(HubConnected).reason


@pytest.mark.parametrize(
    ("chain", "trusted", "code"),
    [
        ((LEAF.der, MIDDLE.der), ROOT, 0),
        ((LEAF.der, MIDDLE.der, ROOT.der), ROOT, 0),
        ((LEAF.der,), MIDDLE, 0),
        ((LEAF.der,), ROOT, 5),
        ((LEAF.der, MIDDLE.der), Party("root", ca=True), 5),
        ((Party("dev-2", MIDDLE).der, MIDDLE.der), ROOT, 5),
        ((Party("dev-1", Party("fake", MIDDLE)).der, MIDDLE.der), ROOT, 5),
        ((b"0\x03\x02\x01\x01",), ROOT, 5),
    ],
)
def test_by_a_known_authority(world: World, chain: tuple[bytes, ...], trusted: Party, code: int) -> None:
    world.hub.put_device("dev-1", {"authentication": {"type": "certificateAuthority"}}, "*")
    assert connect(world, *chain) == 5
    world.hub.access.trust(trusted.der)
    assert connect(world, *chain) == code
    if code:
        assert world.last(HubConnected).error_code == 401003


@pytest.mark.parametrize(("form", "name"), [("device/module", "dev-1/mod-1"), ("module", "mod-1")])
def test_the_name_in_a_modules_certificate(form: str, name: str) -> None:
    world = World(EmulatorOptions(module_certificate_name=form))
    world.hub.put_device("dev-1", {}, None)
    world.hub.put_device("dev-1", {"authentication": {"type": "certificateAuthority"}}, None, module_id="mod-1")
    world.hub.access.trust(ROOT.der)
    codes = {}
    for shown in ("dev-1/mod-1", "mod-1", "dev-1"):
        client = Client(world.router, world.timers, peer=Peer("127.0.0.1:5", peer_chain=(Party(shown, ROOT).der,)))
        user_name = f"{HOST}/dev-1/mod-1/?api-version=2021-04-12"
        codes[shown] = client.one(Connect("dev-1/mod-1", user_name, None)) == Connack(0)
    assert [shown for shown, good in codes.items() if good] == [name]


def test_a_device_with_keys_is_not_let_in_by_certificate(world: World) -> None:
    world.hub.access.trust(ROOT.der)
    assert connect(world, LEAF.der, MIDDLE.der) == 5


def test_what_is_no_authority_is_not_trusted(world: World) -> None:
    for bad in (LEAF.der, b"", "no certificate"):
        with pytest.raises(ValueError, match="certificate"):
            world.hub.access.trust(bad)
