"""X.509 attestation at the core: which certificates prove a registration id, which do not, and why."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.emulator import chains
from harness.emulator.dps import enrolling
from harness.emulator.dps.certificates import CertificateReferences, ClientCertificates, SigningCertificates
from harness.emulator.dps.documents import GROUP
from harness.emulator.dps.enrollments import Attestation, Credentials, Enrolled
from harness.emulator.dps.service import ServiceApi
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorError, EmulatorOptions
from tests.emulator.dps.certs import DAY, Made, make
from tests.emulator.dps.world import DpsWorld as World
from tests.emulator.fakes import WALL

ROOT = make("root", ca=True, now=WALL)
MIDDLE = make("middle", ROOT, ca=True, now=WALL)
LEAF = make("Reg-1", MIDDLE, now=WALL)
SELF = make("reg-1", now=WALL)


def objection(attestation: Attestation, *shown: Made, group: bool = True, options: Any = None) -> str:
    """Return why the certificates are refused, empty when they are not."""
    world = World(options)
    if group:
        world.enrollments.add(Enrolled(attestation, group_id="fleet"))
    else:
        world.enrollments.add(Enrolled(attestation, registration_id="reg-1"))
    try:
        world.dps.attest("REG-1", Credentials(chain=tuple(one.der for one in shown)))
    except ServiceError as error:
        refused = error
    else:
        return ""
    assert (refused.status, refused.code) == (401, 401002)
    assert refused.message == ("Invalid certificate" if shown else "Unauthorized")
    return refused.cause


@pytest.mark.parametrize(
    "attestation", [ClientCertificates(SELF.der), ClientCertificates(LEAF.der, SELF.der)], ids=["primary", "secondary"]
)
def test_an_individual_shows_an_enrolled_certificate(attestation: ClientCertificates) -> None:
    assert not objection(attestation, SELF, group=False)


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ([], "no client certificate was shown"),
        ([LEAF], "not one of the enrolled"),
        ([make("reg-1", now=WALL), SELF], "not one of the enrolled"),
    ],
)
def test_another_certificate_is_refused(shown: list[Made], why: str) -> None:
    assert why in objection(ClientCertificates(SELF.der), *shown, group=False)


@pytest.mark.parametrize(
    ("leaf", "why"),
    [
        (make("reg-2", now=WALL), "CN is reg-2, not the registration id"),
        (make("", now=WALL), "CN is missing"),
        (make("reg-1", now=WALL, ends=-301), "expired on"),
        (make("reg-1", now=WALL, begins=301), "valid only from"),
        (make("reg-1", now=WALL, purpose=ExtendedKeyUsageOID.SERVER_AUTH), "does not list clientAuth"),
    ],
)
def test_an_enrolled_certificate_has_to_hold_too(leaf: Made, why: str) -> None:
    assert why in objection(ClientCertificates(leaf.der), leaf, group=False)


def test_the_clock_may_differ_by_five_minutes() -> None:
    for leaf in (make("reg-1", now=WALL, ends=-299), make("reg-1", now=WALL, begins=299)):
        assert not objection(ClientCertificates(leaf.der), leaf, group=False)


def test_switch_client_usage() -> None:
    leaf = make("reg-1", now=WALL, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    options = EmulatorOptions(dps_require_client_usage=False)
    assert not objection(ClientCertificates(leaf.der), leaf, group=False, options=options)
    any_usage = make("reg-1", now=WALL, purpose=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    assert not objection(ClientCertificates(any_usage.der), any_usage, group=False)


@pytest.mark.parametrize(
    ("anchor", "shown"),
    [
        (ROOT, [LEAF, MIDDLE]),
        (ROOT, [LEAF, SELF, MIDDLE, ROOT]),
        (MIDDLE, [LEAF]),
        (MIDDLE, [LEAF, MIDDLE, ROOT]),
        (ROOT, [make("reg-1", ROOT, now=WALL)]),
        (ROOT, [make("reg-1", ROOT, now=WALL, purpose=None)]),
    ],
)
def test_a_group_takes_what_leads_to_its_ca(anchor: Made, shown: list[Made]) -> None:
    assert not objection(SigningCertificates(anchor.der), *shown)
    assert not objection(SigningCertificates(SELF.der, anchor.der), *shown)


def _beneath(**settings: Any) -> list[Made]:
    ca = make("ca", ROOT, now=WALL, **{"ca": True, **settings})
    return [make("reg-1", ca, now=WALL), ca]


OTHER_ROOT = make("root", ca=True, now=WALL)
SHORT = make("short", ca=True, now=WALL, path_length=0)
BELOW_SHORT = make("below", SHORT, ca=True, now=WALL)
STALE = make("stale", ca=True, now=WALL, begins=-3 * DAY, ends=-2 * DAY)


@pytest.mark.parametrize(
    ("anchor", "shown", "why"),
    [
        (ROOT, [], "no client certificate"),
        (ROOT, [LEAF], "sent alone, without intermediate"),
        (ROOT, [LEAF, ROOT], "no enrolled CA vouches"),
        (OTHER_ROOT, [LEAF, MIDDLE], "no enrolled CA vouches"),
        (ROOT, [SELF], "no enrolled CA vouches"),
        (ROOT, [make("reg-1", OTHER_ROOT, now=WALL)], "no enrolled CA vouches"),
        (ROOT, [make("reg-1", ROOT, now=WALL, issuer_name="else")], "no enrolled CA vouches"),
        (ROOT, [make("reg-2", ROOT, now=WALL)], "not the registration id"),
        (ROOT, [make("reg-1", ROOT, now=WALL, ends=-DAY / 2)], "expired"),
        (ROOT, _beneath(ca=False), "is not a CA"),
        (ROOT, _beneath(usage=False), "is not a CA"),
        (ROOT, _beneath(ends=-DAY / 2), "expired"),
        (ROOT, _beneath(begins=DAY / 2), "valid only from"),
        (SHORT, [make("reg-1", BELOW_SHORT, now=WALL), BELOW_SHORT], "pathLenConstraint"),
        (STALE, [make("reg-1", STALE, now=WALL)], "expired"),
    ],
)
def test_a_group_refuses_the_rest(anchor: Made, shown: list[Made], why: str) -> None:
    assert why in objection(SigningCertificates(anchor.der), *shown)


def test_a_path_length_that_suffices() -> None:
    assert not objection(SigningCertificates(SHORT.der), make("reg-1", SHORT, now=WALL))


def test_of_two_ways_the_sound_one_counts() -> None:
    """The same CA key certified twice: the first certificate has expired."""
    old = make("ca", ROOT, ca=True, now=WALL, ends=-DAY / 2)
    twin = make("ca", ROOT, ca=True, now=WALL)
    leaf = make("reg-1", twin, now=WALL)
    assert not objection(SigningCertificates(ROOT.der), leaf, old, twin)


@pytest.mark.parametrize("turn", range(3))
def test_of_two_ways_the_shorter_one_counts(turn: int) -> None:
    """The root allows one CA beneath it; a CA's key has a certificate from the root, and one by way of another CA."""
    root = make("root", ca=True, now=WALL, path_length=1)
    longer = make("longer", root, ca=True, now=WALL)
    far = make("ca", longer, ca=True, now=WALL)
    near = make("ca", root, ca=True, now=WALL, key=far.key)
    leaf = make("reg-1", near, now=WALL)
    shown = [far, longer, near]
    assert not objection(SigningCertificates(root.der), leaf, *shown[turn:], *shown[:turn])
    assert "pathLenConstraint" in objection(SigningCertificates(root.der), leaf, far, longer)


def test_certificates_that_sign_one_another_make_little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine with one name and one key have a million orders."""
    looks, issued = 0, chains._issued

    def counted(*pair: Any) -> bool:
        nonlocal looks
        looks += 1
        assert looks <= 500
        return issued(*pair)

    monkeypatch.setattr(chains, "_issued", counted)
    one = make("x", ca=True, now=WALL)
    crowd = [make("x", ca=True, now=WALL, key=one.key) for _ in range(9)]
    leaf = make("reg-1", one, now=WALL)
    assert "no enrolled CA vouches" in objection(SigningCertificates(ROOT.der), leaf, *crowd)
    looks = 0
    known = make("x", ROOT, ca=True, now=WALL, key=one.key)
    assert not objection(SigningCertificates(ROOT.der), leaf, *crowd[:8], known)


@pytest.mark.parametrize("group", [True, False])
def test_a_certificate_with_a_name_of_an_unknown_kind_is_refused_in_words(group: bool) -> None:
    leaf = make("reg-1", ROOT, now=WALL, unreadable=True)
    attestation = SigningCertificates(ROOT.der) if group else ClientCertificates(leaf.der)
    assert "cannot be read" in objection(attestation, leaf, group=group)


def test_nor_does_it_become_an_enrolled_ca() -> None:
    odd = make("odd", ca=True, now=WALL, unreadable=True)
    with pytest.raises(EmulatorError, match="cannot be enrolled"):
        enrolling.signing_certificates(odd.pem, None)
    world = World()
    body = {
        "attestation": {"type": "x509", "x509": {"signingCertificates": {"primary": {"certificate": odd.pem.decode()}}}}
    }
    with pytest.raises(ServiceError, match="cannot be read") as caught:
        ServiceApi(world.dps).put(GROUP, "fleet", body, None)
    assert caught.value.code == 400004
    with pytest.raises(ValueError, match="cannot be read"):
        world.hub.access.trust(odd.der)


def test_circles_and_junk_end() -> None:
    """Two CAs of one name sign one another; and a chain longer than any path."""
    a = make("a", ca=True, now=WALL)
    b = make("b", a, ca=True, now=WALL)
    a_by_b = make("a", b, ca=True, now=WALL)
    assert objection(SigningCertificates(ROOT.der), make("reg-1", b, now=WALL), b, a, a_by_b)
    assert objection(SigningCertificates(ROOT.der), LEAF, *[make(f"x{n}", now=WALL) for n in range(20)])


@pytest.mark.parametrize("junk", [b"", b"\x30\x03\x02\x01\x01", LEAF.der[:-20], b"x" * 5000])
def test_unreadable_certificates_are_refused(junk: bytes) -> None:
    world = World()
    world.enrollments.add(Enrolled(SigningCertificates(ROOT.der), group_id="fleet"))
    for chain in ((junk,), (LEAF.der, junk)):
        with pytest.raises(ServiceError) as caught:
            world.dps.attest("reg-1", Credentials(chain=chain))
        assert caught.value.status == 401


def test_a_group_may_name_an_uploaded_ca() -> None:
    world = World()
    world.enrollments.add(Enrolled(CertificateReferences("ours"), group_id="fleet"))
    shown = Credentials(chain=(LEAF.der, MIDDLE.der))
    with pytest.raises(ServiceError, match="Invalid certificate") as caught:
        world.dps.attest("reg-1", shown)
    assert "was not uploaded" in caught.value.cause
    world.enrollments.authorities["ours"] = ROOT.der
    assert world.dps.attest("reg-1", shown).group_id == "fleet"


def test_what_the_device_is_told_and_the_hub_gets() -> None:
    world = World()
    world.enrollments.add(Enrolled(SigningCertificates(ROOT.der), group_id="fleet"))
    shown = Credentials(chain=(LEAF.der, MIDDLE.der))
    state = world.provision("reg-1", shown)
    info = state["x509"]["certificateInfo"]
    assert state["x509"]["enrollmentGroupId"] == "fleet"
    assert (info["subjectName"], info["issuerName"], info["version"]) == ("CN=Reg-1", "CN=middle", 3)
    assert info["sha1Thumbprint"] == chains.describe(LEAF.der)["sha1Thumbprint"]
    assert state["x509"]["signingCertificateInfo"]["subjectName"] == "CN=root"
    device = world.hub.registry.get("reg-1")
    assert device.authentication == "selfSigned"
    assert device.thumbprints == (info["sha1Thumbprint"], info["sha1Thumbprint"])
    assert device.keys == ()
    assert world.enrollments.uses_certificates


def test_switch_group_devices_by_ca() -> None:
    world = World(EmulatorOptions(dps_x509_group_devices="certificateAuthority"))
    world.enrollments.add(Enrolled(SigningCertificates(ROOT.der), group_id="fleet"))
    world.provision("reg-1", Credentials(chain=(LEAF.der, MIDDLE.der)))
    assert world.hub.registry.get("reg-1").authentication == "certificateAuthority"


def test_certificates_are_read_in_every_spelling() -> None:
    for text in (
        LEAF.pem,
        LEAF.pem.decode(),
        LEAF.der,
        base64.b64encode(LEAF.der),
        base64.b64encode(LEAF.pem).decode(),
    ):
        assert chains.read(text) == LEAF.der
    for bad in (b"", "hello!", b"\x30\x00", "-----BEGIN CERTIFICATE-----", base64.b64encode(b"x")):
        with pytest.raises(ValueError, match="not a certificate"):
            chains.read(bad)
