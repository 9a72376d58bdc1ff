"""Raw bytes: what is no JSON text of ours, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dtdl.payload import MAX_DEPTH, NegativeZero, decode
from tests.dtdl.payload.schemas import VALUES


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"", "empty", "is empty"),
        (b" \n", "empty", "is empty"),
        (b'{"a": 1,\n "b": }', "syntax", "line 2, column 7"),
        (b"{'a': 1}", "syntax", "line 1, column 2"),
        (b"1 2", "syntax", "extra data"),
        (b'{"a": 1}\0', "syntax", "extra data"),
        (b'"a\nb"', "syntax", "control character"),
        (b'\xef\xbb\xbf{"a": 1}', "byteOrderMark", "byte order mark of UTF-8"),
        ("{}".encode("utf-16"), "byteOrderMark", "byte order mark of UTF-16"),
        ("{}".encode("utf-32"), "byteOrderMark", "byte order mark of UTF-32"),
        ("{}".encode("utf-16-le"), "encoding", "zero bytes"),
        ("{}".encode("utf-16-be"), "encoding", "zero bytes"),
        ('"Zürich"'.encode("latin-1"), "encoding", "0xFC at offset 2"),
        (b'{"a": NaN}', "nonFinite", "NaN at line 1, column 7"),
        (b'{"NaN": "Infinity", "b":\n-Infinity}', "nonFinite", "-Infinity at line 2, column 1"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "duplicateName", '"b" more than once'),
        (b'{"a": 1, "a": 2', "syntax", "the end of the text"),
        (b'{"a": 1, "a": NaN}', "nonFinite", "NaN"),
        (b'["\\ud83d"]', "surrogate", "/0"),
        (b'{"\\ude00": 1}', "surrogate", "surrogate"),
        (b"[" * 100_000, "depth", f"level {MAX_DEPTH + 1}"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "depth", "deeper than"),
        (b"1" * 5000, "numberTooLong", "thousands of digits"),
    ],
)
def test_bytes_that_are_no_json_text(raw: Any, code: Any, said: Any) -> None:
    value, (problem, *_) = decode(raw)
    assert value is None
    assert problem.code == code
    assert said in f"{problem.message} {problem.actual}"


def test_the_place_of_a_repeated_name_is_its_pointer() -> None:
    assert [each.pointer for each in decode('[{"a/b": {"c": 1, "c": 2}}]').problems] == ["/0/a~1b/c"]


def test_brackets_in_strings_are_no_depth() -> None:
    text = json.dumps("[" * 1000)
    assert decode(text).value == "[" * 1000
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).problems == ()


def test_hostile_quotes_take_linear_time() -> None:
    raw = b'["' + b'\\"' * 400_000 + b"[" * 100
    assert decode(raw).problems[0].code == "syntax"


@pytest.mark.parametrize(
    ("token", "kind"),
    [("1", int), ("1.0", float), ("1e2", float), ("-0", NegativeZero), ("-0.0", float), ("1e999", float)],
)
def test_number_tokens_keep_their_kind(token: Any, kind: Any) -> None:
    assert type(decode(token).value) is kind


def test_escapes_that_microsofts_monitor_breaks() -> None:
    assert decode(rb'"C:\\network\\reports"').value == "C:\\network\\reports"
    assert decode(rb'"\ud83d\ude00"').value == "😀"


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_what_json_writes_is_read_back(value: Any) -> None:
    text = json.dumps(value)
    if "NaN" in text or "Infinity" in text:
        return
    assert decode(text.encode()) == (value, ())


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise(raw: Any) -> None:
    decode(raw)
