"""`preflight doctor`, for the local target, beside an emulator, and for the services of Azure (the emulator's)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.emulator import EmulatorOptions
from harness.emulator.fixtures import LocalCloud
from tests.addresses import free_address

Read = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
    pytest.importorskip("azure.eventhub", reason="needs azure-eventhub: pip install 'pnp-preflight[azure]'")
    options = EmulatorOptions(control_port=0, amqp_port=5671, event_partitions=1)
    with LocalCloud(options, None, tmp_path_factory.mktemp("doctor")) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PREFLIGHT_") or "CONNECTION_STRING" in name or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture
def azure(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    pytest.importorskip("azure.iot.deviceprovisioning", reason="needs pip install 'pnp-preflight[azure]'")
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", cloud.endpoints.hub_connection_string)
    monkeypatch.setenv("PREFLIGHT_DPS_CONNECTION_STRING", cloud.endpoints.dps_connection_string)
    monkeypatch.setenv("PREFLIGHT_DPS_ENDPOINT", cloud.endpoints.dps_host)
    monkeypatch.setenv("PREFLIGHT_AZURE_CA", str(cloud.ca_path))
    return cloud


def results(capsys: Read) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["results"]
    return found


def failures(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    assert all(one["cure"] for one in found if one["outcome"] in ("failed", "warning"))
    return [(one["check"], one["detail"]) for one in found if one["outcome"] == "failed"]


def test_a_computer_that_is_ready(capsys: Read) -> None:
    assert main(["doctor", "--listen", free_address()]) == 0
    out = capsys.readouterr().out
    assert "ok       listen" in out
    assert "no failures" in out


def test_a_taken_port(capsys: Read) -> None:
    address = free_address()
    with socket.socket() as taken:
        taken.bind((address, 8883))
        taken.listen(1)
        assert main(["doctor", "--listen", address]) == 1
    assert f"Port 8883 on {address} is in use by" in " ".join(capsys.readouterr().out.split())


def test_a_running_emulator(cloud: LocalCloud, capsys: Read) -> None:
    assert main(["doctor", "--emulator", cloud.endpoints.control, "--json"]) == 0
    found = results(capsys)
    assert failures(found) == []
    checks = {(one["check"], one["subject"].rpartition(":")[2]) for one in found if one["outcome"] == "ok"}
    assert {("TLS", "8883"), ("TLS", "5671"), ("clock", "this computer")} <= checks
    assert sum(one["check"] == "credentials" and one["outcome"] == "ok" for one in found) == 2


def test_an_emulator_that_is_gone(capsys: Read) -> None:
    assert main(["doctor", "--emulator", "http://127.0.0.1:1", "--json"]) == 1
    assert [check for check, _ in failures(results(capsys))] == ["emulator"]


def test_services_that_are_well(azure: LocalCloud, capsys: Read) -> None:
    assert main(["doctor", "--target", "azure", "--json"]) == 0
    found = results(capsys)
    assert failures(found) == []
    assert [one["detail"] for one in found if one["check"] == "credentials"] == [
        "twins and devices may be read",
        "enrollments may be read",
        "read from iothub-ehub-127, group $Default",
    ]


def test_wrong_keys(azure: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    keys = []
    for name in ("PREFLIGHT_HUB_CONNECTION_STRING", "PREFLIGHT_DPS_CONNECTION_STRING"):
        head, _, key = os.environ[name].rpartition("SharedAccessKey=")
        monkeypatch.setenv(name, f"{head}SharedAccessKey={key.swapcase()}")
        keys.append(key)
    assert main(["doctor", "--target", "azure", "--json"]) == 1
    found = results(capsys)
    assert [check for check, _ in failures(found)] == ["credentials"] * 3
    assert "401" in failures(found)[0][1]
    assert not any(key.swapcase()[:10] in json.dumps(found) for key in keys)


def test_a_policy_without_the_right(azure: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    policy = azure.emulator.call(lambda services: services.hub.access.policies["registryRead"])
    host = azure.endpoints.service_host
    text = f"HostName={host};SharedAccessKeyName=registryRead;SharedAccessKey={policy.primary_key}"
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", text)
    assert main(["doctor", "--target", "azure", "--json"]) == 1
    found = failures(results(capsys))
    assert len(found) == 2
    assert "service" in found[0][1]


def test_a_policy_that_may_read_twins_alone(azure: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    policy = azure.emulator.call(lambda services: services.hub.access.policies["service"])
    host = azure.endpoints.service_host
    text = f"HostName={host};SharedAccessKeyName=service;SharedAccessKey={policy.primary_key}"
    monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", text)
    monkeypatch.delenv("PREFLIGHT_DPS_CONNECTION_STRING")
    assert main(["doctor", "--target", "azure", "--json"]) == 0
    (found,) = [one for one in results(capsys) if one["outcome"] == "warning"]
    assert found["detail"].startswith("twins may be read, devices may not: 401")
    assert "--device-id" in found["cure"]


def test_a_wrong_consumer_group(azure: LocalCloud, capsys: Read) -> None:
    assert main(["doctor", "--target", "azure", "--consumer-group", "nobody", "--json"]) == 1
    assert "has no consumer group 'nobody'" in failures(results(capsys))[0][1]


def test_a_malformed_string_is_a_result(azure: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    monkeypatch.setenv("PREFLIGHT_DPS_CONNECTION_STRING", os.environ["PREFLIGHT_HUB_CONNECTION_STRING"])
    monkeypatch.setenv("PREFLIGHT_EVENT_HUB_CONNECTION_STRING", "Endpoint=sb://127.0.0.254")
    assert main(["doctor", "--target", "azure", "--json"]) == 1
    assert "it is that of an IoT Hub" in failures(results(capsys))[0][1]


def test_a_ca_that_is_not_the_services(azure: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    monkeypatch.delenv("PREFLIGHT_AZURE_CA")
    assert main(["doctor", "--target", "azure", "--json"]) == 1
    found = results(capsys)
    assert {check for check, _ in failures(found)} == {"TLS"}
    assert all(one["outcome"] == "skipped" for one in found if one["check"] == "credentials")


def test_nothing_is_named(capsys: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFLIGHT_DPS_ENDPOINT", "dps.invalid")
    assert main(["doctor", "--target", "azure"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "The hub is not named" in out
    assert "DPS: none is named" in out
    assert main(["doctor", "--target", "azure", "--emulator", "http://127.0.0.1:1"]) == 2
