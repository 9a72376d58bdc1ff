"""How telemetry is carried."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_telemetry_by_component(case: Case) -> None:
    """Telemetry of a component names it in `$.sub`."""
    case.holds()


def test_one_object_a_message(case: Case) -> None:
    """A message holds one object, not an array."""
    case.holds()


def test_messages_name_their_content(case: Case) -> None:
    """Messages name content type and encoding."""
    case.holds()


def test_names_are_legal(case: Case) -> None:
    """Undeclared names could be declared."""
    case.holds()


def test_rate_is_bearable(case: Case) -> None:
    """The device does not flood the hub."""
    case.holds()
