"""What the local target makes and enrolls for each attestation, and what it says where it cannot."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness.device.credentials import Credentials
from harness.record.events import Event
from harness.settings import EXTERNAL, Settings
from harness.target import TargetError
from harness.target.local import LocalTarget
from tests.addresses import free_address
from tests.emulator.dps.software_tpm import SoftwareTpm

Enroll = Callable[..., tuple[LocalTarget, Credentials]]


@pytest.fixture
def enroll(tmp_path: Path) -> Iterator[Enroll]:
    opened: list[LocalTarget] = []

    def enroll(**settings: Any) -> tuple[LocalTarget, Credentials]:
        events: list[Event] = []
        known: dict[str, Any] = {"listen": free_address(), "state": tmp_path / "state", **settings}
        target = LocalTarget(Settings(**known), events.append)
        opened.append(target)
        target.open()
        return target, target.enroll()

    yield enroll
    for target in opened:
        target.close()


def test_a_process_gets_a_certificate_that_goes_with_the_run(enroll: Enroll, tmp_path: Path) -> None:
    target, credentials = enroll(dut="x", attestation="x509", registration_id="Dev:1")
    files = credentials.certificate
    assert files is not None
    assert credentials.primary_key == ""
    subject = x509.load_pem_x509_certificate(files.certificate.read_bytes()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Dev:1"
    assert files.both.read_bytes() == files.certificate.read_bytes() + files.key.read_bytes()
    assert b"PRIVATE" not in files.certificate.read_bytes()
    if os.name == "posix":
        assert [stat.S_IMODE(f.stat().st_mode) for f in (files.key, files.both)] == [0o600, 0o600]
        assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700
    target.close()
    assert sorted(p.name.partition("-")[0] for p in (tmp_path / "state").iterdir()) == ["ca", "server"]


def test_the_private_key_is_a_secret_line_by_line(enroll: Enroll) -> None:
    _, credentials = enroll(dut="x", attestation="x509")
    assert credentials.certificate is not None
    lines = credentials.certificate.key.read_text().splitlines()[1:-1]
    assert lines
    assert {*lines, "".join(lines)} <= set(credentials.secrets)
    assert lines[0] not in repr(credentials)


def test_a_physical_device_keeps_its_certificate(enroll: Enroll) -> None:
    target, first = enroll(dut=EXTERNAL, attestation="x509")
    target.close()
    assert first.certificate is not None
    content = first.certificate.both.read_bytes()
    target, second = enroll(dut=EXTERNAL, attestation="x509")
    assert second.certificate == first.certificate
    assert second.certificate.both.read_bytes() == content
    target.close()
    first.certificate.key.unlink()  # half of it lost: made anew, as a whole
    _, third = enroll(dut=EXTERNAL, attestation="x509")
    assert third.certificate is not None
    assert third.certificate.both.read_bytes().endswith(third.certificate.key.read_bytes())


def test_a_device_with_a_tpm_is_given_neither_key_nor_certificate(enroll: Enroll, https: str) -> None:
    tpm = SoftwareTpm()
    _, credentials = enroll(listen=https, dut="x", attestation="tpm", endorsement_key=tpm.endorsement_key)
    assert (credentials.primary_key, credentials.certificate) == ("", None)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"registration_id": "no spaces!"}, "'no spaces!' is no id"),
        ({"registration_id": "no spaces!", "attestation": "x509"}, "'no spaces!' is no id"),
        ({"registration_id": "x" * 129}, "is no id"),
        ({"registration_id": "x" * 65, "attestation": "x509"}, "64 characters at most"),
    ],
)
def test_a_registration_id_that_cannot_be_is_a_sentence(enroll: Enroll, settings: dict[str, str], says: str) -> None:
    with pytest.raises(TargetError, match=says):
        enroll(dut="x", **settings)


def test_what_is_no_endorsement_key_is_a_sentence(enroll: Enroll, https: str) -> None:
    with pytest.raises(TargetError, match=r"--endorsement-key cannot be enrolled. This is no public key of a TPM"):
        enroll(listen=https, dut="x", attestation="tpm", endorsement_key="AAAA")


def test_a_folder_that_cannot_be_written_is_a_sentence(enroll: Enroll, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.emulator.certificates.ensure_device", full)
    with pytest.raises(TargetError, match=r"No space left on device. Name another folder with --state"):
        enroll(dut="x", attestation="x509")


def test_without_https_there_is_no_tpm(enroll: Enroll) -> None:
    address = free_address()
    with socket.socket() as taken:
        try:
            taken.bind((address, 443))
            taken.listen()
        except PermissionError:
            pass  # nor may the target listen there
        with pytest.raises(TargetError, match=r"registers over HTTPS.* 443"):
            enroll(listen=address, dut="x", attestation="tpm", endorsement_key=SoftwareTpm().endorsement_key)


@pytest.fixture
def https() -> str:
    """An address where the HTTPS port of DPS may be had."""
    address = free_address()
    with socket.socket() as probe:
        try:
            probe.bind((address, 443))
        except OSError:
            pytest.skip("this user may not listen on port 443, where devices with a TPM register")
    return address
