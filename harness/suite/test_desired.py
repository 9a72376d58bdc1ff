"""Desired changes beyond a single valid value."""

from __future__ import annotations

from harness.dtdl import Capability
from harness.plugin.fixtures import Case


def test_properties_in_one_patch(case: Case) -> None:
    """Several properties in one patch are each acknowledged with its own value."""
    case.holds()


def test_component_patch_without_marker(case: Case) -> None:
    """A component's change is taken without `__t` as well."""
    case.holds()


def test_unknown_desired_properties(case: Case) -> None:
    """What the model does not have changes nothing."""
    case.holds()


def test_desired_property_removed(case: Case) -> None:
    """Null removes a desired property, and the device lives on."""
    case.holds()


def test_rejects_invalid_value(case: Case, writable_property: Capability) -> None:
    """An invalid value is refused, and the device lives on."""
    case.holds()
