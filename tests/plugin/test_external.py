"""A physical device: its owner reads the settings off the terminal, enters them and starts it."""

from __future__ import annotations

from tests.plugin.by_hand import by_hand
from tests.plugin.conftest import Preflight

NAMES = {
    "DPS endpoint": "IOTHUB_DEVICE_DPS_ENDPOINT",
    "ID scope": "IOTHUB_DEVICE_DPS_ID_SCOPE",
    "Registration id": "IOTHUB_DEVICE_DPS_DEVICE_ID",
    "CA certificate": "SSL_CERT_FILE",
    "Symmetric key": "IOTHUB_DEVICE_DPS_DEVICE_KEY",
}


def test_a_device_started_by_its_owner_passes_and_its_settings_last(preflight_in: Preflight) -> None:
    run, first = by_hand(preflight_in, NAMES)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    assert first["Symmetric key"] not in (run.reports / "journal.jsonl").read_text()
    assert first["Symmetric key"] not in (run.reports / "result.json").read_text()
    _, second = by_hand(preflight_in, NAMES)
    assert second == first
