"""Tables as in preflight.toml become expectations; everything wrong is said at once, with its place."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.expectations import (
    ABSENT,
    Command,
    Device,
    Expectations,
    Property,
    Telemetry,
    Waiver,
    When,
    from_json,
    overlaid,
    read,
    to_json,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WHOLE = """
[device]
name = "Pump 3000"
firmware = "1.2"
gateway = "gw"
c2d = true
c2d-message = "hello"
messages = 20
within = 60

[telemetry.flow]
interval = 5
tolerance = 0.2
count = 3
minimum = 0
maximum = 9.5
expected = 5

[telemetry."part1.heat"]
implemented = false
trigger = "warm it"
required = true
timeout = 90
judged = false

[properties.since]
values = [2026-01-31T08:00:00Z, 2026-02-01T08:00:00Z]
reported = { a = 1 }
negative = false

[commands."part1.reset"]
when = "last"
payload = { delay = 5 }
response = [1, true]
statuses = [200, 202]
priority = -1
restarts = true

[[waivers]]
finding = "telemetry-invalid"
element = "flow"
owner = "QA"
reason = "known, mended in 1.3"
expires = 2026-12-31
"""


def stated(toml: str) -> Expectations:
    reading = read(tomllib.loads(toml))
    assert reading.problems == ()
    return reading.expectations


def problems(toml: str) -> tuple[str, ...]:
    return read(tomllib.loads(toml)).problems


def test_the_whole_file() -> None:
    found = stated(WHOLE)
    assert found.device == Device("Pump 3000", "1.2", "gw", True, "hello", 20, 60.0)
    assert found.telemetry("flow") == Telemetry(interval=5, tolerance=0.2, count=3, minimum=0, maximum=9.5, expected=5)
    assert found.telemetry("part1.heat") == Telemetry(
        implemented=False, judged=False, trigger="warm it", required=True, timeout=90
    )
    assert found.property("since") == Property(
        values=("2026-01-31T08:00:00+00:00", "2026-02-01T08:00:00+00:00"), reported={"a": 1}, negative=False
    )
    assert found.command("part1.reset") == Command(
        when=When.LAST, payload={"delay": 5}, response=[1, True], statuses=(200, 202), priority=-1, restarts=True
    )
    assert found.waivers == (
        Waiver("telemetry-invalid", "QA", "known, mended in 1.3", datetime.date(2026, 12, 31), "flow"),
    )


def test_nothing_said_is_the_defaults() -> None:
    assert stated("") == Expectations()
    assert stated("").telemetry("any") == Telemetry()
    assert stated("[commands.stop]").command("stop").payload is ABSENT
    assert to_json(Expectations()) == {}


def test_a_nested_table_means_the_same_as_a_quoted_one() -> None:
    assert stated("[telemetry.part1.heat]\ncount = 2") == stated('[telemetry."part1.heat"]\ncount = 2')
    both = stated("[telemetry.part1.heat]\ncount = 2\n[telemetry.part1.flow]\ncount = 3\n[telemetry.top]\ncount = 4")
    assert {path: t.count for path, t in both.telemetry_of.items()} == {"part1.heat": 2, "part1.flow": 3, "top": 4}
    # An element named like a field that holds no table is still an element.
    assert stated("[telemetry.part1.count]\ncount = 2").telemetry("part1.count").count == 2
    # One named like a field that may hold a table is that field.
    assert stated("[commands.part1.payload]\na = 2").command("part1").payload == {"a": 2}
    assert problems('[telemetry.a.b]\ncount = 1\n[telemetry."a.b"]\ncount = 2') == (
        '[telemetry."a.b"] stands twice, quoted and nested: keep one.',
    )


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (
            "[telemetry.flow]\nintervall = 5",
            '[telemetry."flow"] has an unknown key `intervall` (did you mean `interval`?',
        ),
        ("[device]\nc2d_message = 'x'", "did you mean `c2d-message`?"),
        (
            "[telemetry.flow]\ninterval = '5 s'",
            'interval = "5 s" cannot be used: a number of seconds above 0 is expected',
        ),
        ("[telemetry.flow]\ninterval = 0", "a number of seconds above 0"),
        ("[telemetry.flow]\ninterval = true", "a number of seconds above 0"),
        ("[telemetry.flow]\ncount = 0", "a whole number from 1 is expected"),
        ("[telemetry.flow]\ncount = 1.5", "a whole number from 1 is expected"),
        ("[telemetry.flow]\ntolerance = -1", "a share of the interval is expected"),
        ("[telemetry.flow]\nminimum = 5\nmaximum = 1", "minimum = 5 is above maximum = 1"),
        ("[telemetry.flow]\nminimum = nan", "a number is expected"),
        ("[telemetry.flow]\nexpected = [1, inf]", "JSON has no such number"),
        ("[telemetry.flow]\nimplemented = 'no'", "true or false is expected"),
        ("[properties.a]\nvalues = 5", "a list of values is expected, such as [18, 21.5]"),
        ("[commands.a]\nwhen = 'lst'", "normal, last or never is expected (did you mean `last`?)"),
        ("[commands.a]\nstatuses = ['ok']", "status codes are expected"),
        ("[commands]\na = 5", '`a` in [commands] must be a table: write [commands."a"] and its keys below it.'),
        ("telemetry = 5", "`telemetry` must hold a table for each element"),
        ("device = 5", "`device` must be a table: write [device]."),
        ("[device]\nwithin = 5", "within needs messages"),
        ("[waivers]\nfinding = 'x'", "write [[waivers]] above each"),
        ("[[waivers]]\nfinding = 'x'", "waiver 1 (x) lacks owner, reason, expires"),
        (
            "[[waivers]]\nfinding='x'\nowner=' '\nreason='r'\nexpires=2026-01-01",
            'waiver 1 (x): owner = " " cannot be used: a text is expected',
        ),
        (
            "[[waivers]]\nfinding='x'\nowner='o'\nreason='r'\nexpires='2026-01-01'",
            "a date is expected, without quotes and time, such as 2030-01-31",
        ),
        ("[[waivers]]\nfinding='x'\nowner='o'\nreason='r'\nexpires=2026-01-01T00:00:00Z", "a date is expected"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(toml: str, says: str) -> None:
    found = problems(toml)
    assert len(found) == 1, found
    assert says in found[0]
    assert found[0].endswith(".")


def test_all_problems_are_said_at_once() -> None:
    found = problems("[telemetry.a]\ncount = 0\nx = 1\n[commands.b]\nwhen = 5\n[[waivers]]\n[device]\nname = 1")
    assert len(found) == 5


def test_the_record_holds_all_of_it() -> None:
    found = stated(WHOLE)
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


def test_a_record_that_cannot_be_read_is_no_crash() -> None:
    assert from_json(
        {"waivers": [5, {"expires": "soon"}], "telemetry": {"a": {"count": "x"}}, "new": 1}
    ) == Expectations(telemetry_of={"a": Telemetry()})


def test_what_is_laid_over_wins_field_by_field() -> None:
    base = stated(WHOLE)
    reading = overlaid(base, {"telemetry": {"flow": {"count": 1}, "new": {"required": True}}, "device": {"c2d": False}})
    assert reading.problems == ()
    found = reading.expectations
    assert (found.telemetry("flow").count, found.telemetry("flow").interval) == (1, 5)
    assert found.telemetry("new").required
    assert (found.device.c2d, found.device.name) == (False, "Pump 3000")
    assert found.waivers == base.waivers
    assert overlaid(base, {}).expectations == base


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    tables=st.dictionaries(
        st.sampled_from(["device", "telemetry", "properties", "commands", "waivers"]),
        json_like
        | st.dictionaries(
            st.sampled_from(["a", "a.b"]),
            st.dictionaries(st.sampled_from(["count", "values", "payload", "when", "statuses", "minimum"]), json_like),
        ),
    )
)
def test_no_table_breaks_the_reader(tables: dict[str, Any]) -> None:
    reading = read(tables)
    assert all(problem.endswith(".") for problem in reading.problems)
    if not reading.problems:
        assert from_json(json.loads(json.dumps(to_json(reading.expectations)))) == reading.expectations
