"""Which case of the checks a test of the suite is about: by the test's name and parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.checks import Judgement


def check_name(item: pytest.Item) -> str:
    """`test_telemetry[flow]` is about the check `telemetry`."""
    return str(getattr(item, "originalname", item.name)).removeprefix("test_")


def device_of(item: pytest.Item) -> str | None:
    """The device of the fleet that a test is about; None without a fleet, and for a test of somebody's own."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("preflight") if "preflight" in getattr(item, "fixturenames", ()) else None


def judgement_of(item: pytest.Item) -> Judgement | None:
    """The case of a test of the suite; None for any other test."""
    if "case" not in getattr(item, "fixturenames", ()):
        return None
    from harness.checks import CHECKS, Judgement

    found = CHECKS.get(check_name(item))
    if found is None:
        return None
    params = getattr(getattr(item, "callspec", None), "params", {})
    return Judgement(found, params.get(found.over))
