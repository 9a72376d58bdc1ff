"""docs/resilience.md names every trial, and findings that exist."""

from __future__ import annotations

import re

from harness.run.trials.catalogue import TRIALS
from tests.paths import REPO

TEXT = (REPO / "docs" / "resilience.md").read_text(encoding="utf-8")


def test_every_trial_is_there_in_its_order() -> None:
    first = re.findall(r"^\| ([^|`]+?) \| ", TEXT, re.MULTILINE)
    titles = [trial.title for trial in TRIALS]
    assert [cell for cell in first if cell in titles] == titles


def test_the_findings_are_those_of_the_checks() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (REPO / "harness" / "checks").glob("*.py"))
    cells = re.findall(r"^\| (`[^|]+) \|", TEXT, re.MULTILINE)
    codes = [code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)]
    assert len(codes) > 8
    assert [code for code in codes if f'"{code}"' not in source] == []
