"""Cloud-to-device messages."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_receives_c2d(case: Case) -> None:
    """A device that takes messages acknowledges one."""
    case.holds()
