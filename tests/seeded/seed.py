"""What a seed is: a device with one known fault, and all that must be found of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks import CHECKS
from harness.verdict import Outcome, Verdict

STATION = "dtmi:test:seed:Station;1"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one case must come to: its outcome, and the codes of its errors and warnings, all of one requirement."""

    outcome: Outcome
    codes: tuple[str, ...]
    requirement: str

    def __str__(self) -> str:
        return f"{self.outcome.value}: {', '.join(self.codes)}"


@dataclass(frozen=True, slots=True)
class Seed:
    """`device` are arguments of `preflight simulate` (or `!` and a script of `devices/`), `expected` all the cases that
    are to fail or warn: `{"telemetry[temperature]": "failed telemetry-invalid"}`; the first is what it was made for.

    `stated` is the text of preflight.toml, `settings` are fields of Settings, `services` faults of DPS and the hub in
    the words of a fault plan, `trials` the checks of trials that are judged too. `slow` seeds are left out where time
    is short.
    """

    name: str
    device: str
    expected: Mapping[str, str] = field(default_factory=dict)
    model: str = STATION
    stated: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    services: tuple[Mapping[str, Any], ...] = ()
    trials: tuple[str, ...] = ()
    needs_https: bool = False
    known_device: bool = False
    """Whether the hub knows the device before DPS does."""
    discovers: bool = False
    """Whether the model is left to be discovered."""
    slow: bool = False

    @property
    def faults(self) -> list[str]:
        """The switches of the simulator, each with its path."""
        words = self.device.split()
        return [word for before, word in itertools.pairwise(words) if before == "--fault"]

    @property
    def cases(self) -> dict[str, Expected]:
        """What is expected, by case."""
        return {case: _expected(case, text) for case, text in self.expected.items()}

    @property
    def verdict(self) -> Verdict:
        outcomes = {each.outcome for each in self.cases.values()}
        if Outcome.FAILED in outcomes:
            return Verdict.FAILED
        return Verdict.WARNINGS if Outcome.WARNING in outcomes else Verdict.PASSED


def check_of(case: str) -> str:
    """The name of the check that a case is of."""
    return case.partition("[")[0]


def _expected(case: str, text: str) -> Expected:
    text, _, requirement = text.partition(" @")
    word, *codes = text.split()
    return Expected(Outcome(word), tuple(codes), requirement or CHECKS[check_of(case)].requirement)
