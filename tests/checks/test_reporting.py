"""How properties are reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.story import at_work, plant_at_work
from tests.checks.words import codes


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ({"value": 1, "ac": 203, "av": 0}, []),
        ({"value": 1, "ac": 203, "av": 0, "ad": "initial"}, []),
        ({"value": 1, "ac": 200, "av": 7}, []),  # the answer to what was desired before the run
        ({"value": 1, "ac": 200, "av": 0}, ["warning initial-value-code"]),
        ({"value": 1, "ac": 203, "av": 7}, ["warning own-value-version"]),
        (1, ["warning initial-value-bare"]),
        ("1", ["warning initial-value-bare"]),
    ],
)
def test_initial_values(first: object, found: list[str]) -> None:
    story = at_work()
    story.reported({"speed": first})
    story.wrote("speed", 5, 2)
    story.reported({"speed": {"value": 5, "ac": 200, "av": 2}})
    assert codes(story.judge("initial_values")) == found


@pytest.mark.parametrize(
    ("patch", "found"),
    [
        ({"hours": 1}, []),
        ({"hours": [1, 2]}, ["error property-array"]),
        ({"speed": {"value": [1], "ac": 200, "av": 1}}, ["error property-array"]),
        ({"other": {"list": []}}, ["error property-array"]),
    ],
)
def test_arrays(patch: object, found: list[str]) -> None:
    story = at_work()
    story.reported(patch)
    assert codes(story.judge("no_arrays_in_properties")) == found


@pytest.mark.parametrize(("status", "times", "found"), [(400, 3, 1), (400, 2, 0), (429, 5, 0), (204, 5, 0)])
def test_refused_patches_sent_again(status: int, times: int, found: int) -> None:
    story = at_work()
    for _ in range(times):
        story.reported({"hours": 1}, status)
    assert codes(story.judge("refused_patches_are_read")) == ["warning refused-patch-repeated"] * found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"value": 5, "ac": 200, "av": 2, "ad": None}, []),
        ({"value": 5, "ac": 200, "av": 2, "ad": 1}, ["error ack-description"]),
        ({"value": 5, "ac": 201, "av": 2}, ["warning ack-code"]),
        ({"value": 5, "ac": 203, "av": 2}, ["warning ack-code"]),
        ({"value": 5, "ac": 401, "av": 2}, ["warning ack-code"]),
        ({"value": 5, "ac": 0, "av": 2}, ["error ack-code"]),
    ],
)
def test_acknowledgement_codes_and_descriptions(answer: object, found: list[str]) -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    story.reported({"speed": answer})
    assert codes(story.judge("writable_property", "speed")) == found


def test_a_part_of_an_object_is_an_answer_with_a_warning() -> None:
    story = plant_at_work()
    story.wrote_together({"level": {"low": 1.0, "high": 2.0}}, 2, "exercise")
    story.acked("level", {"low": 1.0}, 2)
    assert codes(story.judge("writable_property", "level")) == ["warning ack-partial"]


def test_components_that_the_model_does_not_have() -> None:
    story = at_work()
    story.reported({"part9": {"__t": "c", "serial": "x"}})
    assert codes(story.judge("no_undeclared_properties")) == ["warning component-undeclared"]


@pytest.mark.parametrize("first", [{"value": 1}, {"value": 1, "ac": 203}, {"value": 1, "ad": "factory"}])
def test_a_value_that_is_wrapped_for_nothing_is_said_so(first: object) -> None:
    story = at_work()
    story.reported({"speed": first, "hours": first})
    result = story.judge("initial_values")
    assert codes(result) == ["warning initial-value-incomplete"]
    assert "without a" in result.findings[0].message
    (wrong,) = story.judge("read_only_property", "hours").findings
    assert wrong.code == "property-invalid"
    assert "it is wrapped in an object" in wrong.message


def test_a_wrapped_value_in_telemetry_is_said_so() -> None:
    story = at_work()
    story.telemetry({"flow": {"value": 1.5}})
    (wrong,) = story.judge("telemetry", "flow").findings
    assert "it is wrapped in an object" in wrong.message
    story = at_work()
    story.telemetry({"flow": {"value": "much"}})
    (wrong,) = story.judge("telemetry", "flow").findings
    assert "wrapped" not in wrong.message, "the bare value would not fit either"


@pytest.mark.parametrize(
    ("later", "found"),
    [
        ({"speed": 5}, ["warning own-value-bare"]),
        ({"speed": {"value": 5, "ac": 200, "av": 2}}, []),
        ({"speed": {"value": 6, "ac": 203, "av": 0}}, []),
        ({"speed": None}, []),
        ({"hours": 5}, []),
    ],
)
def test_what_is_told_again_after_an_acknowledgement(later: Any, found: list[str]) -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    story.reported({"speed": 5})  # no acknowledgement yet: another finding
    story.acked("speed", 5, 2)
    assert codes(story.judge("initial_values")) == []
    story.reported(later)
    assert codes(story.judge("initial_values")) == found
