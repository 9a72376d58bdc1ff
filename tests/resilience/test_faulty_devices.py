"""For every check of a trial a device that fails it, over real sockets, and good ones that pass."""

from __future__ import annotations

import pytest

from harness.checks import trials as t
from harness.checks.trials import TRIALS_OF
from harness.device.simulator.resilience_faults import RESILIENCE_FAULTS
from harness.run.trials.catalogue import TRIALS
from harness.verdict import Outcome
from tests.resilience.conftest import Try, codes
from tests.resilience.faulty import FAULTY

BUSY = frozenset({t.HUB_BUSY})
STARTED = frozenset(trial.name for trial in TRIALS if trial.fresh)
CONNECTED = frozenset(trial.name for trial in TRIALS) - STARTED - BUSY


# The long ones first, for those who run tests side by side.


@pytest.mark.parametrize("trials", [BUSY, CONNECTED, STARTED], ids=["busy", "connected", "started"])
def test_a_good_device_without_an_sdk_passes_every_trial(try_: Try, trials: frozenset[str]) -> None:
    chosen = [check for check, needed in TRIALS_OF.items() if trials & set(needed[:1])]
    results = try_("--raw --retry 0.02", *chosen)
    assert {r.case: r.outcome for r in results.values()} == dict.fromkeys(chosen, Outcome.PASSED), results
    assert codes(results) == {name: [] for name in chosen}


def test_a_good_device_on_the_sdk_passes_those_of_the_hub(try_: Try) -> None:
    chosen = (
        "reconnects_after_cut",
        "stays_with_hub_when_busy",
        "reregisters_after_ten_failures",
        "restores_desired_state",
        "restores_subscriptions",
        "reregisters_when_moved",
        "ignores_old_patches",
    )
    results = try_("--retry 0.02", *chosen)
    assert codes(results) == {name: [] for name in chosen}, results
    assert {r.outcome for r in results.values()} == {Outcome.PASSED}, results
    assert not results["reregisters_after_ten_failures"].findings, "it asks DPS after ten failures"


@pytest.mark.parametrize(("fault", "more", "expected", "settings"), FAULTY, ids=[f[0] for f in FAULTY])
def test_a_faulty_device_is_found(
    try_: Try, fault: str, more: str, expected: dict[str, list[str]], settings: dict[str, float]
) -> None:
    results = try_(f"--fault {fault} {more}", *expected, **settings)
    assert codes(results) == expected, [(r.case, r.outcome, r.reason) for r in results.values()]


def test_a_device_that_sends_seldom_and_several_messages_at_once_is_not_said_to_have_stopped(try_: Try) -> None:
    """None comes after the reconnect, for the next ones are not due for a minute."""
    results = try_("--interval 60 --fault odd-twice --fault forget-telemetry", "reconnects_after_cut")
    assert codes(results) == {"reconnects_after_cut": []}
    assert [f.code for f in results["reconnects_after_cut"].findings] == ["telemetry-not-resumed"]


def test_every_fault_is_tried_and_every_check_has_one() -> None:
    assert {fault for fault, *_ in FAULTY} >= set(RESILIENCE_FAULTS)
    assert set(TRIALS_OF) == {check for _, _, expected, _ in FAULTY for check in expected}
