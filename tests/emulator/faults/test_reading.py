"""Plans as people write them, good and wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator.faults import Fault, Plan, PlanError, Point, fault, from_document, from_toml, load
from harness.emulator.faults.acts import _ACTS
from harness.emulator.faults.plan import ACTS

EXAMPLE = """\
[[fault]]
device = "dev1"
at = "register"
do = "error"
code = 429
retry-after = 5

[[fault]]
at = "connect"
from = 2
times = 3
do = "connack"
code = 3

[[fault]]
at = "tls"
do = "bad-certificate"
kind = "expired"

[[fault]]
at = "twin-get"
occurrence = 4
do = "delay"
seconds = 1.5
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        from_toml(text, "faults.toml")
    return list(caught.value.problems)


def problem(**words: Any) -> str:
    with pytest.raises(PlanError) as caught:
        fault(**words)
    (sentence,) = caught.value.problems
    return sentence


def test_a_plan_in_toml() -> None:
    plan = from_toml(EXAMPLE)
    assert plan.faults == (
        Fault(Point.DPS_REGISTER, "error", "dev1", code=429, retry_after=5),
        Fault(Point.HUB_CONNECT, "connack", first=2, times=3, code=3),
        Fault(Point.TLS, "bad-certificate", kind="expired"),
        Fault(Point.TWIN_GET, "delay", first=4, seconds=1.5),
    )
    assert from_toml("") == Plan()


def test_the_same_from_python_and_json() -> None:
    plan = from_toml(EXAMPLE)
    assert plan.faults[0] == fault(device="dev1", at="register", do="error", code=429, retry_after=5)
    assert plan.faults[1] == fault(at="connect", from_=2, times=3, do="connack", code=3)
    assert from_document(json.loads(json.dumps(plan.document()))) == plan


def test_which_occurrences() -> None:
    def due(**words: Any) -> list[int]:
        order = fault(at="publish", do="silence", **words)
        return [n for n in range(1, 7) if order.due(n)]

    assert due() == [1]
    assert due(occurrence=3) == [3]
    assert due(from_=4) == [4, 5, 6]
    assert due(times=2) == [1, 2]
    assert due(from_=2, times=2) == [2, 3]


def test_every_act_can_be_ordered_and_played() -> None:
    assert set(_ACTS) | {"bad-certificate", "tls-refused"} == set(ACTS)
    for act in ACTS.values():
        assert act.points
        assert act.help


def test_every_problem_with_its_place() -> None:
    text = EXAMPLE.replace('"register"', '"registre"').replace('"expired"', '"expierd"') + "[[fauly]]\n"
    assert problems(text) == [
        "faults.toml: unknown key 'fauly'; did you mean 'fault'?",
        "faults.toml, line 1: fault 1: unknown value of `at` 'registre'; did you mean 'register'?",
        "faults.toml, line 15: fault 3: unknown value of `kind` 'expierd'; did you mean 'expired'?",
    ]


def test_text_that_is_no_plan(tmp_path: Path) -> None:
    assert problems("[[fault]\n")[0].startswith("faults.toml: not TOML:")
    assert problems("fault = 3") == ["faults.toml: `fault` must be a list: in TOML, begin each fault with [[fault]]."]
    assert problems("fault = [3]") == ["faults.toml: fault 1: a fault is a table of keys and values."]
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="cannot be read"):
        load(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"at": "register"}, "`do` is missing: one of error, silence"),
        ({"do": "cut"}, "`at` is missing: one of tls, dps-connect"),
        ({"at": "register", "do": "eror", "code": 429}, "did you mean 'error'?"),
        ({"at": "poll", "do": "cut", "devise": "x"}, "unknown key 'devise'; did you mean 'device'?"),
        ({"at": "register", "do": "error"}, "needs `code`: a status such as 429"),
        ({"at": "register", "do": "error", "code": "429"}, "`code` must be a whole number"),
        ({"at": "register", "do": "error", "code": True}, "`code` must be a whole number"),
        ({"at": "register", "do": "error", "code": 200}, "a status of 300 to 599"),
        ({"at": "publish", "do": "error", "code": 500}, 'cannot be done at "publish", but at dps-subscribe'),
        ({"at": "twin-get", "do": "error", "code": 429, "retry_after": 1}, "goes with register and poll only"),
        ({"at": "subscribe", "do": "error", "code": 3}, "leave `code` out"),
        ({"at": "connect", "do": "connack"}, "needs `code`"),
        ({"at": "connect", "do": "connack", "code": 256}, "up to 255"),
        ({"at": "tls", "do": "bad-certificate"}, "needs `kind`: one of expired, wrong-name, unknown-ca"),
        ({"at": "tls", "do": "cut", "device": "dev1"}, "does not say which device"),
        ({"at": "tls", "do": "cut", "after": 1}, 'use `at = "connect"`'),
        ({"at": "poll", "do": "delay", "seconds": -1}, "a number of seconds from 0"),
        ({"at": "poll", "do": "delay", "seconds": float("nan")}, "a number of seconds from 0"),
        ({"at": "poll", "do": "silence", "seconds": 3}, '`seconds` means nothing with `do = "silence"`'),
        ({"at": "connect", "do": "hub-moved", "code": 500}, "401 or 404"),
        ({"at": "poll", "do": "cut", "occurrence": 0}, "`occurrence` must be a whole number from 1"),
        ({"at": "poll", "do": "cut", "occurrence": 1, "times": 2}, "write `from` and `times` instead"),
        ({"at": "poll", "do": "cut", "device": 7}, "`device` must be"),
        ({"at": "register", "do": "error", "code": 429, "message": 3}, "`message` must be a text"),
    ],
)
def test_a_wrong_fault_says_what_to_write(words: dict[str, Any], sentence: str) -> None:
    assert sentence in problem(**words)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_ROWS = st.dictionaries(
    st.sampled_from(["device", "at", "do", "occurrence", "from", "times", "code", "seconds", "after", "kind"]),
    _JSON | st.sampled_from([*ACTS, *(point.value for point in Point)]),
)


@settings(max_examples=150, deadline=None)
@given(_JSON | st.fixed_dictionaries({"fault": st.lists(_ROWS | _JSON, max_size=3)}))
def test_no_document_does_worse_than_a_sentence(document: Any) -> None:
    try:
        plan = from_document(document)
    except PlanError:
        return
    assert from_document(plan.document()) == plan
