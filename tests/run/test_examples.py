"""The devices in examples/ pass as they stand, but for what their SDK does not do."""

from __future__ import annotations

import sys

import pytest

from tests.emulator.live import nodesdk
from tests.paths import REPO
from tests.plugin.conftest import Preflight
from tests.plugin.conftest import preflight_in as preflight_in

DEVICES = REPO / "examples" / "devices"
ZONE = ("--models", str(REPO / "dtdl_models"), "--model-id", "dtmi:com:example:preflight:ClimateZone;1")


def test_the_python_device(preflight_in: Preflight) -> None:
    run = preflight_in(*ZONE, "--dut", f'"{sys.executable}" "{DEVICES / "python_pnp_sample.py"}"')
    assert run.code == 0, run.terminal
    assert run.findings == []


def test_the_node_device(preflight_in: Preflight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_PATH", str(nodesdk.modules() / "node_modules"))
    run = preflight_in(*ZONE, "--dut", f'node "{DEVICES / "node_pnp_sample.js"}"')
    assert run.code == 0, run.terminal
    assert run.findings == [("unknown-command-not-answered", "")], "the SDK answers no method without a handler"
