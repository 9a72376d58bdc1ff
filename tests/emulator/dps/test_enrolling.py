"""Enrolling from a program: what the methods of `Emulator` say to what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.emulator import Emulator, EmulatorError, EmulatorOptions
from harness.emulator.dps.certificates import CertificateReferences
from harness.emulator.tokens import derive_key, new_key
from tests.emulator.dps.certs import make
from tests.emulator.watching import Watcher


@pytest.fixture
def emulator(start: Callable[..., Watcher]) -> Emulator:
    return start(EmulatorOptions(https_port=None)).emulator


def test_groups_and_keys(emulator: Emulator) -> None:
    key = new_key()
    group = emulator.enroll_group("fleet", primary_key=key)
    assert (group.primary_key, group.device_key("a")) == (key, derive_key(key, "a"))
    assert key not in repr(group)
    assert emulator.enroll_group("x", certificate=make("root", ca=True).pem).primary_key == ""
    assert emulator.enroll("reg-1", primary_key=key).primary_key == key


def test_removing(emulator: Emulator) -> None:
    emulator.enroll("a")
    emulator.enroll_group("a")
    emulator.remove_enrollment("A", group=True)
    emulator.remove_enrollment("A")
    for group in (True, False):
        with pytest.raises(EmulatorError, match="There is no enrollment"):
            emulator.remove_enrollment("a", group=group)


def test_uploaded_authorities(emulator: Emulator) -> None:
    root = make("root", ca=True)
    emulator.add_authority("ours", root.pem)
    assert emulator.call(lambda services: services.enrollments.authorities) == {"ours": root.der}
    assert CertificateReferences("ours").kind == "x509"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda e: e.enroll("a b"), "is no id of an enrollment"),
        (lambda e: e.enroll("a", policy="maybe"), "use migrate, reset or never"),
        (lambda e: e.enroll("a", allocation="maybe"), "use hashed, geoLatency"),
        (lambda e: e.enroll("a", hubs=["gone"]), "No hub gone is linked to this DPS; linked are 127"),
        (lambda e: e.enroll("a", primary_key="short"), "base64 of 16 to 64 bytes"),
        (lambda e: e.enroll_x509("a", "junk"), "cannot be enrolled: not a certificate"),
        (lambda e: e.enroll_group("a", certificate=make("leaf").pem), "it is not of a CA"),
        (lambda e: e.enroll_tpm("a", "junk"), "This is no public key of a TPM"),
        (lambda e: e.add_authority("a", make("leaf").pem), "it is not of a CA"),
    ],
)
def test_what_does_not_fit(emulator: Emulator, call: Callable[[Any], Any], sentence: str) -> None:
    with pytest.raises(EmulatorError, match=sentence):
        call(emulator)


def test_unknown_terms(emulator: Emulator) -> None:
    wrong: Any = {"colour": "red"}
    with pytest.raises(TypeError, match="unknown keyword argument 'colour'; known: allocation, edge"):
        emulator.enroll("a", **wrong)
