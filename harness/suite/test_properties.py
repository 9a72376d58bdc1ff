"""Read-only properties are reported, writable ones acknowledged."""

from __future__ import annotations

from harness.dtdl import Capability
from harness.plugin.fixtures import Case


def test_read_only_property(case: Case, read_only_property: Capability) -> None:
    """The property is reported, and its value fits its schema."""
    case.holds()


def test_writable_property(case: Case, writable_property: Capability) -> None:
    """A desired value is acknowledged with value, ac and av."""
    case.holds()


def test_no_undeclared_properties(case: Case) -> None:
    """The device reports nothing that its model does not declare."""
    case.holds()
