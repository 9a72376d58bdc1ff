"""What the Azure target makes, refuses, leaves alone and takes away, against the emulator's services."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.azure.ledger import DEVICE, ENROLLMENT, Ledger, Made
from harness.cli import main
from harness.record.events import DeviceAssigned, DeviceEnrolled
from harness.settings import EXTERNAL
from harness.target import TargetError
from harness.target.azure.leftovers import remove
from harness.target.azure.target import AzureTarget
from tests.emulator.dps.software_tpm import SoftwareTpm
from tests.target.azure.conftest import Cloud, Opened

Make = Callable[..., Opened]
KEY = base64.b64encode(bytes(32)).decode()


def _opened(opened: Opened) -> AzureTarget:
    opened.target.open()
    return opened.target


def _refused(opened: Opened) -> str:
    try:
        opened.target.open()
        opened.target.enroll()
    except TargetError as error:
        return str(error)
    raise AssertionError("nothing was refused")


# --- what it makes -----------------------------------------------------------------------------------


def test_an_enrollment_is_for_this_hub_marked_and_noted_before_it_is_made(cloud: Cloud, make: Make) -> None:
    before = cloud.holds()
    opened = make(registration_id="mine", origins={"registration-id": "the command line"})
    target = _opened(opened)
    credentials = target.enroll()
    made = cloud.enrolled("mine")
    assert made.attestation.primary == credentials.primary_key
    assert made.hubs == (cloud.ends.hub_host,)
    assert list(made.initial_twin["tags"]) == ["preflight"]
    noted = Ledger(target._settings.state).entries()
    assert [(one.kind, one.id) for one in noted] == [
        ("enrollment", "mine"),
        ("registration record", "mine"),
        ("device", "mine"),
    ]
    text = (target._settings.state / "azure.json").read_text()
    assert credentials.primary_key not in text
    assert "SharedAccessKey" not in text
    target.close()
    assert cloud.holds() == before
    assert Ledger(target._settings.state).entries() == []


def test_an_id_that_nobody_chose_is_of_this_run_alone(make: Make) -> None:
    one, other = _opened(make()).enroll(), _opened(make()).enroll()
    assert one.registration_id != other.registration_id
    assert one.registration_id.startswith("preflight-device-")


def test_a_group_gives_its_device_a_derived_key(cloud: Cloud, make: Make) -> None:
    before = cloud.holds()
    target = _opened(make(enrollment="group"))
    credentials = target.enroll()
    group: Any = cloud.emulator.call(lambda services: next(iter(services.enrollments.groups())))
    raw = hmac.digest(base64.b64decode(group.attestation.primary), credentials.registration_id.encode(), hashlib.sha256)
    assert credentials.primary_key == base64.b64encode(raw).decode()
    assert group.attestation.primary in credentials.secrets
    target.close()
    assert cloud.holds() == before


def test_a_tpm_is_enrolled_by_its_endorsement_key(cloud: Cloud, make: Make) -> None:
    tpm = SoftwareTpm(rsa.generate_private_key(65537, 2048))
    opened = make(attestation="tpm", endorsement_key=tpm.endorsement_key, registration_id="tpm-1")
    _opened(opened).enroll()
    made = cloud.enrolled("tpm-1")
    assert made.attestation.endorsement == tpm.endorsement_key


def test_a_physical_device_keeps_its_key_from_run_to_run(make: Make) -> None:
    chosen = {"dut": EXTERNAL, "registration_id": "on-the-desk"}
    first = _opened(make(**chosen))
    key = first.enroll().primary_key
    first.close()
    assert _opened(make(**chosen)).enroll().primary_key == key


def test_what_is_kept_is_listed_and_removed_when_asked_for(
    cloud: Cloud, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cloud.holds()
    opened = make(keep=True, registration_id="kept", origins={"registration-id": "the command line"})
    _opened(opened).enroll()
    opened.target.close()
    assert cloud.holds() != before
    state = ["--state", str(tmp_path / "state")]
    assert f"`{' '.join(['preflight azure cleanup --kept', *state])}`" in "\n".join(opened.said)
    for name, value in cloud.environment().items():
        if name.startswith("PREFLIGHT_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    ended = {"pid": 1, "began": 0.0}  # as if the run were over
    ledger = Ledger(tmp_path / "state")
    rows = [Made(one.kind, one.id, one.host, one.mark, one.through, one.kept, **ended) for one in ledger.entries()]  # type: ignore[arg-type]
    for one in ledger.entries():
        ledger.forget(one)
    ledger.note(*rows)
    assert main(["azure", "cleanup", *state]) == 0
    assert cloud.holds() != before
    assert main(["azure", "cleanup", "--kept", *state]) == 0
    assert cloud.holds() == before
    assert "enrollment kept" in capsys.readouterr().out


# --- what it leaves alone ----------------------------------------------------------------------------


def test_an_existing_device_is_tested_as_it_is(cloud: Cloud, make: Make) -> None:
    before = cloud.holds()
    opened = make(device_id=cloud.foreign)
    target = _opened(opened)
    credentials = target.enroll()
    enrolled = cloud.enrolled("foreign")
    assert credentials.existing
    assert credentials.primary_key == enrolled.attestation.primary
    target.close()
    assert cloud.holds() == before
    assert Ledger(target._settings.state).entries() == []
    assert not [e for e in opened.events if isinstance(e, (DeviceAssigned, DeviceEnrolled))]


def test_an_id_that_is_taken_is_refused_and_left(cloud: Cloud, make: Make) -> None:
    before = cloud.holds()
    chosen = {"origins": {"registration-id": "the command line"}}
    assert "--device-id foreign" in _refused(make(registration_id="foreign", **chosen))
    cloud.emulator.enroll("only-enrolled")
    assert "DPS has an enrollment only-enrolled already" in _refused(make(registration_id="only-enrolled", **chosen))
    only = cloud.enrolled("only-enrolled")
    cloud.emulator.call(lambda services: services.enrollments.remove(only))
    assert cloud.holds() == before


def test_a_device_that_came_by_somebody_elses_group_is_refused_and_its_record_left(cloud: Cloud, make: Make) -> None:
    before = cloud.holds()
    cloud.emulator.enroll_group("theirs")

    def registers(services: Any) -> None:
        services.dps.registrations.obtain("line7-42", next(iter(services.enrollments.groups())), "2026-01-01")

    cloud.emulator.call(registers)
    opened = make(registration_id="line7-42", origins={"registration-id": "the command line"})
    assert "DPS has a registration of line7-42 already" in _refused(opened)
    opened.target.close()
    assert cloud.emulator.call(lambda services: services.dps.registrations.find("line7-42")) is not None
    cloud.emulator.call(lambda services: services.dps.remove(next(iter(services.enrollments.groups()))))
    assert cloud.holds() == before


def test_what_carries_another_mark_is_never_removed(cloud: Cloud, make: Make, tmp_path: Path) -> None:
    before = cloud.holds()
    target = _opened(make(device_id=cloud.foreign))
    host = cloud.ends.service_host
    ledger = Ledger(tmp_path / "other")
    noted = [Made(kind, cloud.foreign, host, "0123456789abcdef", through="foreign") for kind in (ENROLLMENT, DEVICE)]
    ledger.note(*noted)
    removals = remove(noted, ledger, target._provisioning, target._service)
    assert [r.done for r in removals] == [True, True]
    assert all("was not made by the pre-flight" in r.said for r in removals)
    assert cloud.holds() == before
    assert ledger.entries() == []


def test_what_is_elsewhere_is_left_noted(make: Make, cloud: Cloud, tmp_path: Path) -> None:
    target = _opened(make(device_id=cloud.foreign))
    ledger = Ledger(tmp_path / "other")
    ledger.note(Made(DEVICE, "x", "another.azure-devices.net", "m"))
    (removal,) = remove(ledger.entries(), ledger, target._provisioning, target._service)
    assert not removal.done
    assert "another.azure-devices.net" in removal.said
    assert len(ledger.entries()) == 1


# --- what it refuses ---------------------------------------------------------------------------------


def _hub(cloud: Cloud, **changes: str) -> str:
    parts = dict(p.split("=", 1) for p in cloud.ends.hub_connection_string.split(";"))
    return ";".join(f"{k}={v}" for k, v in {**parts, **changes}.items())


def test_missing_rights_name_the_policy_that_is_needed(cloud: Cloud, make: Make) -> None:
    said = _refused(make(hub_connection_string=cloud.policy("service")))
    assert "takes the right RegistryRead, which is in the policy `registryRead`" in said
    said = _refused(make(hub_connection_string=cloud.policy("registryRead")))
    assert "takes the right RegistryWrite, which is in the policy `registryReadWrite` or `iothubowner`" in said
    said = _refused(make(hub_connection_string=cloud.policy("registryReadWrite"), device_id=cloud.foreign))
    assert "takes the right ServiceConnect, which is in the policy `service` or `iothubowner`" in said


def test_a_wrong_key_is_said_to_be_one(cloud: Cloud, make: Make) -> None:
    said = _refused(make(hub_connection_string=_hub(cloud, SharedAccessKey=KEY)))
    assert "policy iothubowner" in said
    assert "its key is not the present one" in said
    dps = cloud.ends.dps_connection_string.rpartition("SharedAccessKey=")[0] + f"SharedAccessKey={KEY}"
    said = _refused(make(dps_connection_string=dps))
    assert "policy provisioningserviceowner" in said
    assert KEY not in said


def test_malformed_strings_name_the_part(make: Make, cloud: Cloud) -> None:
    for name, text, says in (
        ("hub_connection_string", "HostName=h.azure-devices.net", "SharedAccessKeyName"),
        ("dps_connection_string", cloud.ends.hub_connection_string, "that of an IoT Hub"),
        ("event_hub_connection_string", "Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=b", "EntityPath"),
    ):
        with pytest.raises(TargetError, match=says):
            make(**{name: text})


def test_hosts_that_are_not_there_are_named(cloud: Cloud, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.target.azure.target._OPENING", 0.0)
    said = _refused(make(hub_connection_string=_hub(cloud, HostName="127.0.0.1:1")))
    assert "127.0.0.1:1 could not be reached: nothing listens there" in said
    said = _refused(make(azure_ca=None, dps_endpoint="x"))
    assert "its certificate is not trusted" in said
    assert "--azure-ca" in said


def test_a_hub_that_is_not_linked_to_the_dps(cloud: Cloud, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = make()
    opened.target.open()
    monkeypatch.setattr(opened.target._enroller, "_hub_host", "elsewhere.azure-devices.net")
    with pytest.raises(TargetError, match=r"hub elsewhere\.azure-devices\.net is linked to this DPS"):
        opened.target.enroll()


def test_an_unknown_device_and_a_disabled_one(cloud: Cloud, make: Make) -> None:
    assert "has no device nobody" in _refused(make(device_id="nobody"))
    cloud.emulator.call(partial(_disabled, "off"))
    assert "off is disabled in the hub" in _refused(make(device_id="off"))
    cloud.emulator.call(lambda services: services.hub.delete_device("off", "*"))


def _disabled(device_id: str, services: Any) -> None:
    services.hub.put_device(device_id, {"status": "disabled"}, None)
