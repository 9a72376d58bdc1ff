"""Everything declared is sent, and nothing else."""

from __future__ import annotations

from harness.dtdl import Capability
from harness.plugin.fixtures import Case


def test_telemetry(case: Case, telemetry: Capability) -> None:
    """The telemetry is seen, and every value fits its schema."""
    case.holds()


def test_messages_as_stated(case: Case) -> None:
    """As many messages arrive in as much time as is stated."""
    case.holds()


def test_no_undeclared_telemetry(case: Case) -> None:
    """The device sends nothing that its model does not declare."""
    case.holds()


def test_payloads_are_json_objects(case: Case) -> None:
    """Every message and patch is one JSON object in UTF-8."""
    case.holds()
