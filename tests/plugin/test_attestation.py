"""How a device proves itself to DPS: by certificate and by TPM, end to end, and what a wrong combination is told."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.settings import tpm_registration_id
from tests.emulator.dps.software_tpm import SoftwareTpm
from tests.paths import REPO
from tests.plugin.by_hand import by_hand
from tests.plugin.conftest import PUMP, Outcome, Preflight

SIMULATE = "preflight simulate"
TANK = "dtmi:test:Tank;1"
ZONE = "dtmi:com:example:preflight:ClimateZone;1"
BY_CERTIFICATE = ("--attestation", "x509")
NAMES = {
    "DPS endpoint": "IOTHUB_DEVICE_DPS_ENDPOINT",
    "ID scope": "IOTHUB_DEVICE_DPS_ID_SCOPE",
    "Registration id": "IOTHUB_DEVICE_DPS_DEVICE_ID",
    "CA certificate": "SSL_CERT_FILE",
    "Device certificate": "X509_CERT_FILE",
    "Private key": "X509_KEY_FILE",
}


# --- certificates ------------------------------------------------------------------------------------


def test_a_device_with_a_certificate_passes(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", SIMULATE, "--model-id", PUMP, *BY_CERTIFICATE)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    rows = {row["kind"]: row for row in run.journal}
    assert rows["device_enrolled"]["attestation"] == "x509"
    assert rows["hub_connected"]["authentication"] == "x509"
    assert [f.name for f in (preflight_in.folder / ".preflight").iterdir() if f.name.startswith(("run-", "."))] == []


def test_the_example_takes_a_certificate(preflight_in: Preflight) -> None:
    device = f'"{sys.executable}" "{REPO / "examples" / "devices" / "python_pnp_sample.py"}"'
    run = preflight_in("--dut", device, "--model-id", ZONE, "--models", str(REPO / "dtdl_models"), *BY_CERTIFICATE)
    assert run.code == 0, run.terminal


def test_another_certificate_is_refused_and_said_to_be_the_cause(preflight_in: Preflight) -> None:
    other = preflight_in.folder / "other.py"
    other.write_text(
        "import os, pathlib, subprocess, sys\n"
        "from harness.emulator.issuing import make_device\n"
        "for name, content in make_device('preflight-device', 9).items():\n"
        "    pathlib.Path(name).write_bytes(content)\n"
        "os.environ |= {'X509_CERT_FILE': 'certificate.pem', 'X509_KEY_FILE': 'key.pem'}\n"
        "sys.exit(subprocess.call(['preflight', 'simulate']))\n"
    )
    run = preflight_in("--dut", f'"{sys.executable}" other.py', "--model-id", PUMP, *BY_CERTIFICATE)
    assert run.code == 1
    assert run.cases["registers_through_dps"] == "failed"
    assert "Check the certificate and its private key" in " ".join(run.terminal.split())
    assert "not one of the enrolled" in " ".join(run.terminal.split())


def test_a_physical_device_is_told_where_its_certificate_lies(preflight_in: Preflight) -> None:
    run, first = by_hand(preflight_in, NAMES, *BY_CERTIFICATE)
    assert run.code == 0, run.terminal
    certificate, key = Path(first["Device certificate"]), Path(first["Private key"])
    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "preflight-device"
    secret = key.read_text().splitlines()[1]
    assert secret not in run.terminal
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


# --- TPM ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endorsement() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def https(preflight_in: Preflight) -> None:
    with socket.socket() as probe:
        try:
            probe.bind((preflight_in.address, 443))
        except PermissionError:
            pytest.skip("this user may not listen on port 443, where devices with a TPM register")


def _tank(preflight: Preflight, key: rsa.RSAPrivateKey, enrolled: SoftwareTpm, *arguments: str) -> Outcome:
    """A run of the device with this TPM, whose enrollment is of that one."""
    path = preflight.folder / "ek.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    device = f'"{sys.executable}" -m tests.plugin.devices.tpm_tank ek.pem'
    tpm = ("--attestation", "tpm", "--endorsement-key", enrolled.endorsement_key)
    return preflight("--dut", device, "--model-id", TANK, *tpm, *arguments)


@pytest.mark.usefixtures("https")
def test_a_device_with_a_tpm_passes(preflight_in: Preflight, endorsement: rsa.RSAPrivateKey) -> None:
    tpm = SoftwareTpm(endorsement)
    run = _tank(preflight_in, endorsement, tpm)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    assert run.result["device_id"] == tpm_registration_id(tpm.endorsement_key)
    assert run.cases["model_id_in_dps_payload"] == "passed"
    rows = {row["kind"]: row for row in run.journal}
    assert rows["provisioning_connected"]["protocol"] == "https"
    assert rows["hub_connected"]["transport"] == "mqtt"


@pytest.mark.usefixtures("https")
def test_another_tpm_is_the_one_cause(preflight_in: Preflight, endorsement: rsa.RSAPrivateKey) -> None:
    run = _tank(preflight_in, endorsement, SoftwareTpm(), "--registration-id", "tank-1")
    assert run.code == 1
    assert "--endorsement-key" in run.terminal
    assert [code for code, _ in run.findings] == ["not-registered"]


def test_a_tpm_without_its_key_is_a_usage_error(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", SIMULATE, "--model-id", PUMP, "--attestation", "tpm")
    assert run.code == 4
    assert "--endorsement-key BASE64" in run.terminal
    assert "Traceback" not in run.terminal


def test_a_key_without_a_tpm_is_a_usage_error(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", SIMULATE, "--model-id", PUMP, "--endorsement-key", "AAAA")
    assert run.code == 4
    assert "for --attestation tpm" in run.terminal
