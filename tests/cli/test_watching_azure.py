"""`preflight monitor` and `preflight validate` of a hub in Azure: the emulator, by connection string and CA alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
pytest.importorskip("azure.eventhub", reason="needs azure-eventhub: pip install 'pnp-preflight[azure]'")

from harness.cli import main
from harness.emulator import EmulatorOptions
from harness.emulator.fixtures import LocalCloud
from harness.record import events as ev
from tests.cli.processes import Inline
from tests.watch.devices import connected, message
from tests.watch.model import BARE, DOCUMENTS


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    state: Path = tmp_path_factory.mktemp("azure-cli")
    with LocalCloud(EmulatorOptions(amqp_port=5671, event_partitions=1), None, state) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PREFLIGHT_") or "CONNECTION_STRING" in name:
            monkeypatch.delenv(name)
    if "hub" in request.fixturenames:
        cloud: LocalCloud = request.getfixturevalue("hub")
        monkeypatch.setenv("PREFLIGHT_HUB_CONNECTION_STRING", cloud.endpoints.hub_connection_string)
        monkeypatch.setenv("PREFLIGHT_AZURE_CA", str(cloud.ca_path))


def test_a_device_is_monitored(hub: LocalCloud) -> None:
    device_id = "monitored"
    options = ["--kind", "telemetry", "--kind", "reported", "--count", "2", "--poll", "0.2", "--json"]
    command = Inline("monitor", "--target", "azure", "--device", device_id, *options).listening()
    with connected(hub, "other") as other, connected(hub, device_id, BARE) as device:
        other.send_message(message('{"d": 9}'))
        device.send_message(message('{"d": 1.5}', colour="red"))
        device.patch_twin_reported_properties({"serial": "x"})
        assert command.finish() == 0
    found = {line["kind"]: line for line in command.objects()}
    assert found["telemetry"]["payload"] == {"d": 1.5}
    assert found["reported"]["payload"] == {"serial": "x"}
    assert {line["device"] for line in command.objects()} == {device_id}


def test_a_device_is_judged(hub: LocalCloud, tmp_path: Path) -> None:
    for document in DOCUMENTS:
        name, _, version = document["@id"].removeprefix("dtmi:").lower().partition(";")
        path = tmp_path / "models" / "dtmi" / f"{name.replace(':', '/')}-{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    options = ["--models", str(tmp_path / "models"), "--count", "3", "--poll", "0.2", "--format", "json"]
    command = Inline("validate", "--target", "azure", "--device", "judged*", *options).listening()
    with connected(hub, "judged-1", BARE) as device:
        device.send_message(message('{"d": "1.5"}'))
        device.send_message(message('{"d": 1.5}'))
        device.patch_twin_reported_properties({"serial": "x"})
        assert command.finish() == 1
    found = [(row["severity"], row["code"], row["element"]) for row in json.loads(command.text())]
    assert sorted(found) == [
        ("error", "telemetry-invalid", "d"),
        ("warning", "property-undeclared", "serial"),
    ]


def test_preflight_toml_names_the_target(hub: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('target = "azure"\n')
    command = Inline("monitor", "--kind", "telemetry", "--timeout", "0.1", "--device", "nobody")
    assert command.finish() == 0
    assert any("Listening to the hub " in line for line in command.err)
    assert "has no device 'nobody'" in command.err[-1]


def test_a_string_on_the_command_line_is_warned_of(hub: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    text = hub.endpoints.hub_connection_string
    monkeypatch.delenv("PREFLIGHT_HUB_CONNECTION_STRING")
    command = Inline("monitor", "--hub", text, "--kind", "telemetry", "--timeout", "0.1", "--device", "nobody")
    assert command.finish() == 0
    assert "--hub: what stands on a command line stays in the shell's history" in "".join(command.err)
    assert text.rpartition("=")[0][-20:] not in "".join(command.err)


def test_a_closed_endpoint_ends_it(monkeypatch: pytest.MonkeyPatch, hub: LocalCloud) -> None:
    text = f"Endpoint=sb://127.0.0.1:1/;SharedAccessKeyName=a;SharedAccessKey={'A' * 43}=;EntityPath=e"
    monkeypatch.setenv("PREFLIGHT_EVENT_HUB_CONNECTION_STRING", text)
    command = Inline("monitor", "--target", "azure")
    assert command.finish() == 1
    assert "127.0.0.1 cannot be reached on port 1: Connection refused" in "".join(command.err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("monitor --target azure", "PREFLIGHT_HUB_CONNECTION_STRING"),
        ("monitor --target azure --hub HostName=x", "it lacks SharedAccessKeyName and SharedAccessKey"),
        ("monitor --target azure --emulator http://127.0.0.1:1", "--emulator is about the emulator"),
        ("monitor --target local --hub HostName=x", "--target local is about the emulator and --hub about Azure"),
        ("validate --target azure --hub x --azure-ca nowhere.pem", "there is no file"),
    ],
)
def test_what_is_unclear_is_said(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    assert said in capsys.readouterr().err


def test_what_azure_does_not_tell_is_refused(hub: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "--target", "azure", "--kind", "commands"]) == 2
    assert "does not tell what is of kind commands; the emulator does" in capsys.readouterr().err
    assert not hub.seen(ev.MethodRequested)
