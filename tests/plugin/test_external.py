"""A physical device: its owner reads the settings off the terminal, enters them and starts it."""

from __future__ import annotations

import subprocess
import sys
import threading

from tests.plugin.conftest import MODELS, PUMP, Outcome, Preflight

NAMES = {
    "DPS endpoint": "IOTHUB_DEVICE_DPS_ENDPOINT",
    "ID scope": "IOTHUB_DEVICE_DPS_ID_SCOPE",
    "Registration id": "IOTHUB_DEVICE_DPS_DEVICE_ID",
    "CA certificate": "SSL_CERT_FILE",
    "Symmetric key": "IOTHUB_DEVICE_DPS_DEVICE_KEY",
}


def test_a_device_started_by_its_owner_passes_and_its_settings_last(preflight_in: Preflight) -> None:
    run, first = _run_by_hand(preflight_in)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    assert first["Symmetric key"] not in (run.reports / "journal.jsonl").read_text()
    assert first["Symmetric key"] not in (run.reports / "result.json").read_text()
    _, second = _run_by_hand(preflight_in)
    assert second == first


def _run_by_hand(preflight: Preflight) -> tuple[Outcome, dict[str, str]]:
    process = subprocess.Popen(
        preflight.command("--dut", "external", "--model-id", PUMP, "--connect-timeout", "30"),
        cwd=preflight.folder,
        env=preflight.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    printed: list[str] = []
    settings: dict[str, str] = {}
    while len(settings) < len(NAMES) and (line := process.stdout.readline()):
        printed.append(line)
        name, _, value = line.strip().partition(":")
        if name in NAMES:
            settings[name] = value.strip()
    device = subprocess.Popen(
        [sys.executable, "-m", "harness", "simulate", "--model-id", PUMP, "--models", str(MODELS)],
        env={
            **preflight.environment,
            **{NAMES[k]: v for k, v in settings.items()},
            "IOTHUB_DEVICE_SECURITY_TYPE": "DPS",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    rest, _ = process.communicate()
    watchdog.cancel()
    device.terminate()
    device.wait(10)
    return Outcome(process.returncode, "".join(printed) + rest, preflight.folder / "reports"), settings
