"""What puts earlier values back."""

from __future__ import annotations

from typing import Any

import pytest

from harness.dtdl import Capability
from harness.run.exercise.patches import earlier
from tests.checks.story import PLANT, plant_model

BY_PATH: dict[str, Capability] = {c.path: c for c in plant_model().capabilities(PLANT)}


@pytest.mark.parametrize(
    ("desired", "reported", "found"),
    [
        ({}, {}, None),
        ({"speed": 3}, {"speed": {"value": 4, "ac": 200, "av": 1}}, 3),
        ({}, {"speed": {"value": 4, "ac": 203, "av": 0}}, 4),
        ({}, {"speed": 4}, 4),
        ({}, {"speed": {"value": "4", "ac": 203, "av": 0}}, None),  # nothing invalid is set by putting it back
        ({}, {"speed": "4"}, None),
        ({"speed": "3"}, {}, "3"),  # somebody else's wish
    ],
)
def test_the_value_before_the_run(desired: dict[str, Any], reported: dict[str, Any], found: object) -> None:
    twin = {"properties": {"desired": desired, "reported": reported}}
    assert earlier(twin, BY_PATH["speed"]) == found
