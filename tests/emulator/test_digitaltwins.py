from __future__ import annotations

from typing import Any

import pytest

from harness.emulator.errors import ServiceError
from harness.emulator.hub.digitaltwins import patch_to_desired, view
from harness.emulator.hub.twins import Twin


@pytest.fixture
def twin() -> Twin:
    twin = Twin(model_id="dtmi:com:example:Controller;1")
    twin.update({"properties": {"desired": {"target": 7, "comp": {"__t": "c", "limit": 3, "old": 1}}}}, "d")
    twin.report(
        {
            "serial": "S1",
            "target": {"value": 6, "ac": 202, "av": 2, "ad": "soon"},
            "comp": {"__t": "c", "max": 5},
            "plain": {"value": 1},
        },
        "r",
    )
    return twin


def test_the_view_unwraps_and_sorts_into_metadata(twin: Twin) -> None:
    assert view("dev", twin) == {
        "$dtId": "dev",
        "serial": "S1",
        "target": 6,
        "plain": {"value": 1},
        "comp": {
            "max": 5,
            "$metadata": {
                "max": {"lastUpdateTime": "r"},
                "limit": {"desiredValue": 3, "desiredVersion": 2},
                "old": {"desiredValue": 1, "desiredVersion": 2},
            },
        },
        "$metadata": {
            "$model": "dtmi:com:example:Controller;1",
            "serial": {"lastUpdateTime": "r"},
            "plain": {"lastUpdateTime": "r"},
            "target": {
                "desiredValue": 7,
                "desiredVersion": 2,
                "ackCode": 202,
                "ackVersion": 2,
                "ackDescription": "soon",
                "lastUpdateTime": "r",
            },
        },
    }


def test_a_twin_without_a_model() -> None:
    assert view("dev", Twin()) == {"$dtId": "dev", "$metadata": {"$model": ""}}


@pytest.mark.parametrize(
    ("operations", "desired"),
    [
        ([{"op": "add", "path": "/target", "value": 1}], {"target": 1}),
        ([{"op": "replace", "path": "/target", "value": {"x": 1}}], {"target": {"x": 1}}),
        ([{"op": "remove", "path": "/target"}], {"target": None}),
        (
            [{"op": "add", "path": "/comp/limit", "value": 1}, {"op": "remove", "path": "/comp/old"}],
            {"comp": {"__t": "c", "limit": 1, "old": None}},
        ),
        (
            [{"op": "replace", "path": "/comp", "value": {"limit": 9, "$metadata": {}}}],
            {"comp": {"__t": "c", "limit": 9, "old": None}},
        ),
        ([{"op": "remove", "path": "/comp"}], {"comp": None}),
        ([], {}),
    ],
)
def test_json_patch_becomes_desired(twin: Twin, operations: Any, desired: Any) -> None:
    assert patch_to_desired(twin, operations) == desired


@pytest.mark.parametrize(
    "operations",
    [
        {},
        ["x"],
        [{"op": "add", "value": 1}],
        [{"op": "add", "path": "/a"}],
        [{"op": "test", "path": "/a", "value": 1}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": "/", "value": 1}],
        [{"op": "add", "path": "/a/b/c", "value": 1}],
        [{"op": "add", "path": "/$model", "value": 1}],
        [{"op": "add", "path": "/a", "value": [1]}],
        [{"op": "add", "path": "/a", "value": {"b": {"c": [1]}}}],
        [{"op": "add", "path": "/a", "value": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}}],
        [{"op": "replace", "path": "/comp", "value": {"limit": 9}}],
        [{"op": "replace", "path": "/comp/limit", "value": {"$metadata": {}}}],
    ],
)
def test_patches_that_are_refused(twin: Twin, operations: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        patch_to_desired(twin, operations)
    assert caught.value.code == 400004
