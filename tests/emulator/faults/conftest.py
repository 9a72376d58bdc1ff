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
    "impatient_sdk",
    "iot_hub",
    "local_cloud",
    "quick_sdk",
]

_CONSTANTS = "azure.iot.device.provisioning.pipeline.constant"


@pytest.fixture
def quick_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK polls DPS every 2 s, fixed: too long for a test."""
    monkeypatch.setattr(f"{_CONSTANTS}.DEFAULT_POLLING_INTERVAL", 0.05)


@pytest.fixture
def impatient_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it waits 30 s for an answer, for tests in which none comes; an answer may take its time on a busy machine."""
    monkeypatch.setattr(f"{_CONSTANTS}.DEFAULT_TIMEOUT_INTERVAL", 1)
