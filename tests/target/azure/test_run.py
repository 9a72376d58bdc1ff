"""The whole suite through Microsoft's service SDKs, against an emulator that is seen as Azure is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.record.events import HubConnected
from tests.paths import REPO
from tests.plugin.conftest import Outcome
from tests.target.azure.conftest import Cloud

EXAMPLE = "dtmi:com:example:preflight:ClimateStation;1"
_DEADLINE = 240
_EXPECTED_UNSEEN = {
    "model_id_in_dps_payload",
    "transport_is_mqtt",
    "user_name_is_encoded",
    "api_version_knows_models",
    "keeps_mqtt_rules",
    "one_connection_for_an_identity",
    "connection_holds",
    "model_id_announced_to_hub",
    "refused_patches_are_read",
}


def _command(*arguments: str) -> list[str]:
    device = ("--dut", "preflight simulate", "--model-id", EXAMPLE, "--models", str(REPO / "dtdl_models"))
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", "azure", *device, *arguments]


def _run(folder: Path, environment: dict[str, str], *arguments: str) -> Outcome:
    done = subprocess.run(
        _command(*arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr, folder / "reports")


def _cleanup(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", "azure", "cleanup", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        check=False,
    )


def test_the_whole_suite_passes_and_leaves_nothing(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text("[device]\nc2d = false\n", encoding="utf-8")
    before = cloud.holds()
    environment = cloud.environment(event_hub=True)
    run = _run(tmp_path, environment)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    assert {case for case, outcome in run.cases.items() if outcome == "not observable"} == _EXPECTED_UNSEEN
    assert set(run.cases.values()) == {"passed", "not observable", "not chosen"}
    assert cloud.holds() == before
    assert not (tmp_path / ".preflight" / "azure.json").exists()
    assert "the run will use about" in run.terminal
    assert "the run used" in run.terminal
    written = "".join(f.read_text(encoding="utf-8") for f in run.reports.iterdir() if f.suffix in (".jsonl", ".json"))
    for name in ("HUB", "DPS", "EVENT_HUB"):
        key = environment[f"PREFLIGHT_{name}_CONNECTION_STRING"].partition("SharedAccessKey=")[2].partition(";")[0]
        assert key not in written + run.terminal


def test_a_certificate_and_the_endpoint_found_from_the_hub_alone(cloud: Cloud, tmp_path: Path) -> None:
    before = cloud.holds()
    run = _run(tmp_path, cloud.environment(), "--attestation", "x509", "--profile", "smoke")
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    rows = {row["kind"]: row for row in run.journal}
    assert rows["device_enrolled"]["attestation"] == "x509"
    assert rows["hub_connected"]["authentication"] == "selfSigned"
    assert cloud.holds() == before
    assert not [f.name for f in (tmp_path / ".preflight").iterdir() if f.name.startswith("run-")]


@pytest.mark.skipif(os.name != "posix", reason="kills a whole process group")
def test_a_killed_run_is_cleaned_by_the_command(cloud: Cloud, tmp_path: Path) -> None:
    before = cloud.holds()
    environment = cloud.environment(event_hub=True)
    process = subprocess.Popen(
        _command(), cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        cloud.wait(HubConnected)
        rows = map(json.loads, (tmp_path / "reports" / "journal.jsonl").read_text(encoding="utf-8").splitlines())
        started = next(row["pid"] for row in rows if row["kind"] == "device_started")
        assert len(cloud.holds()[1]) == len(before[1]) + 1
        assert "in use" in _cleanup(tmp_path, environment, "--list").stdout
        assert _cleanup(tmp_path, environment).returncode == 0  # and removes nothing of a run that goes on
        assert cloud.holds() != before
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with contextlib.suppress(psutil.NoSuchProcess):  # a device that has lost its terminal may end by itself
        psutil.Process(started).kill()
    listed = _cleanup(tmp_path, environment, "--list")
    assert listed.returncode == 1
    assert listed.stdout.count("left behind") == 3
    cleaned = _cleanup(tmp_path, environment)
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert cloud.holds() == before
    assert _cleanup(tmp_path, environment, "--list").returncode == 0
