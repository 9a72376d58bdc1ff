"""Devices as Microsoft's documentation shows them keep every bound; what they leave undone is found and no more."""

from __future__ import annotations

import sys

import pytest

from harness.verdict import Outcome
from tests.emulator.live import nodesdk
from tests.paths import REPO
from tests.resilience.conftest import Try, codes

DEVICES = REPO / "examples" / "devices"

KEPT = (
    "reconnects_after_cut",
    "stays_with_hub_when_busy",
    "restores_subscriptions",
    "honours_retry_after_on_register",
    "honours_retry_after_on_poll",
    "backs_off_registering",
    "survives_poll_without_operation_id",
)
"""What every stock device does."""


def commands(kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    if kind == "python":
        return f'"{sys.executable}" "{DEVICES / "python_pnp_sample.py"}"'
    monkeypatch.setenv("NODE_PATH", str(nodesdk.modules() / "node_modules"))
    return f'node "{DEVICES / "node_pnp_sample.js"}"'


@pytest.mark.parametrize(
    ("kind", "found", "hammering"),
    [
        ("python", {"restores_desired_state": []}, ([],)),
        # As often as the machine lets it: a very busy one lets it pass.
        ("node", {"restores_desired_state": ["desired-missed"], "renews_token": []}, (["connect-hammering"], [])),
    ],
)
def test_a_stock_device(
    try_: Try,
    kind: str,
    found: dict[str, list[str]],
    hammering: tuple[list[str], ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = try_(commands(kind, monkeypatch), *KEPT, *found, "no_hammering", stock=True, trial_timeout=40.0)
    seen = codes(results)
    assert seen.pop("no_hammering") in hammering
    assert seen == {**{name: [] for name in KEPT}, **found}, [f.message for r in results.values() for f in r.findings]
    assert {results[name].outcome for name in KEPT} == {Outcome.PASSED}
