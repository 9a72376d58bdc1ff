"""Desired changes beyond a single valid value."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks.desired import UNKNOWN_COMPONENT, UNKNOWN_PROPERTY
from harness.expectations import Expectations, Property
from harness.verdict import Outcome
from tests.checks.story import at_work, plant_at_work
from tests.checks.words import codes

TOGETHER = {"speed": 5, "level": {"low": 1.0, "high": 2.0}, "valve1.trim": 0.5}


def test_several_properties_in_one_patch_each_with_its_own_value() -> None:
    story = plant_at_work()
    story.wrote_together(TOGETHER, 3, "together")
    for path, value in TOGETHER.items():
        story.acked(path, value, 3)
    assert codes(story.judge("properties_in_one_patch")) == []


def test_the_last_value_in_all_acknowledgements_fails() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 5, "valve1.trim": 0.5}, 3, "together")
    story.acked("speed", 0.5, 3)
    story.acked("valve1.trim", 0.5, 3)
    result = story.judge("properties_in_one_patch")
    assert codes(result) == ["error acknowledgements-mixed-up"]
    assert "the value of valve1.trim" in result.findings[0].message


def test_a_property_that_gets_lost_among_others_fails() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 5, "valve1.trim": 0.5}, 3, "together")
    story.acked("speed", 5, 3)
    assert codes(story.judge("properties_in_one_patch")) == ["error patch-not-acknowledged"]
    story.gone()
    assert "lost its connection" in story.judge("properties_in_one_patch").findings[0].message


def test_a_refusal_in_a_common_patch_is_an_answer() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 5, "valve1.trim": 0.5}, 3, "together")
    story.acked("speed", 0, 3, code=400)
    story.acked("valve1.trim", 0.5, 3)
    assert codes(story.judge("properties_in_one_patch")) == []


@pytest.mark.parametrize(("answers", "found"), [(True, []), (False, ["warning unmarked-patch-ignored"])])
def test_a_component_patch_without_its_marker(answers: bool, found: list[str]) -> None:
    story = plant_at_work()
    story.wrote_together({"valve1.trim": 0.5}, 3, "unmarked")
    if answers:
        story.acked("valve1.trim", 0.5, 3)
    assert codes(story.judge("component_patch_without_marker")) == found


def unknown(story: Any) -> None:
    story.reported({"hours": 1, "batch": "x", "valve1": {"__t": "c", "trim": {"value": 1, "ac": 203, "av": 0}}})
    story.wrote_together({"speed": 5, UNKNOWN_PROPERTY: 1, UNKNOWN_COMPONENT: {"__t": "c"}}, 3, "unknown")


def test_unknown_members_beside_a_known_one() -> None:
    story = plant_at_work()
    unknown(story)
    story.acked("speed", 5, 3)
    assert codes(story.judge("unknown_desired_properties")) == []


def test_an_answer_to_what_is_unknown_is_no_undeclared_property() -> None:
    story = plant_at_work()
    unknown(story)
    story.reported({UNKNOWN_PROPERTY: {"value": None, "ac": 404, "av": 3}})
    assert codes(story.judge("no_undeclared_properties")) == []


def test_a_device_that_gives_up_at_an_unknown_member_fails() -> None:
    story = plant_at_work()
    unknown(story)
    assert codes(story.judge("unknown_desired_properties")) == ["error unknown-desired-not-ignored"]


def test_a_device_that_reports_everything_again_fails() -> None:
    story = plant_at_work()
    unknown(story)
    story.acked("speed", 5, 3)
    everything = {"hours": 1, "batch": "x", "level": {"value": {}, "ac": 203, "av": 0}}
    story.reported({**everything, "valve1": {"__t": "c", "trim": {"value": 1, "ac": 203, "av": 0}}})
    assert codes(story.judge("unknown_desired_properties")) == ["error unknown-desired-reports-all"]


def test_a_device_that_always_reports_everything_is_tolerated() -> None:
    story = plant_at_work()
    everything = {"hours": 1, "batch": "x", "valve1": {"__t": "c", "trim": {"value": 1, "ac": 203, "av": 0}}}
    story.wrote_together({"speed": 4}, 2, "exercise")
    story.acked("speed", 4, 2)
    story.reported(everything)
    unknown(story)
    story.acked("speed", 5, 3)
    story.reported(everything)
    assert codes(story.judge("unknown_desired_properties")) == []


def test_a_device_that_does_so_when_the_unknown_is_taken_away_as_well_fails() -> None:
    story = plant_at_work()
    everything = {"hours": 1, "batch": "x", "valve1": {"__t": "c", "trim": {"value": 1, "ac": 203, "av": 0}}}
    unknown(story)
    story.acked("speed", 5, 3)
    story.reported(everything)
    story.wrote_together({"speed": 0}, 4, "restore")
    story.acked("speed", 0, 4)
    story.reported(everything)
    assert codes(story.judge("unknown_desired_properties")) == ["error unknown-desired-reports-all"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("5", []),  # in quotes, which the acknowledgement of a single one shows
        ("other", ["error acknowledgements-mixed-up"]),
        (6, []),
    ],
)
def test_another_value_than_any_of_the_patch(value: object, found: list[str]) -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 5, "valve1.trim": 0.5}, 3, "together")
    story.acked("speed", value, 3)
    story.acked("valve1.trim", 0.5, 3)
    assert codes(story.judge("properties_in_one_patch")) == found


@pytest.mark.parametrize(
    ("answer", "revived", "found"),
    [
        (None, True, []),
        ({"value": 3, "ac": 203, "av": 0}, True, []),
        ({"value": None, "ac": 200, "av": 3}, True, []),
        ({"value": "nothing", "ac": 200, "av": 3}, True, ["error removal-answer-invalid"]),
        (None, False, ["error dead-after-removal"]),
    ],
)
def test_null_removes(answer: object, revived: bool, found: list[str]) -> None:
    story = plant_at_work()
    story.wrote_together({"speed": None}, 3, "removed")
    if answer:
        story.reported({"speed": answer})
    story.wrote_together({"speed": 5}, 4, "revived")
    if revived:
        story.acked("speed", 5, 4)
    assert codes(story.judge("desired_property_removed")) == found


def test_a_service_that_fails_at_the_next_value_is_no_dead_device() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": None}, 3, "removed")
    story.wrote_together({"speed": 5}, None, "revived", "500001: the service is unavailable")
    result = story.judge("desired_property_removed")
    assert result.outcome is Outcome.BLOCKED
    assert "500001" in result.reason


def test_what_was_not_tried_is_blocked_with_the_reason() -> None:
    story = plant_at_work()
    assert story.judge("properties_in_one_patch").outcome is Outcome.BLOCKED
    assert "acknowledged fewer than 2" in story.ended().judge("properties_in_one_patch").reason
    story = plant_at_work().gone().ended()
    assert "lost its connection" in story.judge("desired_property_removed").reason


def leaving_alone(*paths: str) -> Expectations:
    return Expectations(property_of={path: Property(judged=False) for path in paths})


def test_what_the_maker_leaves_alone_is_not_chosen() -> None:
    story = plant_at_work()
    story.evidence.expectations = leaving_alone("valve1.trim")
    story.wrote_together({"speed": 5}, 2, "exercise")
    story.acked("speed", 5, 2)
    result = story.ended().judge("component_patch_without_marker")
    assert result.outcome is Outcome.NOT_CHOSEN, "there is no other property of a component"
    story.evidence.expectations = leaving_alone("valve1.trim", "level")
    assert story.judge("properties_in_one_patch").outcome is Outcome.NOT_CHOSEN
    assert story.judge("unknown_desired_properties").outcome is Outcome.BLOCKED, "speed might have been set"


def test_a_component_that_acknowledges_nothing_blocks_what_needs_it() -> None:
    story = plant_at_work()
    story.wrote_together({"speed": 5}, 2, "exercise")
    story.acked("speed", 5, 2)
    result = story.ended().judge("component_patch_without_marker")
    assert result.outcome is Outcome.BLOCKED
    assert "of a component" in result.reason


def test_what_a_device_tells_again_is_no_acknowledgement() -> None:
    story = plant_at_work()
    story.wrote("speed", 4, 2)
    story.acked("speed", 4, 2)
    story.reported({"valve1": {"__t": "c", "trim": {"value": 0.25, "ac": 203, "av": 0}}})
    story.wrote_together({"speed": 5, "valve1.trim": 0.5}, 3, "together")
    story.acked("speed", 5, 3)
    story.reported({"valve1": {"__t": "c", "trim": {"value": 0.25, "ac": 203, "av": 0}}})
    assert codes(story.judge("properties_in_one_patch")) == ["error patch-not-acknowledged"]
    story.acked("valve1.trim", 0.5, 3)
    assert codes(story.judge("properties_in_one_patch")) == []


def test_what_a_device_tells_again_does_not_stand_for_the_answer_to_a_single_value() -> None:
    story = plant_at_work()
    story.reported({"speed": 4})
    story.wrote("speed", 5, 2)
    story.reported({"speed": 4})
    assert codes(story.judge("writable_property", "speed")) == ["error property-not-acknowledged"]
    story.reported({"speed": 5})
    assert codes(story.judge("writable_property", "speed")) == ["error ack-incomplete"]


def test_the_value_in_use_told_again_refuses_an_invalid_one() -> None:
    story = plant_at_work()
    story.wrote("speed", 4, 2)
    story.acked("speed", 4, 2)
    story.wrote("speed", "x", 3, "negative")
    story.acked("speed", 4, 2)
    story.wrote("speed", 4, 4, "revived")
    story.acked("speed", 4, 4)
    assert codes(story.judge("rejects_invalid_value", "speed")) == []


@pytest.mark.parametrize(
    "name", ["properties_in_one_patch", "component_patch_without_marker", "unknown_desired_properties"]
)
def test_a_model_with_too_little_to_show_it_by_does_not_pass(name: str) -> None:
    story = at_work().over().ended()
    story.reported({"hours": 1})
    expected = Outcome.BLOCKED if name == "unknown_desired_properties" else Outcome.NOT_OBSERVABLE
    assert story.judge(name).outcome is expected, "the pump has one writable property, in its root"
