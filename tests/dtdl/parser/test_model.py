"""What a reader finds in a parsed model."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from harness.dtdl import Element, ModelError, ParsingError, ResolutionError, parse
from tests.dtdl.parser.models import array, component, enum, interface, model, object_, property_, telemetry

IT = "dtmi:test:it;1"


@pytest.mark.parametrize("version", [2, 3, 4])
def test_elements_without_id_are_named_by_their_place(version: int) -> None:
    schema = object_(("a", array("double")), ("m", {"@type": "Map", "mapKey": {"name": "k", "schema": "string"},
                                                    "mapValue": {"name": "v", "schema": "boolean"}}))  # fmt: skip
    command = {"@type": "Command", "name": "c", "request": {"name": "r", "schema": "integer"}}
    found = model(interface(telemetry("t", schema), command, version=version))
    own = {dtmi.removeprefix("dtmi:test:it") for dtmi, element in found.elements.items() if element.document == 0}
    assert own == {
        ";1",
        ":_contents:__t;1",
        ":_contents:__t:_schema;1",
        ":_contents:__t:_schema:_fields:__a;1",
        ":_contents:__t:_schema:_fields:__a:_schema;1",
        ":_contents:__t:_schema:_fields:__m;1",
        ":_contents:__t:_schema:_fields:__m:_schema;1",
        ":_contents:__t:_schema:_fields:__m:_schema:_mapKey;1",
        ":_contents:__t:_schema:_fields:__m:_schema:_mapValue;1",
        ":_contents:__c;1",
        ":_contents:__c:_request;1",
    }
    assert {element.kind for element in found.elements.values() if element.document == -1} == {
        *("Double", "String", "Boolean", "Integer")
    }


def test_an_element_knows_where_it_stands() -> None:
    first = interface(dtmi="dtmi:test:first;1")
    nested = interface(dtmi="dtmi:test:nested;1", contents=[telemetry("deep")])
    second = interface(component("part", nested))
    found = model(first, json.dumps([second]))
    deep = found.element("dtmi:test:nested:_contents:__deep;1")
    assert (deep.document, deep.pointer) == (1, "/0/contents/0/schema/contents/0")
    assert (deep.defined_in, deep.child_of) == ("dtmi:test:nested;1", "dtmi:test:nested;1")
    assert found.element("dtmi:test:nested;1").defined_in == IT
    assert list(found.interfaces) == ["dtmi:test:first;1", IT, "dtmi:test:nested;1"]


def test_members_of_an_element() -> None:
    document = interface(
        property_("p", "double", "Temperature", unit="degreeCelsius", displayName="P", description={"de": "Wert"}),
        context=["dtmi:dtdl:extension:quantitativeTypes;1"],
    )
    element = model(document).contents(IT)["p"]
    assert element.writable is False
    assert element.display_name == {"en": "P"}
    assert element.get("description") == {"de": "Wert"}
    assert element.schema is not None
    assert element.schema.id == "dtmi:dtdl:instance:Schema:double;2"
    assert element.types == ("dtmi:dtdl:extension:quantitativeTypes:v1:class:Temperature",)
    unit = element.supplemental["unit"]
    assert isinstance(unit, Element)
    assert unit.name == "degreeCelsius"


def test_an_element_cannot_be_changed() -> None:
    element = model(interface(telemetry())).interface(IT)
    with pytest.raises(AttributeError):
        element.kind = "Telemetry"
    with pytest.raises(TypeError):
        element.members["contents"] = ()  # type: ignore[index]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("x", "x"),
        (["x"], "x"),
        ({"@value": "x"}, "x"),
        ({"@value": "x", "@type": "xsd:string"}, "x"),
        ([{"@value": "x", "@type": ["http://www.w3.org/2001/XMLSchema#string"]}], "x"),
    ],
)
def test_forms_of_a_string(written: Any, expected: str) -> None:
    assert model(interface(comment=written)).interface(IT).get("comment") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("x", {"en": "x"}),
        ({"de": "x", "zh-Hans-CN": "y"}, {"de": "x", "zh-Hans-CN": "y"}),
        (["x"], {"en": "x"}),
        (["x", {"@value": "y", "@language": "de"}], {"en": "x", "de": "y"}),
        ([], {}),
    ],
)
def test_forms_of_text(written: Any, expected: dict[str, str]) -> None:
    assert model(interface(displayName=written)).interface(IT).display_name == expected


def test_terms_and_dtmis_are_one() -> None:
    by_term = interface(telemetry("t", "point"))
    by_dtmi = {
        "@context": "dtmi:dtdl:context;3",
        "@id": IT,
        "@type": "dtmi:dtdl:class:Interface;3",
        "dtmi:dtdl:property:contents;3": {
            "@type": "dtmi:dtdl:class:Telemetry;3",
            "dtmi:dtdl:property:name;3": "t",
            "dtmi:dtdl:property:schema;3": "dtmi:standard:schema:geospatial:point;3",
        },
    }
    assert set(model(by_term).elements) == set(model(by_dtmi).elements)


def test_enum_values_are_numbers_or_text() -> None:
    found = model(interface(telemetry("i", enum(1, 2.0)), telemetry("s", enum("1", schema="string"))))
    values = [element.get("enumValue") for element in found.elements.values() if element.kind == "EnumValue"]
    assert values == [1, 2, "1"]


def test_inherited_contents_follow_own() -> None:
    base = interface(telemetry("a"), telemetry("b"), dtmi="dtmi:test:base;1")
    other = interface(telemetry("c"), dtmi="dtmi:test:other;1", extends="dtmi:test:base;1")
    found = model(base, other, interface(telemetry("d"), extends=["dtmi:test:other;1", "dtmi:test:base;1"]))
    assert list(found.contents(IT)) == ["d", "c", "a", "b"]
    assert found.contents(IT)["a"].defined_in == "dtmi:test:base;1"


def test_capabilities_of_root_and_components() -> None:
    part = interface(telemetry("t"), property_("p", writable=True), dtmi="dtmi:test:part;1")
    command = {"@type": "Command", "name": "c", "response": {"name": "r", "schema": "integer"}}
    found = model(part, interface(telemetry("t"), component("one", "dtmi:test:part;1"), command)).capabilities(IT)
    assert [(each.kind, each.path) for each in found] == [
        ("telemetry", "t"),
        ("command", "c"),
        ("telemetry", "one.t"),
        ("property", "one.p"),
    ]
    assert found[1].request is None
    assert found[1].response is not None
    assert [each.writable for each in found] == [False, False, False, True]
    assert found[3].interface == "dtmi:test:part;1"


def test_a_model_says_what_it_does_not_have() -> None:
    found = model(interface(telemetry()))
    with pytest.raises(KeyError, match="no element dtmi:test:no;1"):
        found.element("dtmi:test:no;1")
    with pytest.raises(KeyError, match="is a Telemetry"):
        found.interface("dtmi:test:it:_contents:__t;1")


def test_a_unit_brings_what_it_is_made_of() -> None:
    found = model(interface(telemetry("t", "double", "Velocity", unit="kilometrePerHour"), version=2))
    units = [element.id.rpartition(":")[2] for element in found.elements.values() if ":unit" in element.id]
    assert sorted(units) == ["hour;2", "kilo;2", "kilometre;2", "kilometrePerHour;2", "metre;2", "metrePerHour;2"]


def test_extensions_nobody_knows_are_kept_as_written() -> None:
    document = interface(telemetry("t", "double", "Flavor", sweet=1), context=["dtmi:test:flavors;1"], version=2)
    found = model(document)
    element = found.contents(IT)["t"]
    assert found.incomplete
    assert element.types == ("Flavor",)
    assert element.get("sweet") == 1


def test_documents_come_in_every_form() -> None:
    document = interface(telemetry())
    text = json.dumps(document)
    forms: list[Any] = [document, text, text.encode(), [document], [text, []], json.dumps([document]), iter([text])]
    assert {len(parse(form)) for form in forms} == {3}


def test_exceptions_survive_pickling() -> None:
    error = ParsingError("invalidId", "no", element=IT, pointer="/a")
    copy = pickle.loads(pickle.dumps(ModelError([error])))
    assert copy.errors == (error,)
    assert pickle.loads(pickle.dumps(ResolutionError(["dtmi:a;1"]))).unresolved == ("dtmi:a;1",)
