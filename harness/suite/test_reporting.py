"""How properties are reported, and what both twins make of them."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_initial_values(case: Case) -> None:
    """A value of the device's own says so: ac 203, av 0."""
    case.holds()


def test_no_arrays_in_properties(case: Case) -> None:
    """No reported property holds an array."""
    case.holds()


def test_refused_patches_are_read(case: Case) -> None:
    """A refused patch is not sent again and again."""
    case.holds()


def test_device_information(case: Case) -> None:
    """DeviceInformation is in the model, read-only and as published."""
    case.holds()


def test_twins_agree(case: Case) -> None:
    """Digital twin and device twin hold the same values."""
    case.holds()
