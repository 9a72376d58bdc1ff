"""IoT Central would take the device as it is. Warnings only."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_central_provisioning_state(case: Case) -> None:
    """No state of the device keeps it out."""
    case.holds()


def test_central_names(case: Case) -> None:
    """No telemetry name is one of IoT Central's own."""
    case.holds()


def test_central_schemas(case: Case) -> None:
    """The model has no schema that IoT Central takes in part only."""
    case.holds()


def test_central_template(case: Case) -> None:
    """The model fits into one device template."""
    case.holds()


def test_central_payloads(case: Case) -> None:
    """Messages say that they are JSON in UTF-8."""
    case.holds()


def test_central_duplicate_names(case: Case) -> None:
    """A name that several components share comes with its component."""
    case.holds()


def test_central_limits(case: Case) -> None:
    """Properties and the rate of messages keep to IoT Central's limits."""
    case.holds()
