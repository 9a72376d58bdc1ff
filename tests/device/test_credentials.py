"""What a device is told: in the environment of a process, on the terminal for its owner."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.device.credentials import PROOFS, Credentials, DeviceCertificate, environment
from harness.device.external import ExternalDevice
from harness.device.process import ProcessDevice
from harness.emulator import managing
from harness.record.events import DeviceExited, Event

FILES = DeviceCertificate(Path("/state/certificate.pem"), Path("/state/key.pem"), Path("/state/both.pem"))
BY_KEY = Credentials("dev-1", "0ne1", "127.0.0.1", Path("/state/ca.pem"), primary_key="a2V5")
BY_CERTIFICATE = Credentials("dev-1", "0ne1", "127.0.0.1", Path("/state/ca.pem"), certificate=FILES)
BY_TPM = Credentials("dev-1", "0ne1", "127.0.0.1", Path("/state/ca.pem"))
CERTIFICATES = {
    "X509_CERT_FILE": str(FILES.certificate),
    "X509_KEY_FILE": str(FILES.key),
    "PASS_PHRASE": "",
    "CERTIFICATE_FILE": str(FILES.certificate),
    "KEY_FILE": str(FILES.key),
    "IOTHUB_DEVICE_X509_CERT": str(FILES.certificate),
    "IOTHUB_DEVICE_X509_KEY": str(FILES.key),
    "AZ_IOT_DEVICE_X509_CERT_PEM_FILE_PATH": str(FILES.both),
}
KEYS = dict.fromkeys(
    ("IOTHUB_DEVICE_DPS_DEVICE_KEY", "PROVISIONING_SYMMETRIC_KEY", "AZ_IOT_PROVISIONING_SAS_KEY"), "a2V5"
)


@pytest.mark.parametrize(
    ("credentials", "proof"), [(BY_KEY, KEYS), (BY_CERTIFICATE, CERTIFICATES), (BY_TPM, {})], ids=["key", "x509", "tpm"]
)
def test_a_process_is_told_of_one_proof_under_every_name(credentials: Credentials, proof: dict[str, str]) -> None:
    told = environment(credentials, None, ())
    assert {name: value for name, value in told.items() if name in PROOFS} == proof
    assert told.get("DPS_X509_REGISTRATION_ID") == ("dev-1" if credentials.certificate else None)
    assert told["IOTHUB_DEVICE_DPS_DEVICE_ID"] == told["PROVISIONING_REGISTRATION_ID"] == "dev-1"
    assert told["IOTHUB_DEVICE_SECURITY_TYPE"] == "DPS"


def test_the_emulator_tells_of_an_enrollment_what_a_process_is_told() -> None:
    ends = {"dpsHost": "127.0.0.1", "idScope": "0ne1", "caPath": str(BY_KEY.ca_path)}
    told = managing.environment(ends, {"registrationId": "dev-1", "primaryKey": "a2V5"})
    assert told == environment(BY_KEY, None, ())


def test_a_process_inherits_no_other_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOTHUB_DEVICE_DPS_DEVICE_KEY", "aW5oZXJpdGVk")
    monkeypatch.setenv("KEPT", "kept")
    lines: list[str] = []
    ended = threading.Event()
    program = tmp_path / "look.py"
    program.write_text("import os\nfor pair in os.environ.items(): print(*pair, sep='=')\n")
    device = ProcessDevice(f'"{sys.executable}" look.py', tmp_path, None, (), _until(DeviceExited, ended), lines.append)
    device.start(BY_CERTIFICATE)
    assert ended.wait(10)
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    assert told["KEPT"] == "kept"
    assert {name: told[name] for name in PROOFS & set(told)} == CERTIFICATES


def _until(kind: type[Event], ended: threading.Event) -> Callable[[Event], None]:
    return lambda event: ended.set() if isinstance(event, kind) else None


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        (BY_KEY, "  Symmetric key:    a2V5"),
        (
            BY_CERTIFICATE,
            f"""\
  Device certificate:  {FILES.certificate}
  Private key:         {FILES.key}
  Both in one file:    {FILES.both}
Copy the certificate and its private key to the device; embedded C samples want both in one file. They are kept for
the next runs. Whoever has the private key can pass for the device: keep it secret.""",
        ),
        (
            BY_TPM,
            """\
The device proves itself with its TPM, whose endorsement key is enrolled. It has to register over HTTPS, on port 443:
DPS takes no TPM over MQTT.""",
        ),
    ],
    ids=["key", "x509", "tpm"],
)
def test_the_owner_of_a_device_is_told_in_plain_words(credentials: Credentials, says: str) -> None:
    said: list[str] = []
    ExternalDevice(lambda event: None, said.append).start(credentials)
    assert said[0].splitlines()[0] == "Configure the device with these settings and start it:"
    rows = dict(line.strip().split(":", 1) for line in said[0].splitlines()[1:5])
    assert list(rows) == ["DPS endpoint", "ID scope", "Registration id", "CA certificate"]
    assert "\n".join(said[0].splitlines()[5:]) == says
