"""The simulator as a process, on Microsoft's SDK, against the emulator over TLS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.device.credentials import Credentials, environment
from harness.emulator import Emulator
from harness.record.events import (
    HubConnected,
    HubDisconnected,
    MethodAnswered,
    RegistrationRequested,
    ReportedPatched,
    TelemetryReceived,
)
from tests.addresses import free_address
from tests.emulator.watching import DEADLINE, Watcher
from tests.paths import REPO

from .models import PUMP, STATION

MODEL_ID = "dtmi:test:Station;1"
DEVICE = "device-1"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models with a space")
    for document in (STATION, PUMP):
        file = root / (str(document["@id"]).lower().replace(":", "/").replace(";", "-") + ".json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def open_emulator(state: Path) -> Iterator[Callable[[], Watcher]]:
    started: list[Emulator] = []

    def begin() -> Watcher:
        watcher = Watcher()
        watcher.emulator = Emulator(
            address=free_address(), state_dir=state, emit=watcher.emit, on_error=watcher.on_error
        )
        started.append(watcher.emulator)
        watcher.endpoints = watcher.emulator.start()
        return watcher

    yield begin
    for emulator in started:
        emulator.stop()


def device_environment(watcher: Watcher, models: Path, model_id: str = MODEL_ID) -> dict[str, str]:
    credentials = Credentials(
        registration_id=DEVICE,
        id_scope=watcher.endpoints.id_scope,
        dps_endpoint=watcher.endpoints.dps_host,
        primary_key=watcher.emulator.enroll(DEVICE).primary_key,
        ca_path=watcher.endpoints.ca_path,
    )
    return os.environ | environment(credentials, model_id, (str(models),))


def simulate(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "simulate", *arguments]
    return subprocess.Popen(command, env=environment, cwd=REPO, stderr=subprocess.PIPE, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def playing(open_emulator: Callable[[], Watcher], models: Path) -> Iterator[Watcher]:
    watcher = open_emulator()
    settings = device_environment(watcher, models)
    watcher.emulator.call(lambda services: services.hub.put_device(DEVICE, {}, None))
    twin_update(watcher, {"label": "before"})
    process = simulate(settings, "--interval", "0.2")
    yield watcher
    process.terminate()
    output = process.communicate(timeout=DEADLINE)[1]
    if os.name == "posix":
        assert process.returncode == 0, output
        assert watcher.wait(HubDisconnected).by == "device"
    assert watcher.errors == []


def twin_update(watcher: Watcher, desired: dict[str, Any]) -> int:
    """Change desired properties; their new version."""

    def update(services: Any) -> int:
        identity = services.hub.registry.get(DEVICE)
        services.hub.update_twin(identity, {"properties": {"desired": desired}})
        version: int = identity.twin.desired.version
        return version

    return watcher.emulator.call(update)


def invoke(watcher: Watcher, name: str, payload: bytes) -> MethodAnswered:
    before = len(watcher.seen(MethodAnswered))

    def start(services: Any) -> None:
        services.hub.methods.invoke(services.hub.registry.get(DEVICE), name, payload, lambda outcome: None)

    watcher.emulator.call(start)
    return watcher.wait(MethodAnswered, lambda event: event in watcher.seen(MethodAnswered)[before:])


def test_it_announces_its_model_twice(playing: Watcher) -> None:
    register = playing.wait(RegistrationRequested)
    assert json.loads(register.payload)["payload"] == {"modelId": MODEL_ID}
    assert playing.wait(HubConnected).model_id == MODEL_ID


@pytest.mark.parametrize(
    ("component", "name"), [(None, "level"), (None, "samples"), ("pump1", "flow"), ("pump2", "flow")]
)
def test_it_sends_every_telemetry_with_its_component_again_and_again(
    playing: Watcher, component: str | None, name: str
) -> None:
    def received() -> list[TelemetryReceived]:
        messages = [m for m in playing.seen(TelemetryReceived) if m.component == component]
        return [m for m in messages if name in json.loads(m.payload)]

    playing.wait(TelemetryReceived, lambda _: len(received()) >= 2)
    assert {(m.content_type, m.content_encoding) for m in received()} == {("application/json", "utf-8")}


def test_it_reports_every_property_at_start_and_answers_what_was_desired_before(playing: Watcher) -> None:
    event = playing.wait(ReportedPatched)
    report = json.loads(event.payload)
    assert event.status == 204
    assert report.keys() == {"installed", "label", "limits", "pump1", "pump2"}
    assert report["label"] == {"value": "before", "ac": 200, "av": 2, "ad": "accepted"}
    assert (report["limits"]["ac"], report["limits"]["av"]) == (203, 0)


def test_it_acknowledges_a_desired_change(playing: Watcher) -> None:
    playing.wait(ReportedPatched)
    version = twin_update(playing, {"label": "west", "pump2": {"__t": "c", "speed": "fast"}})
    answer = json.loads(playing.wait(ReportedPatched, lambda event: b"west" in event.payload).payload)
    assert answer["label"] == {"value": "west", "ac": 200, "av": version, "ad": "accepted"}
    assert (answer["pump2"]["__t"], answer["pump2"]["speed"]["ac"]) == ("c", 400)


def test_it_answers_commands(playing: Watcher) -> None:
    playing.wait(ReportedPatched)
    answer = invoke(playing, "pump1*prime", b"3")
    assert answer.status == 200
    assert isinstance(json.loads(answer.payload)["ok"], bool)
    assert invoke(playing, "pump1*prime", b'"3"').status == 400
    assert invoke(playing, "drain", b"").status == 200
    assert invoke(playing, "explode", b"").status == 404


def test_a_faulty_one_registers_without_a_model_and_can_be_stopped_meanwhile(
    open_emulator: Callable[[], Watcher], models: Path
) -> None:
    watcher = open_emulator()
    process = simulate(device_environment(watcher, models), "--fault", "no-dps-model-id")
    register = watcher.wait(RegistrationRequested)
    process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
    output = process.communicate(timeout=DEADLINE)[1]
    assert json.loads(register.payload)["payload"] is None
    assert "Traceback" not in output
    if os.name == "posix":
        assert (process.returncode, output.splitlines()[-1].split()[-1]) == (0, "stopped")


def test_a_refused_key_is_a_sentence(open_emulator: Callable[[], Watcher], models: Path) -> None:
    watcher = open_emulator()
    settings = device_environment(watcher, models) | {"IOTHUB_DEVICE_DPS_DEVICE_KEY": "d3Jvbmcga2V5d3Jvbmcga2V5"}
    process = simulate(settings)
    output = process.communicate(timeout=DEADLINE)[1]
    assert process.returncode == 1
    assert "IOTHUB_DEVICE_DPS_DEVICE_KEY" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("model_id", "says"),
    [("dtmi:test:Nowhere;1", "was not found"), ("dtmi:test:Pump;x", "was not found")],
)
def test_a_model_that_is_not_there_ends_it(
    open_emulator: Callable[[], Watcher], models: Path, model_id: str, says: str
) -> None:
    watcher = open_emulator()
    process = simulate(device_environment(watcher, models, model_id))
    output = process.communicate(timeout=DEADLINE)[1]
    assert process.returncode == 2
    assert says in output
    assert "Traceback" not in output


def test_it_ends_early_on_demand(models: Path, open_emulator: Callable[[], Watcher]) -> None:
    process = simulate(device_environment(open_emulator(), models), "--fault", "exit-early")
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 3


def test_missing_settings_are_a_sentence() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("IOTHUB_", "PREFLIGHT_"))}
    process = simulate(bare)
    output = process.communicate(timeout=DEADLINE)[1]
    assert process.returncode == 2
    assert "IOTHUB_DEVICE_DPS_ENDPOINT" in output
    assert "Traceback" not in output


def test_it_lists_its_faults() -> None:
    command = [sys.executable, "-m", "harness", "simulate", "--fault", "list"]
    listed = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
    assert "missing-telemetry=PATH" in listed
