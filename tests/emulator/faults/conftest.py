"""The SDK tests use the fixture package as other people's suites do."""

from __future__ import annotations

import pytest

from harness.emulator.fixtures import (
    _cloud,
    dps,
    emulator_address,
    emulator_options,
    emulator_state,
    iot_hub,
    local_cloud,
)

__all__ = [
    "_cloud",
    "dps",
    "emulator_address",
    "emulator_options",
    "emulator_state",
    "iot_hub",
    "local_cloud",
    "quick_sdk",
]


@pytest.fixture
def quick_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK polls DPS every 2 s and waits 30 s for an answer, both fixed: too long for a test."""
    constants = "azure.iot.device.provisioning.pipeline.constant"
    monkeypatch.setattr(f"{constants}.DEFAULT_POLLING_INTERVAL", 0.05)
    monkeypatch.setattr(f"{constants}.DEFAULT_TIMEOUT_INTERVAL", 1)
