"""What the maker states about the device fits its model, and is in force."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_expectations_fit_model(case: Case) -> None:
    """Every element stated is declared, and every value stated fits its schema."""
    case.holds()


def test_waivers_are_in_force(case: Case) -> None:
    """No waiver has expired."""
    case.holds()
