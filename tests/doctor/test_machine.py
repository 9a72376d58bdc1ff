"""This computer's own faults."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.doctor import machine
from harness.doctor.result import Outcome
from tests.addresses import free_address


def test_what_is_installed() -> None:
    found = machine.packages(azure=False)
    assert found[0].outcome is Outcome.OK
    assert "azure-iot-device" in found[0].detail


def test_an_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_present", lambda module: module != "azure.eventhub")
    (azure,) = [one for one in machine.packages(azure=True) if one.subject == "extra azure"]
    assert azure.outcome is Outcome.FAILED
    assert azure.detail == "missing: azure-eventhub"
    assert "pip install 'pnp-preflight[azure]'" in azure.cure
    (local,) = [one for one in machine.packages(azure=False) if one.subject == "extra azure"]
    assert local.outcome is Outcome.SKIPPED


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    version = machine._version
    monkeypatch.setattr(machine, "_version", lambda name: None if name == "aiohttp" else version(name))
    found = machine.packages(azure=False)[0]
    assert (found.outcome, found.detail) == (Outcome.FAILED, "missing: aiohttp")


def test_folders(tmp_path: Path) -> None:
    assert machine.folder("state", tmp_path / "not" / "there").outcome is Outcome.OK
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").write_text("")
    found = machine.folder("reports", tmp_path / "file" / "below")
    assert found.outcome is Outcome.FAILED
    assert "--reports" in found.cure


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert machine.folder("reports", tmp_path).outcome is Outcome.FAILED


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_state_folder_that_others_may_write_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = machine.folder("state", tmp_path, private=True)
    assert found.outcome is Outcome.WARNING
    assert found.cure.startswith("chmod go-w")


def test_a_taken_port() -> None:
    address = free_address()
    with socket.socket() as taken:
        taken.bind((address, 8883))
        taken.listen(1)
        found = machine.listening(address)[0]
    assert found.outcome is Outcome.FAILED
    assert "is in use by" in found.detail
    assert "--listen" in found.cure
    assert machine.listening(address)[0].outcome is Outcome.OK


def test_an_address_of_another_machine() -> None:
    found = machine.listening("192.0.2.1")[0]
    assert found.outcome is Outcome.FAILED
    assert "is not an address of this machine" in found.detail


@pytest.mark.parametrize(
    ("subjects", "outcome"),
    [
        ([*machine.AZURE_ROOTS, "other"], Outcome.OK),
        (["DigiCert Global Root G2"], Outcome.WARNING),
        ([], Outcome.SKIPPED),
    ],
)
def test_roots(subjects: list[str], outcome: Outcome) -> None:
    assert machine.roots(subjects).outcome is outcome
