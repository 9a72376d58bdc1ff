"""Values against schemas: the verdicts, and the sentences a device maker reads."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings

from harness.dtdl.payload import NotInstantiable, check_instance, check_value, json_schema
from harness.dtdl.payload.accept import predicate
from harness.dtdl.payload.explain import problems, validator
from tests.dtdl.payload.elements import PREDEFINED, PRIMITIVES, element, holder, schema
from tests.dtdl.payload.schemas import SCHEMAS, VALUES

ON_OFF = {
    "@type": "Enum",
    "valueSchema": "integer",
    "enumValues": [{"name": "on", "enumValue": 1}, {"name": "off", "enumValue": 2}],
}
READING = {
    "@type": "Object",
    "fields": [
        {"name": "temperature", "schema": "double"},
        {"name": "mode", "schema": ON_OFF},
        {"name": "at", "schema": "dateTime", "@type": "dtmi:dtdl:extension:requirement:v1:Required"},
    ],
}


@given(SCHEMAS, VALUES)
@settings(max_examples=300, deadline=None)
def test_the_quick_yes_and_jsonschema_agree(written: Any, value: Any) -> None:
    compiled = json_schema(schema(written))
    assert predicate(compiled)(value) == (not problems(validator(compiled), value))


@pytest.mark.parametrize(
    ("written", "value", "message"),
    [
        ("double", "21.5", "Send the value without quotes."),
        ("double", "warm", "finite number."),
        ("integer", 21.0, "Send 21."),
        ("integer", 2**31, "2147483648 (number); the model declares integer: a whole number from -2147483648"),
        ("unsignedByte", -1, "from 0 to 255"),
        ("dateTime", "2020-08-30T19:16:13", "The offset is missing"),
        ("dateTime", "2020-08-30 19:16:13Z", "letter T"),
        ("dateTime", 1598814973, "epoch"),
        ("bytes", "SGVsbG8", "padding"),
        ("string", None, "Leave it out where there is no value."),
        (ON_OFF, "on", "send the value 1 (number)"),
        (ON_OFF, 3, "one of the enum values 1, 2"),
        (READING, {"at": "2020-08-30T19:16:13Z", "Temperature": 1}, 'Did you mean "temperature"?'),
        (READING, {}, 'lacks the required field "at"'),
        ("point", {"type": "Point", "coordinates": [1]}, "a position"),
        ("polygon", {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [1, 0]]]}, "a closed ring"),
        ("geopoint", {"lat": 1.0}, 'lacks the required field "lon"'),
        ("vector", {"x": 1, "y": 2, "z": "3"}, "/z is"),
    ],
)
def test_a_problem_says_what_to_do(written: Any, value: Any, message: Any) -> None:
    (problem, *_) = check_value(schema(written), value)
    assert message in str(problem)


def test_a_problem_names_pointer_expected_and_actual() -> None:
    value = {"at": "2020-08-30T19:16:13Z", "mode": 3, "temperature": [True]}
    found = {problem.pointer: problem for problem in check_value(schema(READING), value)}
    assert {pointer: problem.code for pointer, problem in found.items()} == {"/mode": "enum", "/temperature": "type"}
    assert found["/mode"].expected == "one of the enum values 1, 2"
    assert found["/mode"].actual == "3 (number)"


@pytest.mark.parametrize("value", [1.0, "1", True])
def test_a_value_of_the_wrong_kind_is_one_problem(value: Any) -> None:
    assert [each.code for each in check_value(schema(ON_OFF), value)] == ["type"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, True])
@pytest.mark.parametrize("term", ["double", "float"])
def test_only_finite_numbers_are_numbers(term: Any, value: Any) -> None:
    assert check_value(schema(term), value)


def test_pointers_escape_names() -> None:
    written = {
        "@type": "Map",
        "mapKey": {"name": "k", "schema": "string"},
        "mapValue": {"name": "v", "schema": "long"},
    }
    (problem,) = check_value(schema(written), {"a/b~c": "x"})
    assert problem.pointer == "/a~1b~0c"


def test_a_schema_of_unknown_kind_is_not_checked() -> None:
    unknown = element("Tensor")
    assert not json_schema(unknown)
    assert check_value(unknown, {"anything": None}) == []
    assert check_value(element("Array", elementSchema=unknown), [1, "two"]) == []
    assert all(json_schema(schema(term)) for term in PRIMITIVES + PREDEFINED)


def test_a_schema_may_refer_back_to_itself() -> None:
    tree = element("Object", "dtmi:test:tree;1")
    children = element("Array", elementSchema=tree)
    fields = (element("Field", name="children", schema=children), element("Field", name="size", schema=schema("long")))
    object.__setattr__(tree, "members", {"fields": fields})
    value: dict[str, object] = {"size": 1}
    for _ in range(20):
        value = {"children": [value]}
    assert check_value(tree, value) == []
    assert [each.pointer for each in check_value(tree, {"children": [{"children": [{"size": "1"}]}]})] == [
        "/children/0/children/0/size"
    ]


def test_a_nullable_payload_takes_null() -> None:
    nullable = holder("CommandResponse", {"name": "r", "schema": "double", "nullable": True})
    assert check_value(nullable, None) == []
    assert check_value(nullable, 1.5) == []
    assert [each.code for each in check_value(nullable, "1.5")] == ["type"]
    assert check_value(holder("CommandResponse", {"name": "r", "schema": "double"}), None)


def test_contents_have_no_instances_but_their_schemas_have() -> None:
    telemetry = holder("Telemetry", {"name": "t", "schema": "double"})
    with pytest.raises(NotInstantiable, match="check against its schema"):
        check_instance(telemetry, "1")
    assert check_value(telemetry, 1) == []
    with pytest.raises(NotInstantiable, match="is an Interface"):
        check_instance(element("Interface", "dtmi:test:i;1"), "{}")


def test_problems_are_few_whatever_the_size() -> None:
    array = schema({"@type": "Array", "elementSchema": "integer"})
    found = check_value(array, ["x"] * 10_000)
    assert 10 < len(found) <= 50


def test_a_wide_and_deep_schema_compiles_in_proportion_to_its_elements() -> None:
    inner = schema("double")
    for level in range(24):
        fields = tuple(element("Field", name=f"f{number}", schema=inner) for number in range(30))
        inner = element("Object", f"dtmi:test:level{level};1", fields=fields)
    assert check_value(inner, {"f0": {"f1": {}}}) == []
    assert check_value(inner, {"f0": {"f1": 1}})


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_every_problem_can_be_written_down(value: Any) -> None:
    for problem in check_value(schema(READING), value):
        json.dumps([problem.pointer, problem.message, problem.expected, problem.actual]).encode()
