"""The suite with `--target azure` and the webhook, against an emulator that is seen as Azure is: what the device put
into its register request is judged there too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.azure.webhook.allocation import MARK, TAG
from harness.emulator import Emulator, EmulatorOptions
from tests.addresses import free_address
from tests.azure.conftest import AMQP_PORT
from tests.paths import REPO
from tests.plugin.conftest import MODELS, Outcome

PART = "dtmi:test:Part;1"
_DEADLINE = 240


@dataclass
class Sky:
    """The emulator as Azure, and the webhook's URL as the user knows it."""

    emulator: Emulator
    webhook: str

    def run(self, folder: Path, *arguments: str, fault: str = "", webhook: bool = True) -> Outcome:
        device = f"preflight simulate --model-id {PART} --models {MODELS}" + (f" --fault {fault}" if fault else "")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", "azure", "--dut", device]
        command += ["--model-id", PART, "--models", str(MODELS), "--profile", "smoke", "--window", "3", *arguments]
        ends = self.emulator.endpoints
        named = {
            "PREFLIGHT_HUB_CONNECTION_STRING": ends.hub_connection_string,
            "PREFLIGHT_DPS_CONNECTION_STRING": ends.dps_connection_string,
            "PREFLIGHT_EVENT_HUB_CONNECTION_STRING": ends.event_hub_connection_string,
            "PREFLIGHT_ID_SCOPE": ends.id_scope,
            "PREFLIGHT_DPS_ENDPOINT": ends.dps_host,
            "PREFLIGHT_AZURE_CA": str(ends.ca_path),
            **({"PREFLIGHT_WEBHOOK": self.webhook} if webhook else {}),
        }
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PREFLIGHT_", "PYTEST_", "GITHUB_", "TF_"))}
        environment = {**ours, "PYTHONPATH": str(REPO), **named}
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE, check=False
        )
        return Outcome(done.returncode, done.stdout + done.stderr, folder / "reports")


@pytest.fixture(scope="module")
def webhook() -> Iterator[str]:
    """The URL of the webhook, in a process of its own."""
    command = [sys.executable, "-m", "harness.azure.webhook", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("webhook: ").strip()
        process.kill()


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory, webhook: str) -> Iterator[Sky]:
    pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
    pytest.importorskip("azure.eventhub", reason="needs the extra: pip install 'pnp-preflight[azure]'")
    pytest.importorskip("azure.iot.deviceprovisioning", reason="needs the extra: pip install 'pnp-preflight[azure]'")
    options = EmulatorOptions(amqp_port=AMQP_PORT, event_partitions=2, webhook_loopback=True)
    state, address = tmp_path_factory.mktemp("sky"), free_address(AMQP_PORT)
    with Emulator(address=address, state_dir=state, emit=lambda event: None, options=options) as emulator:
        yield Sky(emulator, webhook)


def test_a_good_device(sky: Sky, tmp_path: Path) -> None:
    run = sky.run(tmp_path, "--keep", "--registration-id", "kept")
    assert run.code == 0, run.terminal
    assert run.cases["model_id_in_dps_payload"] == "passed"
    assert run.cases["model_ids_agree"] == "passed"
    twin = sky.emulator.call(partial(_twin, "kept"))
    assert twin["tags"][MARK]
    assert twin["tags"][TAG]["registrationId"] == "kept"
    for text in (run.terminal, *(p.read_text(errors="replace") for p in run.reports.rglob("*") if p.is_file())):
        assert sky.webhook.partition("code=")[2] not in text


def test_a_device_that_keeps_its_model_from_dps(sky: Sky, tmp_path: Path) -> None:
    run = sky.run(tmp_path / "with", fault="no-dps-model-id")
    assert run.code == 1, run.terminal
    assert run.cases["model_id_in_dps_payload"] == "failed"
    assert "dps-payload-without-model-id" in [code for code, _ in run.findings]

    run = sky.run(tmp_path / "without", fault="no-dps-model-id", webhook=False)
    assert run.code == 0, run.terminal
    assert run.cases["model_id_in_dps_payload"] == "not observable"
    assert "docs/webhook.md" in run.terminal + (run.reports / "result.json").read_text()


def _twin(device_id: str, services: Any) -> Any:
    return services.hub.registry.get(device_id).twin_document()
