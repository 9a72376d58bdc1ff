"""Trials: devices that are faulty when services fail."""

from __future__ import annotations

from collections.abc import Sequence

from tests.resilience.faulty import FAULTY
from tests.seeded.library.making import PUMP
from tests.seeded.seed import Seed

_PATIENCE = 3.0
"""Times as long as in the tests of the trials: here the machine may be busy."""


def _trial(fault: str, more: str, expected: dict[str, list[str]], settings: dict[str, float]) -> Seed:
    words = {case: f"{outcome_of(codes)} {' '.join(codes)}" for case, codes in expected.items()}
    return Seed(
        f"trial-{fault}",
        f"--fault {fault} {more}",
        words,
        model=PUMP,
        settings={name: _PATIENCE * seconds for name, seconds in settings.items()},
        trials=tuple(expected),
        slow=True,
    )


_WARNINGS = frozenset({"keeps-lost-hub", "reregisters-on-drop", "keep-alive-useless", "old-patch-applied"})


def outcome_of(codes: Sequence[str]) -> str:
    """By the severity of the codes that trials find."""
    return "warning" if set(codes) <= _WARNINGS else "failed"


RESILIENCE: Sequence[Seed] = tuple(_trial(*each) for each in FAULTY)
