"""Every command is answered: at first, again at the end, and when the request is wrong."""

from __future__ import annotations

from harness.dtdl import Capability
from harness.plugin.fixtures import Case


def test_command(case: Case, command: Capability) -> None:
    """A valid request gets a success status and a valid response."""
    case.holds()


def test_command_again(case: Case, command: Capability) -> None:
    """It does so at the end of the run as well."""
    case.holds()


def test_unknown_command(case: Case) -> None:
    """An undeclared command gets an error status."""
    case.holds()


def test_rejects_invalid_request(case: Case, command: Capability) -> None:
    """An invalid request gets an error status, and the device lives on."""
    case.holds()
