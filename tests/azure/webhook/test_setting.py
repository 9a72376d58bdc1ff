"""The setting `webhook`, what an enrollment becomes with it, and what the checks say without what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.azure.connection_strings import parse_dps
from harness.azure.provisioning import Provisioning, ProvisioningError
from harness.emulator import Emulator, EmulatorOptions
from harness.record import events as ev
from harness.settings import SERVICE_SECRETS, SettingsError, load
from tests.addresses import free_address
from tests.checks.story import DEVICE, Story

URL = "https://app.example.net/api/allocate?code=ab%2Fcd%3D%3D"
AZURE = {
    "PREFLIGHT_HUB_CONNECTION_STRING": "HostName=h.azure-devices.net;SharedAccessKeyName=p;SharedAccessKey=a2V5",
    "PREFLIGHT_DPS_CONNECTION_STRING": "HostName=d.azure-devices-provisioning.net;SharedAccessKeyName=p;"
    "SharedAccessKey=a2V5",
    "PREFLIGHT_ID_SCOPE": "0ne0",
}


def test_the_url_is_a_secret(tmp_path: Path) -> None:
    settings = load({"target": "azure"}, {**AZURE, "PREFLIGHT_WEBHOOK": URL}, tmp_path)
    assert settings.webhook == URL
    assert {URL, "ab%2Fcd%3D%3D", "ab/cd=="} <= set(settings.secrets())
    assert "ab%2F" not in json.dumps(settings.as_record()) + repr(settings)
    assert "PREFLIGHT_WEBHOOK" in SERVICE_SECRETS
    given = load({"target": "azure", "webhook": URL}, AZURE, tmp_path)
    assert any("--webhook" in note and "PREFLIGHT_WEBHOOK" in note for note in given.notes)


def test_it_may_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(f'webhook = "{URL}"\n')
    assert load({"target": "azure"}, AZURE, tmp_path).webhook == URL
    assert load({}, {}, tmp_path).target == "local"


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.net/x?code=hunter2",
        "https:///x?code=hunter2",
        "https://[::1/x?code=hunter2",
        "https://u:hunter2@app.example.net/x",
        "https://app.example.net/a b?code=hunter2",
        "hunter2",
    ],
)
def test_what_is_no_webhook(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="PREFLIGHT_WEBHOOK") as caught:
        load({"target": "azure"}, {**AZURE, "PREFLIGHT_WEBHOOK": url}, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_where_it_has_no_effect(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--target azure"):
        load({"webhook": URL}, {}, tmp_path)
    with pytest.raises(SettingsError, match="--device-id"):
        load({"target": "azure", "webhook": URL, "device-id": "d"}, AZURE, tmp_path)


def test_enrollments_with_it(tmp_path: Path) -> None:
    pytest.importorskip("azure.iot.deviceprovisioning", reason="needs the extra: pip install 'pnp-preflight[azure]'")
    hub = free_address()
    options = EmulatorOptions(https_port=None)
    with Emulator(address=hub, state_dir=tmp_path, emit=lambda _: None, options=options) as emulator:
        ends = emulator.endpoints
        dps = Provisioning(parse_dps(ends.dps_connection_string), ends.ca_path)
        key: dict[str, Any] = {"type": "symmetricKey"}
        dps.enroll("reg-1", key, device_id="reg-1", hub=hub, mark="0123", webhook=URL)
        dps.enroll_group("fleet", key, hub=hub, mark="0123", webhook=URL)
        dps.enroll("plain", key, device_id="plain", hub=hub, mark="0123")
        for made in (dps.enrollment("reg-1"), dps.group("fleet")):
            assert made is not None
            assert (made["allocationPolicy"], made["iotHubs"]) == ("custom", [hub])
            assert made["customAllocationDefinition"]["webhookUrl"] == f"{URL}&preflight=0123"
        plain = dps.enrollment("plain")
        assert plain is not None
        assert (plain["allocationPolicy"], "customAllocationDefinition" in plain) == ("static", False)
        with pytest.raises(ProvisioningError, match="webhook_loopback"):
            dps.enroll("reg-2", key, device_id="reg-2", hub=hub, mark="0123", webhook="http://127.0.0.1:1/x?code=ab")
        dps.close()


# --- what is judged ----------------------------------------------------------------------------------


def test_without_it_the_payload_is_not_observable_and_two_ways_are_named() -> None:
    story = Story().opened("registration", "telemetry", "twin", "commands")
    story.tell(ev.DeviceAssigned(DEVICE, "hub", DEVICE))
    judged = story.judge("model_id_in_dps_payload")
    assert judged.outcome.value == "not observable"
    assert "--target local" in judged.reason
    assert "docs/webhook.md" in judged.reason


def test_a_webhook_that_left_nothing_fails_no_device() -> None:
    story = Story().opened("dps-payload", "registration", "telemetry", "twin", "commands")
    story.tell(ev.DeviceAssigned(DEVICE, "hub", DEVICE))
    judged = story.judge("model_id_in_dps_payload")
    assert judged.outcome.value == "not observable"
    assert "left nothing" in judged.reason


def test_what_it_left_is_judged() -> None:
    story = Story().opened("dps-payload", "registration", "telemetry", "twin", "commands")
    story.tell(ev.DeviceAssigned(DEVICE, "hub", DEVICE))
    story.tell(ev.RegistrationRequested(DEVICE, "", b'{"registrationId": "d", "payload": {"modelId": "dtmi:o;1"}}'))
    assert story.judge("model_id_in_dps_payload").findings == ()
    assert story.connected().judge("model_ids_agree").findings[0].code == "model-ids-differ"
