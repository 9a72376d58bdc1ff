"""Whatever the parser is given, it answers with a model or with an error that has a place."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dtdl import Model, ModelError, ResolutionError, parse
from tests.dtdl.parser.models import array, codes, component, errors, interface, property_, telemetry


@pytest.mark.parametrize(
    ("document", "code", "line", "column"),
    [
        ("", "invalidJson", 1, 1),
        ('{\n "a": }', "invalidJson", 2, 7),
        ('{\n "a"', "invalidJson", 2, 5),
        ("\ufeff{}", "invalidEncoding", 1, 1),
        (b"\xef\xbb\xbf{}", "invalidEncoding", 1, 1),
        (b'{\n "\xe9": 1}', "invalidEncoding", 2, 3),
        ("{}".encode("utf-16"), "invalidEncoding", 1, 1),
        ('{"a": NaN}', "invalidJson", None, None),
        (f'{{"a": {"9" * 10_000}}}', "invalidJson", None, None),
        ("[" * 200_000, "invalidJson", None, None),
        ('{"a": [{"b": 1,\n"b": 2}]}', "duplicateMember", 2, None),
        ("7", "notJsonObject", None, None),
        ("[null]", "notJsonObject", None, None),
    ],
)
def test_what_is_no_document_has_a_place(document: Any, code: str, line: int | None, column: int | None) -> None:
    found = errors(document)
    assert [(error.code, error.line, error.column) for error in found] == [(code, line, column)]


def test_a_repeated_member_is_pointed_to() -> None:
    text = '{"a": [0, {"x/y": {"b": 1, "c": {"b": 3}, "b": 2}}]}'
    assert [(error.pointer, error.value) for error in errors(text)] == [("/a/1/x~1y", "b")]


def _circle() -> Any:
    document = interface()
    document["contents"] = [document]
    return document


@pytest.mark.parametrize("document", [_circle(), {"a": object()}, {"a": math.inf}, {"a": {1, 2}}])
def test_what_json_cannot_express_is_refused(document: Any) -> None:
    assert codes(document) == ["invalidJson"]


def test_other_mappings_are_documents_too() -> None:
    assert codes(MappingProxyType(interface(telemetry("t", MappingProxyType(array("double")))))) == []


@pytest.mark.parametrize("levels", [150, 250, 450])
def test_deep_nesting_is_an_error_and_no_more(levels: int) -> None:
    schema = '{"@type": "Array", "elementSchema": ' * levels + '"double"' + "}" * levels
    text = json.dumps(interface(telemetry("t", "@"))).replace('"@"', schema)
    assert codes(text) == ["excessiveDepthWide"]


def test_an_object_wrong_throughout_is_reported_in_part() -> None:
    found = errors(interface(*({"colour": index} for index in range(5000))))
    assert len(found) == 1000
    with pytest.raises(ModelError, match=r"and 900 more$"):
        parse(interface(*({"colour": index} for index in range(5000))))


def test_a_large_base_is_not_copied_into_all_that_extend_it() -> None:
    base = interface(*(telemetry(f"t{index}") for index in range(3000)), dtmi="dtmi:test:base;1")
    derived = [interface(telemetry("x"), dtmi=f"dtmi:test:d{n};1", extends="dtmi:test:base;1") for n in range(3000)]
    assert len(parse([base, *derived])) == 9002


NAMES = [
    *("@context", "@id", "@type", "@value", "@language", "@graph", "name", "contents", "extends", "schema", "schemas"),
    *("fields", "enumValues", "enumValue", "valueSchema", "elementSchema", "mapKey", "mapValue", "request", "response"),
    *("displayName", "description", "comment", "writable", "target", "properties", "maxMultiplicity", "unit", "@foo"),
    *("annotates", "overrides", "ttl", "index", "dtmi:dtdl:property:name;2", "a/b", "commandType", "nullable"),
]
WORDS = [
    *("dtmi:dtdl:context;2", "dtmi:dtdl:context;3", "dtmi:dtdl:context;4", "dtmi:dtdl:context;4#limitless"),
    *("dtmi:dtdl:extension:quantitativeTypes;1", "dtmi:dtdl:extension:annotation;2", "dtmi:iotcentral:context;2"),
    *("dtmi:dtdl:extension:mqtt;3", "dtmi:dtdl:extension:overriding;2", "dtmi:dtdl:extension:historization;1"),
    *("Interface", "Telemetry", "Property", "Command", "Component", "Relationship", "Object", "Enum", "Map", "Array"),
    *("Velocity", "Cacheable", "Indexed", "ValueAnnotation", "Override", "xsd:string", "Event", "Location", "State"),
    *("double", "string", "point", "vector", "integer", "metrePerSecond", "kelvin", "synchronous", "unit", "a", "b"),
    *("dtmi:test:a;1", "dtmi:test:b;1", "dtmi:test:c;1", "dtmi:test:a;1#x", "dtmi:dtdl:instance:Schema:byte;4"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)
INTERFACES = st.fixed_dictionaries(
    {"@context": st.sampled_from(WORDS[:3]) | VALUES, "@id": st.sampled_from(["dtmi:test:a;1", "dtmi:test:b;1"])},
    optional={"@type": st.just("Interface") | VALUES, "contents": VALUES, "extends": VALUES, "schemas": VALUES},
)
CONTENTS = st.fixed_dictionaries(
    {"@type": st.sampled_from(WORDS[10:20]) | st.lists(st.sampled_from(WORDS[10:29]), max_size=3)},
    optional={name: VALUES | st.sampled_from(WORDS) for name in NAMES if name != "@type"},
)
NEAR = st.builds(
    lambda contents, context, kind: {"@context": context, "@id": "dtmi:test:a;1", "@type": kind, "contents": contents},
    st.lists(CONTENTS, max_size=4),
    st.lists(st.sampled_from(WORDS[:10]), min_size=1, max_size=4),
    st.just("Interface"),
)


def _parsed(document: Any, **options: Any) -> Model | None:
    try:
        return parse(document, **options)
    except (ModelError, ResolutionError):
        return None


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES | INTERFACES | NEAR, max_size=3), st.sampled_from(["always", "never", "per-default"]))
def test_any_json_is_a_model_or_an_error(documents: list[Any], undefined: Any) -> None:
    quirks: Any = ["tolerate-solecisms-in-parse"]
    _parsed(documents, undefined_extensions=undefined)
    _parsed(documents, undefined_extensions=undefined, quirks=quirks, resolve=lambda _: documents)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.binary(max_size=40))
def test_any_text_is_a_model_or_an_error(text: str | bytes) -> None:
    _parsed(text)


SOUND = interface(
    telemetry("t", {"@type": "Object", "fields": [{"name": "f", "schema": array("double")}]}, displayName={"en": "T"}),
    property_("p", {"@type": "Map", "mapKey": {"name": "k", "schema": "string"},
                    "mapValue": {"name": "v", "schema": "date"}}),
    component("c", interface(dtmi="dtmi:test:part;1")),
    {"@type": "Command", "name": "x", "request": {"name": "r", "schema": "integer"}},
    {"@type": "Relationship", "name": "r", "target": "dtmi:test:part;1", "properties": [property_("q")]},
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, part in steps for place in _places(part, (*path, step)))]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_places(SOUND)[1:]), VALUES, st.sampled_from(["2", "3", "4"]))
def test_a_sound_model_with_one_value_replaced(place: tuple[Any, ...], value: Any, version: str) -> None:
    document = json.loads(json.dumps(SOUND).replace("context;3", f"context;{version}"))
    around = document
    for step in place[:-1]:
        around = around[step]
    around[place[-1]] = value
    _parsed(document)


def test_the_package_loads_its_parser_on_first_use() -> None:
    code = "import sys, harness.dtdl; print('harness.dtdl.parser' in sys.modules, harness.dtdl.parse.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "parse"]
