"""`preflight status` of devices of the emulator: by its control endpoint, and by the service SDKs as in Azure."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.emulator import EmulatorOptions
from harness.emulator.dps.monitor import Caller
from harness.emulator.fixtures import LocalCloud
from tests.watch.devices import connected

MODEL = "dtmi:test:Rig;1"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """With a device that is connected, one that was, and one that never was."""
    state: Path = tmp_path_factory.mktemp("status")
    with LocalCloud(EmulatorOptions(control_port=0), None, state) as cloud:
        cloud.dps.enroll("waiting")
        with connected(cloud, "away", MODEL):
            pass
        with connected(cloud, "here", MODEL):
            yield cloud


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PREFLIGHT_") or "CONNECTION_STRING" in name:
            monkeypatch.delenv(name)


def local(cloud: LocalCloud, *arguments: str) -> int:
    return main(["status", *arguments, "--emulator", cloud.endpoints.control])


def azure(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    pytest.importorskip("azure.iot.deviceprovisioning", reason="needs pip install 'pnp-preflight[azure]'")
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", cloud.endpoints.hub_connection_string)
    monkeypatch.setenv("PREFLIGHT_DPS_CONNECTION_STRING", cloud.endpoints.dps_connection_string)
    monkeypatch.setenv("PREFLIGHT_AZURE_CA", str(cloud.ca_path))
    return main(["status", *arguments, "--target", "azure"])


def test_a_device_that_is_there(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert local(cloud, "here") == 0
    out = capsys.readouterr().out
    assert "connection   connected; last activity" in out
    assert f"model        {MODEL}" in out
    assert "state        Provisioned: " in out


def test_a_device_that_is_away_is_good(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert local(cloud, "away") == 0
    assert "note         It was connected before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("device", "code", "state", "troubles"),
    [
        ("here", 0, "Provisioned", []),
        ("waiting", 1, "Registered", ["registered"]),
        ("nobody", 1, None, ["not-enrolled"]),
    ],
)
def test_both_targets_say_the_same(
    cloud: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    device: str,
    code: int,
    state: str | None,
    troubles: list[str],
) -> None:
    found: list[dict[str, Any]] = []
    for ended in (local(cloud, device, "--json"), azure(cloud, monkeypatch, device, "--json")):
        assert ended == code
    decoder, text = json.JSONDecoder(), capsys.readouterr().out
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        found.append(document)
        text = text.lstrip()[end:]
    assert [one.pop("target") for one in found] == ["local", "azure"]
    for one in found:
        assert (one["state"], [trouble["code"] for trouble in one["troubles"]]) == (state, troubles)
        if one["hub"]:
            one["hub"].pop("host")
    assert found[0] == found[1]


def test_a_refused_registration(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.dps.enroll("wrong-key")
    refused = ("wrong-key", 401, "the token's signature is not of its key")
    cloud.emulator.call(lambda services: services.dps.monitor.attested(Caller(), *refused))
    assert local(cloud, "wrong-key") == 1
    assert "DPS refused its last try to register: 401" in " ".join(capsys.readouterr().out.split())


def test_a_disabled_device(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.emulator.call(lambda services: services.hub.put_device("barred", {"status": "disabled"}, None))
    assert azure(cloud, monkeypatch, "barred") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "It is disabled in its hub" in out
    assert "state Blocked" in out


def test_without_dps_the_hub_is_asked(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", cloud.endpoints.hub_connection_string)
    monkeypatch.setenv("PREFLIGHT_AZURE_CA", str(cloud.ca_path))
    assert main(["status", "here", "--target", "azure"]) == 0
    assert "DPS was not asked: none is named" in " ".join(capsys.readouterr().out.split())


def test_a_refused_policy_is_said(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = cloud.endpoints.hub_connection_string
    key = text.partition("SharedAccessKey=")[2]
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", text.replace(key, key.swapcase()))
    monkeypatch.setenv("PREFLIGHT_AZURE_CA", str(cloud.ca_path))
    assert main(["status", "here", "--target", "azure"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "The hub was not asked: " in out
    assert "401" in out
    assert key[:10] not in out


def test_usage(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "here"]) == 2
    assert "No emulator runs with the state folder .preflight" in capsys.readouterr().err
    assert main(["status", "here", "--target", "azure"]) == 2
    assert "PREFLIGHT_HUB_CONNECTION_STRING" in capsys.readouterr().err
    assert main(["status", "here", "--emulator", "http://127.0.0.1:1"]) == 1
    assert "No emulator of this version can be reached" in capsys.readouterr().err
