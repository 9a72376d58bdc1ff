"""The values that a device tells of its properties, the first as well as the last."""

from __future__ import annotations

import pytest

from tests.checks.story import at_work, plant_at_work
from tests.checks.words import codes


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["12"], "The reported value of hours does not fit"),
        (["12", 12, 13], "1 of 3 reported values of hours did not fit"),
        ([12, "13"], "1 of 2"),
        ([None, 12], ""),  # removed, then told anew
        ([12, None], "1 of 2"),
    ],
)
def test_every_reported_value_counts(values: list[object], found: str) -> None:
    story = at_work()
    for value in values:
        story.reported({"hours": value})
    result = story.judge("read_only_property", "hours")
    assert codes(result) == (["error property-invalid"] if found else [])
    assert all(found in f.message for f in result.findings)


def test_a_report_that_the_hub_refused_is_no_value() -> None:
    story = at_work()
    story.reported({"hours": "12"}, status=400)
    story.reported({"hours": 12})
    assert codes(story.judge("read_only_property", "hours")) == ["error property-patch-refused"]


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        ({"value": "60", "ac": 203, "av": 0}, None, ["error property-invalid"]),
        ("abc", None, ["error property-invalid"]),
        ({"value": "60"}, None, ["error property-invalid"]),
        (
            {"value": "60", "ac": 200, "av": 1},
            None,
            ["error property-invalid"],
        ),  # answers what was desired before the run
        ({"value": "60", "ac": 400, "av": 1}, None, []),  # so does this, and refuses it
        (None, None, []),
        ({"value": None, "ac": 203, "av": 0}, None, []),
        ({"value": 60}, None, []),
        ({"value": 60, "ac": 203, "av": 0}, {"value": 61, "ac": 203, "av": 0}, []),
        ({"value": 60, "ac": 203, "av": 0}, {"value": "61", "ac": 203, "av": 0}, ["error property-invalid"]),
        ({"value": 60, "ac": 203, "av": 0}, {"value": "x", "ac": 203, "av": 0}, []),  # what it was given wrongly
    ],
)
def test_what_a_device_tells_by_itself_fits_the_schema(first: object, then: object, found: list[str]) -> None:
    story = at_work()
    story.reported({"speed": first})
    story.wrote("speed", 5, 2)
    story.reported({"speed": {"value": 5, "ac": 200, "av": 2}})
    story.wrote("speed", "x", 3, purpose="negative")
    if then is not None:
        story.reported({"speed": then})
    assert codes(story.judge("writable_property", "speed")) == found


def test_a_wrong_value_at_first_and_in_the_answer_is_one_finding() -> None:
    story = at_work()
    first = story.reported({"speed": "60"})
    story.wrote("speed", 5, 2)
    answer = story.reported({"speed": {"value": "5", "ac": 200, "av": 2}})
    (found,) = story.judge("writable_property", "speed").findings
    assert found.events == (first, answer)
    assert "2 of 2 reported values" in found.message


def test_null_in_an_object_removes_what_was_there() -> None:
    story = plant_at_work()
    story.reported({"level": {"value": {"low": 1, "high": 2}, "ac": 203, "av": 0}})
    story.wrote_together({"level": {"low": 1.0, "high": 3.0}}, 2, "exercise")
    story.acked("level", {"low": 1.0, "high": 3.0}, 2)
    story.reported({"level": {"value": {"low": None, "high": 2}, "ac": 203, "av": 0}})
    assert codes(story.judge("writable_property", "level")) == []
