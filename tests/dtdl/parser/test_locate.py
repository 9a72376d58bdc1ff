"""JSON pointers lead to lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.dtdl.locate import escape, line_of, repeated_members

TEXT = r"""
{
  "a/b": [1, {"x": "}]\"",
     "y~": null},
   [
    2]],
  "c": {}
}"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/a~1b", 3),
        ("/a~1b/0", 3),
        ("/a~1b/1/y~0", 4),
        ("/a~1b/2", 5),
        ("/a~1b/2/0", 6),
        ("/c", 7),
        ("/c/absent", 7),
        ("/absent", 2),
        ("/a~1b/99", 3),
        ("/a~1b/-", 3),
    ],
)
def test_lines(pointer: str, line: int) -> None:
    assert line_of(TEXT, pointer) == line


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a":', "[[[[", '"abc', '{"a":"\\', "]", "}"])
def test_text_that_is_not_json_does_no_harm(text: str) -> None:
    assert line_of(text, "/a/0/0") == 1


VALUES = st.recursive(
    st.integers() | st.text(max_size=4) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


def _pointers(value: object, pointer: str = "") -> list[str]:
    if isinstance(value, dict):
        parts = [(escape(name), part) for name, part in value.items()]
    else:
        parts = [(str(index), part) for index, part in enumerate(value)] if isinstance(value, list) else []
    return [pointer, *(each for step, part in parts for each in _pointers(part, f"{pointer}/{step}"))]


@given(VALUES)
def test_lines_of_indented_json_count_up(value: object) -> None:
    text = json.dumps(value, indent=1)
    lines = [line_of(text, pointer) for pointer in _pointers(value)]
    assert lines == sorted(set(lines))


def test_repeated_members() -> None:
    text = '{"a": 1,\n "b": [{"c": {}, "c": [{"c": 1}],\n "c": 2}],\n "a": 3, "d": "a"}'
    assert list(repeated_members(text)) == [("/b/0", "c", 2), ("/b/0", "c", 3), ("", "a", 4)]


def test_json_without_repetition() -> None:
    assert list(repeated_members(TEXT)) == []
