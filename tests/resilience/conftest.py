"""Runs of single trials, in this process, against a device process over real sockets."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import CHECKS, Judgement
from harness.run import Run
from harness.settings import load
from harness.verdict import CaseResult
from tests.addresses import free_address
from tests.paths import REPO

PUMP = "dtmi:test:Pump;1"
ZONE = "dtmi:com:example:preflight:ClimateZone;1"
MODELS = REPO / "tests" / "plugin" / "models"

Try = Callable[..., dict[str, CaseResult]]
"""`try_(arguments of the simulator, check, ...)`: the results by case. With `stock` a command line stands in place of
the arguments, of a device that plays a climate zone."""


@pytest.fixture
def try_(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Try:
    state = tmp_path_factory.getbasetemp() / "state"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPO), os.environ.get("PYTHONPATH", "")]))

    def run(device: str, *checks: str, stock: bool = False, **settings: float) -> dict[str, CaseResult]:
        given = {
            "dut": device if stock else f"{sys.executable} -m harness simulate {device}",
            "model-id": ZONE if stock else PUMP,
            "models": [str(MODELS), str(REPO / "dtdl_models")],
            "listen": free_address(),
            "profile": "full",
            "reports": str(tmp_path / "reports"),
            "state": str(state),
        }
        quick = {"connect_timeout": 20.0, "ack_timeout": 3.0, "command_timeout": 5.0, "trial_timeout": 30.0}
        loaded = dataclasses.replace(load(given, {}, tmp_path), **{**quick, **settings})  # type: ignore[arg-type]
        held = Run(loaded, say=lambda _: None)
        try:
            asyncio.run(held.conduct([Judgement(CHECKS[name]) for name in checks]))
        finally:
            held.close()
        return held.results

    return run


def codes(results: dict[str, CaseResult]) -> dict[str, list[str]]:
    """The codes of the findings, by case, but for notes."""
    return {name: [f.code for f in result.findings if f.severity != "info"] for name, result in results.items()}
