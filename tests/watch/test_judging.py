"""What is found while messages arrive, and what is not: each line is a rule of ours, or a false alarm of others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.watch.model import BARE, Rig

RIGHT: dict[str, tuple[str, Any]] = {
    "an escaped path is a string like any other": ("s", "C:\\network\\reports"),
    "line ends in a string stay": ("s", "one\ntwo\r\n"),
    "a string may be empty, and of any script": ("s", "ÅÄÖ 水 🙂"),
    "a double may be a whole number": ("d", 21),
    "a long may need 64 bits": ("l", 2**62),
    "a duration of nothing is a duration": ("span", "PT0S"),
    "so is one of no days": ("span", "P0D"),
    "seconds may have fractions": ("span", "PT10H24M6.169S"),
    "a map is checked, not refused": ("map", {"a": 1.5, "b": 2}),
    "an empty map too": ("map", {}),
    "an array": ("list", [1, 2, 3]),
    "a GeoJSON point": ("where", {"type": "Point", "coordinates": [9.9, 53.5]}),
    "a schema by reference": ("shared", {"a": 1}),
    "an object without all its fields": ("thing", {"x": 1.0}),
    "a date-time with offset": ("at", "2020-08-30T19:16:13.853+02:00"),
    "a time with Z": ("clock", "19:16:13Z"),
    "a value of an enum": ("mode", 1),
    "inherited telemetry": ("inherited", 1.5),
}

WRONG: dict[str, tuple[str, Any]] = {
    "a string for a double": ("d", "21.5"),
    "true for an integer": ("i", True),
    "true for a double": ("d", True),
    "a fraction for an integer": ("i", 1.5),
    "a fraction for a long": ("l", 1.5),
    "more than 32 bits for an integer": ("i", 2**31),
    "a year for a date": ("day", "2020"),
    "a week for a date": ("day", "2020-W10"),
    "a date-time without zone": ("at", "2020-08-30T19:16:13"),
    "a date-time without seconds": ("at", "2020-08-30T19:16Z"),
    "a date-time with a space, as a number": ("at", 1598814973),
    "an hour for a time": ("clock", "12"),
    "a time with a letter before": ("clock", "T12:30:00Z"),
    "a number for a duration": ("span", 5),
    "true for an enum of integers": ("mode", True),
    "a fraction's form for an enum of integers": ("mode", 1.0),
    "an enum's name for its value": ("mode", "on"),
    "a field of another type": ("thing", {"x": "fast"}),
    "a field that is not declared": ("thing", {"x": 1, "z": 2}),
    "a string in an array of integers": ("list", [1, "2"]),
    "a string in a map of doubles": ("map", {"a": "1"}),
    "a point that is none": ("where", {"lat": 1, "lon": 2}),
    "null": ("d", None),
}


@pytest.mark.parametrize("case", RIGHT)
def test_no_false_alarm(case: str) -> None:
    name, value = RIGHT[case]
    assert Rig().telemetry({name: value}).codes() == []


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_found(case: str) -> None:
    name, value = WRONG[case]
    rig = Rig().telemetry({name: value})
    assert rig.codes() == [f"error telemetry-invalid {name}"]
    assert rig.found[0].remedy
    assert rig.found[0].events == (1,)


def test_the_wrong_field_is_named() -> None:
    rig = Rig().telemetry({"thing": {"x": "fast", "y": "ok"}})
    assert "/x" in rig.found[0].message


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        pytest.param(b'{"d": 1', "JSON", id="cut off"),
        pytest.param('{"s": "grün"}'.encode("latin-1"), "UTF-8", id="Latin-1, even length or not"),
        pytest.param('{"s": "x"}'.encode("utf-16"), "UTF-16", id="UTF-16 with a mark"),
        pytest.param('{"s": "x"}'.encode("utf-16-le"), "UTF-8", id="UTF-16 without a mark"),
        pytest.param(b'\xef\xbb\xbf{"d": 1}', "byte order mark", id="a byte order mark"),
        pytest.param(b'{"d": NaN}', "NaN", id="NaN"),
        pytest.param(b'{"d": Infinity}', "Infinity", id="infinity"),
        pytest.param(b'{"d": 1, "d": 2}', "more than once", id="a name twice"),
        pytest.param(b"[1, 2]", "object", id="an array"),
        pytest.param(b"21.5", "object", id="a number"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b'{"s": "\\', "JSON", id="a broken escape"),
    ],
)
def test_bytes_that_are_no_json_object(raw: bytes, word: str) -> None:
    rig = Rig().telemetry(raw)
    (code,) = rig.codes()
    assert code.startswith("error payload-")
    finding = rig.found[0]
    assert word.lower() in f"{finding.message} {finding.expected} {finding.actual}".lower()
    assert Rig(None).telemetry(raw).codes() == [code]  # it needs no model
    assert Rig().reported(raw, 400).codes()[0] == code


@pytest.mark.parametrize(
    ("content_type", "encoding", "codes"),
    [
        ("application/json", "utf-8", []),
        ("application/json;charset=utf-8", "UTF-8", []),
        ("Application/JSON; charset=UTF-8", "utf-8", []),
        (None, "utf-8", ["warning content-type-missing"]),
        ("text/plain", "utf-8", ["warning content-type-mismatch"]),
        ("application/json-seq", "utf-8", ["warning content-type-mismatch"]),
        ("application/json", None, ["warning encoding-missing"]),
        ("application/json", "utf8", []),  # as Microsoft's C SDK writes it
        ("application/json; charset=utf-8", None, []),
        ("application/json", "gzip,utf-8", ["warning encoding-unsupported"]),
        ("application/json", "utf-16", ["warning encoding-unsupported"]),
    ],
)
def test_content_type_and_encoding(content_type: str | None, encoding: str | None, codes: list[str]) -> None:
    assert Rig().telemetry({"d": 1}, content_type=content_type, content_encoding=encoding).codes() == codes


@pytest.mark.parametrize(
    ("body", "component", "codes"),
    [
        ({"sparkle": 1}, None, ["warning telemetry-undeclared sparkle"]),
        ({"heat": 1}, "left", []),
        ({"heat": 1}, "right", []),  # a component whose type is written as a list
        ({"heat": 1}, None, ["warning telemetry-undeclared heat"]),
        ({"d": 1}, "left", ["warning telemetry-undeclared left.d"]),
        ({"heat": "x", "any": 1}, "middle", ["warning telemetry-of-unknown-component middle"]),
        ({"heat": "x"}, "Left", ["warning telemetry-of-unknown-component Left"]),
        ({"reboot": 1}, None, ["warning telemetry-undeclared reboot"]),  # a command, and a property, are no telemetry
        ({"serial": "x"}, None, ["warning telemetry-undeclared serial"]),
        ({"has space": 1}, None, ["error name-illegal has space"]),
        ({"_x": 1}, None, ["info central-name-underscore _x", "warning telemetry-undeclared _x"]),
        ({"5x": 1}, None, ["error name-illegal 5x"]),
        ({"a.b": 1}, None, ["error name-illegal a.b"]),
        ({"a.b": 1}, "left", ["error name-illegal left.a.b"]),
        ({"left": {"heat": 1}}, None, ["error telemetry-nested left"]),
        ({"EventHub": "x"}, None, ["info central-name-reserved EventHub"]),
    ],
)
def test_names_and_components(body: Any, component: str | None, codes: list[str]) -> None:
    assert Rig().telemetry(body, component).codes() == codes


def test_an_array_of_messages_is_judged_one_by_one() -> None:
    rig = Rig().telemetry([{"d": 1}, {"d": "x"}])
    assert rig.codes() == ["warning telemetry-batched", "error telemetry-invalid d"]


def test_where_a_name_is_declared_is_said() -> None:
    assert "left, right" in Rig().telemetry({"heat": 1}).found[0].remedy
    assert "as a property" in Rig().telemetry({"serial": "x"}).found[0].remedy
    assert "`$.sub`" in Rig().telemetry({"d": 1}, "left").found[0].remedy
    assert "left, right" in Rig().reported({"wear": 1}).found[0].remedy


def test_every_field_of_a_message_is_judged() -> None:
    rig = Rig().telemetry({"d": "x", "i": 1, "s": 2, "new": 3})
    assert rig.codes() == [
        "error telemetry-invalid d",
        "error telemetry-invalid s",
        "warning telemetry-undeclared new",
    ]


# --- reported properties -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patch", "codes"),
    [
        ({"serial": "a"}, []),
        ({"serial": 5}, ["error property-invalid serial"]),
        ({"serial": None}, ["info property-deleted serial"]),
        ({"reboot": {"value": 1}}, []),  # how IoT Central shows that a long command is done
        ({"d": 1}, ["warning property-undeclared d"]),
        ({"unknown": 1}, ["warning property-undeclared unknown"]),
        ({"unknown": None}, ["info property-deleted unknown"]),
        ({"left": {"__t": "c", "wear": 1.5}}, []),
        ({"left": {"__t": "c", "wear": "much"}}, ["error property-invalid left.wear"]),
        ({"left": {"wear": 1.5}}, ["error component-not-marked left.wear"]),
        ({"left": {"__t": "c", "sparkle": 1}}, ["warning property-undeclared left.sparkle"]),
        ({"middle": {"__t": "c", "wear": 1}}, ["warning component-undeclared middle"]),
        ({"left": None}, ["info property-deleted left"]),
        ({"serial": ["a"]}, ["error property-invalid serial", "error property-array serial"]),
        ({"a b": 1}, ["error name-illegal a b"]),
        ({"target": {"value": 20, "ac": 203, "av": 1}}, ["warning own-value-version target"]),
        ({"target": {"value": 20, "ac": 200, "av": 0}}, ["warning initial-value-code target"]),
        ({"target": {"value": 20, "ac": 200, "av": 1}}, []),
        ({"target": {"value": 20, "ac": 203, "av": 0, "ad": "initial"}}, []),
        ({"target": {"value": 20, "ac": 202, "av": 1}}, []),
        ({"target": 20}, ["warning ack-incomplete target"]),
        ({"target": "warm"}, ["error property-invalid target", "warning ack-incomplete target"]),
        ({"target": {"value": 20, "ac": 200}}, ["error ack-incomplete target"]),
        ({"target": {"value": "warm", "ac": 200, "av": 1}}, ["error property-invalid target"]),
        ({"target": {"value": 20, "ac": 200, "av": 9}}, ["error ack-version target"]),
        ({"target": {"value": 20, "ac": 200, "av": True}}, ["error ack-version target"]),
        ({"target": {"value": 20, "ac": "200", "av": 1}}, ["error ack-code target"]),
        ({"target": {"value": 20, "ac": 400, "av": 1}}, ["warning ack-code target"]),
        ({"left": {"__t": "c", "limit": {"value": 1, "ac": 200, "av": 1}}}, []),
        ({"left": {"__t": "c", "limit": {"value": "x", "ac": 200, "av": 1}}}, ["error property-invalid left.limit"]),
    ],
)
def test_reported_properties(patch: Any, codes: list[str]) -> None:
    assert Rig().reported(patch).codes() == codes


def test_a_marked_component_under_a_model_without_components() -> None:
    assert Rig(BARE).reported({"left": {"__t": "c", "wear": 1}}).codes() == ["warning component-undeclared left"]


def test_a_marker_lasts_until_it_is_deleted() -> None:
    rig = Rig().reported({"left": {"__t": "c", "wear": 1}}).reported({"left": {"wear": 2}})
    assert rig.codes() == []
    rig.reported({"left": None}).reported({"left": {"wear": 3}})
    assert [f.code for f in rig.found] == ["property-deleted", "component-not-marked"]


def test_a_marker_of_before_the_watch_counts() -> None:
    assert Rig(reported={"left": {"__t": "c", "wear": 1}}).reported({"left": {"wear": 2}}).codes() == []


def test_a_marker_alone_counts() -> None:
    assert Rig().reported({"left": {"__t": "c"}}).reported({"left": {"wear": 2}}).codes() == []


def test_a_marker_in_a_refused_patch_does_not() -> None:
    rig = Rig().reported({"left": {"__t": "c"}}, 400).reported({"left": {"wear": 2}})
    assert [f.code for f in rig.found] == ["component-not-marked"]


def test_a_refused_patch() -> None:
    rig = Rig().reported({"serial": "a"}, 429)
    assert rig.codes() == ["error property-patch-refused serial"]


# --- desired properties and their answers -------------------------------------------------------------


def test_an_answer_with_the_wanted_value() -> None:
    rig = Rig().desired({"target": 20}, 2).reported({"target": {"value": 20, "ac": 200, "av": 2}})
    assert rig.over(whole=False).codes()[: len(rig.found)] == rig.codes()
    assert not [c for c in rig.codes() if "target" in c]


def test_an_answer_to_an_earlier_change_is_no_wrong_version() -> None:
    rig = Rig().desired({"target": 20}, 2).desired({"target": 21}, 3)
    rig.reported({"target": {"value": 20, "ac": 200, "av": 2}}).reported({"target": {"value": 21, "ac": 200, "av": 3}})
    assert rig.codes() == []


def test_an_accepted_value_that_is_another() -> None:
    rig = Rig().desired({"target": 20}, 2).reported({"target": {"value": 30, "ac": 200, "av": 2}})
    assert rig.codes() == ["warning ack-value target"]


def test_a_bare_value_for_an_answer() -> None:
    assert Rig().desired({"target": 20}, 2).reported({"target": 20}).codes() == ["error ack-incomplete target"]


def test_an_answer_in_a_component() -> None:
    rig = Rig().desired({"left": {"__t": "c", "limit": 5}}, 2)
    rig.reported({"left": {"__t": "c", "limit": {"value": 5, "ac": 200, "av": 2}}})
    assert rig.codes() == []


def unseen(rig: Rig) -> list[str]:
    """The findings of the end, but for telemetry that never came."""
    return [code for code in rig.codes() if "telemetry-not-seen" not in code]


def test_no_answer_at_all() -> None:
    assert unseen(Rig().desired({"target": 20}, 2).over()) == ["warning property-not-acknowledged target"]
    assert unseen(Rig().desired({"target": 20}, 2).over(whole=False)) == ["info property-not-acknowledged target"]
    assert unseen(Rig().desired({"target": 20}, 2).over(1)) == []  # it had no time to
    assert unseen(Rig().desired({"target": None, "other": 1}, 2).over()) == []


def test_in_progress_has_to_end() -> None:
    rig = Rig().desired({"target": 20}, 2).reported({"target": {"value": 20, "ac": 202, "av": 2}})
    assert unseen(rig.over()) == ["warning ack-code target"]
    rig = Rig().desired({"target": 20}, 2).reported({"target": {"value": 20, "ac": 202, "av": 2}})
    rig.reported({"target": {"value": 20, "ac": 200, "av": 2}})
    assert unseen(rig.over()) == []


# --- the end -----------------------------------------------------------------------------------------


def test_declared_telemetry_that_never_came() -> None:
    rig = Rig(BARE).over()
    assert rig.codes() == ["warning telemetry-not-seen d"]
    assert "--duration" in rig.found[0].remedy
    assert Rig(BARE).telemetry({"d": 1}).over().codes() == []
    assert Rig(BARE).telemetry({"d": "wrong"}).over().codes() == ["error telemetry-invalid d"]


def test_a_watch_cut_short_warns_of_nothing_missing() -> None:
    assert Rig(BARE).over(whole=False).codes() == ["info telemetry-not-seen d"]


def test_telemetry_under_another_name() -> None:
    rig = Rig(BARE).telemetry({"D": 1}).over()
    assert rig.codes() == ["warning telemetry-undeclared D", "error telemetry-misnamed d"]


def test_without_a_model_only_the_form_is_judged() -> None:
    assert Rig(None).telemetry({"any": "thing"}).reported({"x": {"__t": "c"}}).over().codes() == []


def test_a_device_that_invents_names_costs_no_memory() -> None:
    rig = Rig(BARE)
    for turn in range(300):
        rig.telemetry({f"n{turn}": 1})
    assert len(rig.judge._firsts.stray_telemetry) <= 100
    assert len(rig.found) == 300


@pytest.mark.parametrize("depth", [10, 100, 5000])
def test_depth_is_no_trouble(depth: int) -> None:
    raw = b'{"thing": ' + b'{"x": ' * depth + b"1" + b"}" * depth + b"}"
    assert len(Rig().telemetry(raw).found) == 1
    assert Rig().reported(raw, 400).found
