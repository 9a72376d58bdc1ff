"""Every check is failed by a device that has the fault, with nothing else found; odd but right devices pass.

Here a few seeds stand for all, so that each check is failed once; `SEEDED=all` tests every one, and
`python -m tests.seeded` prints the table.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.checks.trials import TRIALS_OF
from harness.device.simulator.faults import FAULTS
from tests.paths import REPO
from tests.seeded import table
from tests.seeded.library import NEVER_FAILED, SEEDS, core
from tests.seeded.running import AT_A_TIME, https_is_free, run
from tests.seeded.seed import Seed, check_of
from tests.seeded.tolerated import TOLERATED

_ALL = os.environ.get("SEEDED") == "all"
_STANDING_FOR_ALL = ("good-on-sdk", "good-all-schemas", "good-as-stated", "odd-in-many-ways")
_GOOD = TOLERATED if _ALL else [seed for seed in TOLERATED if seed.name in _STANDING_FOR_ALL]
CHOSEN = sorted((*(SEEDS if _ALL else core()), *_GOOD), key=lambda seed: not seed.slow)
BATCHES = [CHOSEN[n::4] for n in range(4)]
"""Run together, since a run waits most of its time; several, for those who run tests side by side."""


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch[0].name} and {len(batch) - 1} more")
def test_what_is_found_is_what_is_wrong(batch: Sequence[Seed], tmp_path: Path) -> None:
    runnable = [seed for seed in batch if not seed.needs_https or https_is_free()]
    outcomes = run(runnable, AT_A_TIME, tmp_path)
    assert not any(outcome.problems for outcome in outcomes), "\n".join(
        line for outcome in outcomes for line in outcome.problems_shown
    )


def test_every_check_is_failed_by_a_device() -> None:
    failed = {check_of(case) for seed in SEEDS for case in seed.cases}
    assert failed | set(NEVER_FAILED) == set(CHECKS)
    assert not failed & set(NEVER_FAILED)


def test_a_few_stand_for_all() -> None:
    assert {check_of(case) for seed in core() for case in seed.cases} == set(CHECKS) - set(TRIALS_OF) - set(
        NEVER_FAILED
    )


def test_names_of_seeds_are_used_once() -> None:
    names = [seed.name for seed in (*SEEDS, *TOLERATED)]
    assert sorted(names) == sorted(set(names))


def test_every_fault_of_the_simulator_is_a_seed() -> None:
    words = " ".join(seed.device for seed in (*SEEDS, *TOLERATED)).split()
    assert {word.partition("=")[0] for word in words} >= set(FAULTS)


def test_the_published_table_is_current() -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.static(text) == table.static(table.page("\n")), "run `python -m tests.seeded --write`"


def test_the_figures_of_the_readme_are_those_of_the_table() -> None:
    text = " ".join((REPO / "README.md").read_text(encoding="utf-8").split())
    assert f"of {len(SEEDS)} devices with one seeded fault each {len(SEEDS)} are found out" in text
    assert f"nor one on {len(TOLERATED)} that are right though unusual" in text
