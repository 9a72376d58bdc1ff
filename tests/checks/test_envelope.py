"""What is an acknowledgement, what stands for one, and the value within."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks import envelope

WHOLE = {"value": 1, "ac": 200, "av": 3}


@pytest.mark.parametrize(
    ("value", "complete", "codes", "taken", "meant"),
    [
        (WHOLE, True, True, True, True),
        ({**WHOLE, "ad": "done"}, True, True, True, True),
        ({**WHOLE, "more": 1}, True, True, True, False),
        ({"ac": 200, "av": 3}, False, True, False, False),
        ({"value": 1, "ac": 200}, False, False, True, True),
        ({"value": 1, "av": 3}, False, False, True, True),
        ({"value": 1}, False, False, False, True),
        ({"other": 1}, False, False, False, False),
        ([], False, False, False, False),
        (None, False, False, False, False),
    ],
)
def test_what_an_object_is(value: Any, complete: bool, codes: bool, taken: bool, meant: bool) -> None:
    found = (envelope.is_complete(value), envelope.has_codes(value), envelope.is_envelope(value))
    assert (*found, envelope.may_be_envelope(value)) == (complete, codes, taken, meant)
    assert envelope.bare(value) == (1 if taken else value)


def test_code_and_version() -> None:
    assert envelope.code_of(WHOLE) == envelope.ACCEPTED
    assert envelope.code_of("text") is None
    assert envelope.answers(WHOLE, 3)
    assert not envelope.answers("text", None)
    assert envelope.is_own({"value": 1, "ac": 203, "av": 0})
    assert not envelope.is_own({"value": 1, "ac": 203, "av": 3})
