from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.errors import ServiceError
from harness.emulator.hub.twinrules import MAX_INTEGER, MIN_INTEGER, size_of
from harness.emulator.hub.twins import NEVER, Twin

keys = st.sampled_from(["a", "b", "c"])
leaves = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["x", "y"])
documents = st.dictionaries(keys, st.recursive(leaves, lambda v: st.dictionaries(keys, v, max_size=3)), max_size=3)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, the model the twin is held against."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(st.lists(documents, max_size=6))
def test_reports_merge_as_json_merge_patch(patches: list[dict[str, Any]]) -> None:
    twin = Twin()
    expected: dict[str, Any] = {}
    for number, patch in enumerate(patches):
        assert twin.report(patch, f"t{number}") == number + 2
        expected = merged(expected, patch)
    assert twin.reported.values == expected
    assert_mirrors(twin.reported.metadata, twin.reported.values)


def assert_mirrors(metadata: dict[str, Any], values: dict[str, Any]) -> None:
    """Each object and each leaf has its date, and nothing that is gone has one."""
    assert set(metadata) == {"$lastUpdated", *values}
    for key, value in values.items():
        assert_mirrors(metadata[key], value if isinstance(value, dict) else {})


def test_a_new_twin() -> None:
    twin = Twin()
    assert twin.for_device() == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert twin.for_service()["properties"]["desired"] == {"$metadata": {"$lastUpdated": NEVER}, "$version": 1}


def test_metadata_dates_what_was_touched() -> None:
    twin = Twin()
    twin.update({"properties": {"desired": {"a": {"x": 1, "y": 2}, "b": 1}}}, "t1")
    twin.update({"properties": {"desired": {"a": {"x": None}}}}, "t2")
    old, new = ({"$lastUpdated": f"t{n}", "$lastUpdatedVersion": n + 1} for n in (1, 2))
    assert twin.desired.metadata == {**new, "a": {**new, "y": old}, "b": old}
    assert twin.desired.version == 3


def test_every_change_makes_another_etag() -> None:
    twin = Twin()
    seen = {twin.etag}
    twin.report({"a": 1}, "t")
    seen.add(twin.etag)
    twin.update({"tags": {"x": 1}}, "t")
    seen.add(twin.etag)
    assert len(seen) == 3
    assert (twin.reported.version, twin.desired.version) == (2, 1)


def test_replace_empties_what_is_left_out() -> None:
    twin = Twin()
    twin.update({"tags": {"x": 1}, "properties": {"desired": {"a": 1, "b": {"c": 1}}}}, "t1")
    assert twin.replace({"properties": {"desired": {"b": {"d": 2, "e": None}}}}, "t2") == {"b": {"d": 2}}
    assert twin.tags == {}
    assert twin.desired.version == 3
    assert "a" not in twin.desired.metadata


def test_a_twin_sent_back_whole_is_accepted() -> None:
    twin = Twin()
    twin.update({"properties": {"desired": {"a": 1}}}, "t")
    body = twin.for_service()
    twin.update(body, "t")
    assert twin.desired.values == {"a": 1}


def test_the_patch_is_not_shared() -> None:
    twin, patch = Twin(), {"a": {"b": [1]}}
    twin.report(patch, "t")
    patch["a"]["b"].append(2)
    assert twin.reported.values == {"a": {"b": [1]}}


def nested(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {"property": 1}
    for _ in range(levels):
        document = {"level": document}
    return document


@pytest.mark.parametrize(
    "patch",
    [
        [],
        "text",
        1,
        None,
        {"a.b": 1},
        {"$a": 1},
        {"a b": 1},
        {"a\n": 1},
        {"": 1},
        {"k" * 1025: 1},
        {"a": "x" * 4097},
        {"a": MAX_INTEGER + 1},
        {"a": MIN_INTEGER - 1},
        {"a": [{"b.c": 1}]},
        nested(11),
    ],
)
def test_rules_for_reports(patch: Any) -> None:
    twin = Twin()
    with pytest.raises(ServiceError) as caught:
        twin.report(patch, "t")
    assert caught.value.code == 400004
    assert (twin.reported.version, twin.version) == (1, 2)


@pytest.mark.parametrize(
    "patch", [{}, nested(10), {"a": [1, "x", {"b": None}]}, {"a": MAX_INTEGER}, {"ü": True, "a": 1.5}]
)
def test_what_a_report_may_hold(patch: dict[str, Any]) -> None:
    assert Twin().report(patch, "t") == 2


def test_size_limit_counts_the_whole_section_and_changes_nothing() -> None:
    twin = Twin()
    for number in range(7):
        twin.report({f"key{number}": "x" * 4096}, "t")
    twin.report({"one": "x" * 4096, "key0": "y"}, "t")
    with pytest.raises(ServiceError) as caught:
        twin.report({"two": "x" * 4096}, "t")
    assert caught.value.code == 403100
    assert twin.reported.version == 9
    assert "two" not in twin.reported.values


def test_size_of() -> None:
    assert size_of({"ab": 1, "c": True, "d": "ü\n", "e": [1.5, None]}) == 2 + 8 + 1 + 4 + 1 + 2 + 1 + 8
