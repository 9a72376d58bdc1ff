"""Every command is answered."""

from __future__ import annotations

from harness.dtdl import Capability
from harness.plugin.fixtures import Case


def test_command(case: Case, command: Capability) -> None:
    """A valid request gets a success status and a valid response."""
    case.holds()
