"""Patches read off two states of a twin."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.azure.twins import reported_change
from harness.emulator.hub.twins import Twin

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.booleans() | st.integers(0, 3) | st.text("xy", max_size=2)
PATCHES = st.dictionaries(NAMES, LEAVES | st.dictionaries(NAMES, LEAVES, max_size=3), max_size=3)


class _Device:
    """A twin of the emulator, and the dates that its patches get."""

    def __init__(self) -> None:
        self.twin = Twin()
        self._now = 0

    def report(self, patch: dict[str, Any]) -> dict[str, Any]:
        self._now += 1
        self.twin.report(patch, f"2026-01-01T00:00:{self._now:02}Z")
        return self.seen()

    def seen(self) -> dict[str, Any]:
        return copy.deepcopy(self.twin.for_service())


def _between(*patches: dict[str, Any]) -> dict[str, Any] | None:
    """What is read between all but the last and the last."""
    device = _Device()
    before = device.seen()
    for patch in patches[:-1]:
        before = device.report(patch)
    return reported_change(before, device.report(patches[-1]))


def test_what_is_written_again_with_the_same_value_shows() -> None:
    assert _between({"a": 1, "b": 2}, {"a": 1}) == {"a": 1}


def test_an_acknowledgement_comes_whole() -> None:
    first = {"speed": {"value": 1, "ac": 203, "av": 0}}
    assert _between(first, {"speed": {"value": 2, "ac": 200, "av": 4}}) == {"speed": {"value": 2, "ac": 200, "av": 4}}
    assert _between(first, {"speed": {"av": 5}}) == {"speed": {"value": 1, "ac": 203, "av": 5}}


def test_a_component_comes_with_its_marker_and_what_changed_in_it() -> None:
    first = {"part": {"__t": "c", "x": 1, "y": {"value": 1, "ac": 200, "av": 2}}}
    assert _between(first, {"part": {"x": 2}}) == {"part": {"__t": "c", "x": 2}}
    unmarked = {"part": {"x": 1, "y": 1}}
    assert _between(unmarked, {"part": {"x": 2}}) == {"part": {"x": 2}}


def test_what_was_removed_is_null() -> None:
    assert _between({"a": 1, "b": {"c": 1}}, {"a": None}) == {"a": None}


def test_nothing_is_nothing() -> None:
    device = _Device()
    assert reported_change(device.seen(), device.seen()) is None
    assert reported_change(None, device.seen()) is None
    assert reported_change(None, device.report({"a": 1})) == {"a": 1}
    for odd in ({}, {"properties": None}, {"properties": {"reported": 1}}):
        assert reported_change(odd, odd) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(PATCHES, min_size=1, max_size=4))
def test_what_is_read_leads_to_the_same_twin(patches: list[dict[str, Any]]) -> None:
    device, copied = _Device(), Twin()
    before = device.seen()
    for patch in patches:
        after = device.report(patch)
        change = reported_change(before, after)
        if change:
            copied.report(change, "2026-01-01T00:00:00Z")
        before = after
    assert copied.reported.values == device.twin.reported.values
