"""AICS test-case files become expectations, in both shapes and however their strings are encoded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aics import Document, TestCasesError, read_file, read_text
from harness.expectations import Expectations, Telemetry

COMMON = {"validationTimeout": 30, "isMandatory": True, "shouldValidate": True}


def pnp(**interface: Any) -> dict[str, Any]:
    """A Pnp item with one interface."""
    return {"type": "Pnp", "interfaceTests": [{"componentName": "Default component", **interface}]}


def telemetry(name: str = "flow", schema: Any = "Double", **test: Any) -> dict[str, Any]:
    return {"telemetry": {"name": name, "schema": schema}, **COMMON, **test}


def prop(name: str = "target", schema: Any = "Double", **test: Any) -> dict[str, Any]:
    return {"property": {"name": name, "schema": schema, "writable": True}, **COMMON, **test}


def command(name: str = "purge", **test: Any) -> dict[str, Any]:
    more = {key: test.pop(key) for key in ("requestSchema", "responseSchema") if key in test}
    return {"command": {"name": name, **more}, **COMMON, **test}


def stated(*items: Any, wrapped: bool = True) -> Expectations:
    content = {"certificationBadgeTestCases": list(items)} if wrapped else list(items)
    return read_text(json.dumps(content)).over(Expectations())


def problems(*items: Any) -> tuple[str, ...]:
    with pytest.raises(TestCasesError) as caught:
        stated(*items)
    return caught.value.problems


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("badge", ["Pnp", "pnp", "PNP"])
def test_both_shapes_and_badges_in_any_case(wrapped: bool, badge: str) -> None:
    item = {**pnp(telemetryTests=[telemetry(messageCount=3, validationTimeout=120)]), "type": badge}
    assert stated(item, wrapped=wrapped).telemetry("flow") == Telemetry(count=3, timeout=120, required=True)


def test_every_kind_of_test() -> None:
    item = pnp(
        telemetryTests=[telemetry(expectedResult="1.5", isMandatory=False)],
        propertyTests=[prop(valueToWrite="12.5", valueToReport="13")],
        commandTests=[command(payload='{"seconds":5}', expectedResult="[1]", priority=2)],
    )
    found = stated(item)
    assert (found.telemetry("flow").expected, found.telemetry("flow").required) == (1.5, False)
    assert (found.property("target").values, found.property("target").reported) == ((12.5,), 13)
    purge = found.command("purge")
    assert (purge.payload, purge.response, purge.priority, purge.timeout) == ({"seconds": 5}, [1], 2, 30)


def test_components_and_the_root_by_any_of_its_names() -> None:
    for name, path in (("part1", "part1.flow"), ("default component", "flow"), (None, "flow"), ("", "flow")):
        assert set(stated(pnp(componentName=name, telemetryTests=[telemetry()])).telemetry_of) == {path}


def test_null_and_absent_are_the_same() -> None:
    item = {"telemetry": {"name": "flow"}, "messageCount": None, "isMandatory": None, "expectedResult": None}
    assert stated(pnp(telemetryTests=[item], propertyTests=None)).telemetry("flow") == Telemetry()


def test_what_an_interface_leaves_alone_is_left_alone() -> None:
    found = stated(pnp(shouldValidate=False, isMandatory=False, telemetryTests=[telemetry()]))
    assert not found.telemetry("flow").judged
    assert not found.telemetry("flow").required
    assert "shouldValidate = false" in found.left_alone("telemetry", "flow")
    assert stated(pnp(commandTests=[command(shouldValidate=False)])).left_alone("command", "purge")


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ("Double", "12.5", 12.5),
        ("double", '"12.5"', 12.5),
        ({"schemaType": "Double"}, "12.5", 12.5),
        ("dtmi:dtdl:instance:Schema:double;2", "12.5", 12.5),
        ("String", "on", "on"),
        ("String", '"on"', "on"),
        ("String", '"\\"on\\""', "on"),
        ("String", "21", "21"),
        ("String", '{"a": 1}', '{"a": 1}'),
        ("Duration", "PT5S", "PT5S"),
        ({"schemaType": "Enum", "valueSchema": "String"}, "idle", "idle"),
        ({"schemaType": "enum", "valueSchema": {"schemaType": "Integer"}}, "1", 1),
        ({"schemaType": "Object", "fields": []}, '{"a": "1"}', {"a": "1"}),
        ({"schemaType": "Object"}, '"{\\"a\\": 1}"', {"a": 1}),
        (None, '{"a": 1}', {"a": 1}),
        (None, '"{\\"a\\": 1}"', {"a": 1}),
        (None, '"on"', "on"),
        (None, "on", "on"),
        (None, "null", None),
        ("Unknown", "5", 5),
        ("Double", 12.5, 12.5),
        (None, {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_is_decoded_as_its_schema_asks(schema: Any, text: Any, value: Any) -> None:
    assert stated(pnp(propertyTests=[prop(schema=schema, valueToWrite=text)])).property("target").values == (value,)


def test_schemas_of_requests_may_stand_bare_or_in_their_payload() -> None:
    for schema in (
        "String",
        {"name": "mode", "schema": "String"},
        {"name": "mode", "schema": {"schemaType": "String"}},
    ):
        found = stated(pnp(commandTests=[command(requestSchema=schema, payload="21")]))
        assert found.command("purge").payload == "21"


def test_extras_of_ours_stand_under_a_key_of_ours() -> None:
    extras: dict[str, Any] = {"x-preflight": {"minimum": 0, "maximum": 9, "interval": 5}, "vendorKey": 1}
    item = telemetry(**extras)
    found = stated(pnp(telemetryTests=[item])).telemetry("flow")
    assert (found.minimum, found.maximum, found.interval) == (0, 9, 5)
    misspelt: dict[str, Any] = {"x-preflight": {"minimun": 0}}
    bad = telemetry(**misspelt)
    assert (
        "(flow), x-preflight has an unknown key `minimun` (did you mean `minimum`?)"
        in problems(pnp(telemetryTests=[bad]))[0]
    )


def test_iot_device() -> None:
    found = stated(
        {
            "type": "IotDevice",
            "c2DTests": [{**COMMON, "messageToSend": "hi"}],
            "d2CTests": [{**COMMON, "expectedMessage": "x", "expectedMessageCount": 20}],
            "deviceTwinTests": [
                {
                    **COMMON,
                    "desiredProperties": '{"speed": 5, "part1": {"__t": "c", "limit": 3}}',
                    "reportedProperties": '"{\\"hours\\": 7, \\"$version\\": 1}"',
                }
            ],
            "directMethodTests": [{**COMMON, "methodName": "part1*reset", "payload": "{}"}],
        }
    )
    assert (found.device.c2d, found.device.c2d_message) == (True, "hi")
    assert (found.device.messages, found.device.within) == (20, 30)
    assert found.property("speed").values == (5,)
    assert found.property("part1.limit").values == (3,)
    assert found.property("hours").reported == 7
    assert found.command("part1.reset").payload == {}


def test_what_cannot_be_expressed_is_noted() -> None:
    text = json.dumps([{"type": "IotDevice", "d2CTests": [{"expectedMessage": "x"}]}, {"type": "iotEdgeCompatible"}])
    notes = read_text(text).notes
    assert len(notes) == 2
    assert "expectedMessage was not taken up" in notes[0]


def test_the_file_is_laid_over_preflight_toml() -> None:
    base = Expectations(telemetry_of={"flow": Telemetry(interval=5, count=9), "other": Telemetry(count=2)})
    found = read_text(json.dumps([pnp(telemetryTests=[telemetry(messageCount=1)])])).over(base)
    assert (found.telemetry("flow").interval, found.telemetry("flow").count) == (5, 1)
    assert found.telemetry("other").count == 2


def test_unknown_keys_are_kept_in_both_shapes() -> None:
    item = {**pnp(telemetryTests=[telemetry(vendorKey=[1])]), "more": True}
    document = Document.parse(json.dumps({"certificationBadgeTestCases": [item], "etag": "x"}))
    assert json.loads(document.text()) == {"etag": "x", "certificationBadgeTestCases": [item]}
    assert json.loads(document.text(as_list=True)) == [item]
    assert Document.parse(document.text(as_list=True)).is_list


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "it is not JSON: "),
        ("", "it is not JSON: "),
        ("5", "an object with `certificationBadgeTestCases`, or the list in it, is expected."),
        ("{}", "it has no `certificationBadgeTestCases`"),
        ('{"certificationBadgeTestCases": 5}', "must be a list"),
        ("[5]", "certificationBadgeTestCases[0] must be an object with a `type`."),
        ("[{}]", "has no `type`: Pnp, IotDevice, IotEdgeCompatible are known."),
        ('[{"type": "Pmp"}]', "the badge type `Pmp` is not known (did you mean `Pnp`?)"),
        ('[{"type": "Pnp", "interfaceTests": {}}]', "interfaceTests must be a list."),
        ('[{"type": "Pnp", "interfaceTests": [5]}]', "interfaceTests[0] must be an object."),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_of_another_shape_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(TestCasesError) as caught:
        read_text(text)
    assert [says in problem for problem in caught.value.problems] == [True]


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ({"telemetryTests": [{}]}, "telemetryTests[0]: telemetry must be an object with the `name` of a telemetry."),
        ({"telemetryTests": [telemetry(messageCount=-1)]}, "(flow): messageCount = -1 cannot be used: a whole number"),
        ({"telemetryTests": [telemetry(messageCount="3")]}, 'messageCount = "3" cannot be used'),
        ({"telemetryTests": [telemetry(isMandatory="yes")]}, 'isMandatory = "yes" cannot be used: true or false'),
        ({"telemetryTests": [telemetry(validationTimeout="soon")]}, "validationTimeout"),
        ({"propertyTests": [prop(valueToWrite="12,5")]}, 'valueToWrite = "12,5" cannot be used: JSON for the schema'),
        ({"propertyTests": [prop(valueToWrite="NaN")]}, 'valueToWrite = "NaN" cannot be used'),
        ({"componentName": 5}, "componentName must be a text."),
    ],
)
def test_a_wrong_test_is_one_sentence_with_its_place(test: dict[str, Any], says: str) -> None:
    found = problems(pnp(**test))
    assert [says in problem for problem in found] == [True], found
    assert found[0].startswith("certificationBadgeTestCases[0].interfaceTests[0]")


def test_all_problems_are_said_at_once_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([pnp(telemetryTests=[{}, telemetry(messageCount=-1)])]), encoding="utf-8-sig")
    with pytest.raises(TestCasesError) as caught:
        read_file(path)
    assert len(caught.value.problems) == 2
    assert all(problem.startswith("cases.json: ") for problem in caught.value.problems)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TestCasesError, match="not UTF-8"):
        read_file(path)


_KEYS = (
    *("telemetry", "property", "command", "messageCount", "payload", "valueToWrite", "isMandatory", "x-preflight"),
    *("methodName", "desiredProperties", "expectedMessageCount", "messageToSend", "validationTimeout"),
)
_values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6) | st.just({}) | st.just([])
)
_tests = st.lists(
    st.dictionaries(
        st.sampled_from(_KEYS),
        _values | st.dictionaries(st.sampled_from(["name", "schema", "requestSchema"]), _values),
        max_size=5,
    )
    | _values,
    max_size=2,
)


@settings(max_examples=200, deadline=None)
@given(
    item=st.fixed_dictionaries(
        {"type": st.sampled_from(["Pnp", "IotDevice"])},
        optional=dict.fromkeys(("c2DTests", "d2CTests", "deviceTwinTests", "directMethodTests"), _tests | _values)
        | {
            "interfaceTests": st.lists(
                st.dictionaries(
                    st.sampled_from(["componentName", "telemetryTests", "propertyTests", "commandTests"]),
                    _tests | _values,
                ),
                max_size=2,
            )
        },
    )
)
def test_no_file_breaks_the_reader(item: dict[str, Any]) -> None:
    said: tuple[str, ...] = ("nothing.",)
    try:
        stated(item)
    except TestCasesError as e:
        said = e.problems
    assert said
    assert all(problem.endswith(".") for problem in said)
