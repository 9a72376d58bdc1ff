"""What the parser finds wrong, and what it says about it."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from harness.dtdl.parser.findings import NOT_KNOWN
from harness.dtdl.parser.sentences import SENTENCES
from tests.dtdl.parser.models import (
    Json,
    array,
    codes,
    component,
    enum,
    errors,
    interface,
    nested,
    object_,
    property_,
    telemetry,
)
from tests.paths import REPO

QUANTITIES = ["dtmi:dtdl:extension:quantitativeTypes;1"]
IN_SELF = {"@id": "dtmi:test:self;1", "@type": "Object", "fields": [{"name": "f", "schema": "dtmi:test:self;1"}]}
ADJUNCTS = ["dtmi:dtdl:extension:annotation;1", "dtmi:dtdl:extension:historization;1"]

WRONG: list[tuple[str, str, Json]] = [
    # code, pointer, document
    ("missingContext", "", {"@id": "dtmi:a;1"}),
    ("missingTopLevelId", "", {"@context": "dtmi:dtdl:context;3", "@type": "Interface"}),
    ("invalidId", "", interface(dtmi="dtmi:test:it_;1")),
    ("invalidId", "", interface(dtmi="dtmi:test:it", version=2)),
    ("reservedId", "", interface(dtmi="dtmi:dtdl:it;1")),
    ("idTooLongForType", "", interface(dtmi=f"dtmi:{'a' * 130};1")),
    ("typeNotRootable", "", interface() | {"@type": "Telemetry"}),
    ("badType", "/contents/0", interface(object_() | {"name": "o"})),
    ("typeUndefinedTerm", "/contents/0", interface(telemetry("t", "double", "Flavor"))),
    ("multipleMaterialTypes", "/contents/0", interface(telemetry("t", "double", "Property"))),
    ("propertyUndefinedTerm", "/contents/0/colour", interface(telemetry(colour=1))),
    ("noTypeThatAllows", "/contents/0/a~1b", interface(telemetry() | {"a/b": 1}, version=2)),
    ("propertyIrrelevantDtmiOrTerm", "/contents/0/writable", interface(telemetry(writable=True))),
    ("keywordDisallowed", "/contents/0", interface(telemetry(**{"@language": "en"}))),
    ("missingDtmiSegPropertyValue", "/contents/0", interface({"@type": "Telemetry", "schema": "double"})),
    ("missingObjectProperty", "/contents/0", interface({"@type": "Telemetry", "name": "t"})),
    ("nonUniquePropertyValue", "/contents/1", interface(telemetry("t"), telemetry("t"))),
    ("stringTooLong", "/contents/0", interface(telemetry("t" * 513))),
    ("stringTooLong", "", interface(comment="🙂" * 257)),
    ("stringInvalid", "/contents/0", interface(telemetry("_t"))),
    ("stringNotString", "", interface(comment=1)),
    ("langStringInvalidCode", "", interface(displayName={"english": "x"})),
    ("langStringValueTooLong", "", interface(displayName={"en": "x" * 513})),
    ("booleanNotBoolean", "/contents/0", interface(property_(writable="true"))),
    ("integerNotInteger", "/contents/0", interface({"@type": "Relationship", "name": "r", "maxMultiplicity": 1.5})),
    ("valueNotExact", "/contents/0", interface({"@type": "Relationship", "name": "r", "minMultiplicity": 1})),
    ("identifierNotDtmi", "/contents/0", interface({"@type": "Relationship", "name": "r", "target": "there"})),
    ("badDtmiOrTerm", "/contents/0/schema", interface(telemetry("t", "complex"))),
    ("badType", "/contents/0/schema", interface(telemetry("t", "synchronous"))),
    ("undefinedReservedId", "/contents/0/schema", interface(telemetry("t", "dtmi:dtdl:instance:Schema:real;2"))),
    ("idReference", "/extends", interface(extends={"@id": "dtmi:test:base;1"}, version=2)),
    ("duplicateDefinition", "/schemas/1", interface(schemas=[IN_SELF, IN_SELF | {"fields": []}], version=4)),
    ("objectMultipleValues", "/contents/0/schema", interface(telemetry("t", ["double", "float"]))),
    ("objectCountBelowMin", "/contents/0/schema/fields", interface(telemetry("t", object_()), version=2)),
    ("objectCountAboveMax", "", interface(*(telemetry(f"t{index}") for index in range(301)), version=2)),
    ("nonConformantDatatype", "/contents/0/schema/enumValues/1", interface(telemetry("t", enum(1, "2")))),
    ("nonUniquePropertyValue", "/contents/0/schema/enumValues/1", interface(telemetry("t", enum(1, 1)))),
    ("incorrectPropertyValue", "/contents/0/schema/valueSchema", interface(telemetry("t", enum(1, schema="double")))),
    ("recursiveStructureWide", "/schemas/0/fields/0", interface(schemas=[IN_SELF])),
    ("recursiveStructureNarrow", "", interface(extends="dtmi:test:it;1")),
    ("excessiveDepthWide", "/contents/0/schema", interface(telemetry("t", nested(6)))),
    ("excludedType", "/contents/0", interface(property_("p", array("double")), version=2)),
    ("excludedType", "/contents/0", interface(component("c", interface(component("d", "dtmi:b;1"), dtmi="dtmi:b;1")))),
    ("missingSupplementalObjectProperty", "/contents/0",
     interface(telemetry("t", "double", "Mass"), context=QUANTITIES)),
    ("notRequiredType", "/contents/0", interface(telemetry("t", "string", "Mass", unit="gram"), context=QUANTITIES)),
    ("wrongParent", "/contents/0", interface(telemetry("t", "double", "Mass", unit="metre"), context=QUANTITIES)),
    ("invalidCotype", "/contents/0", interface({"@type": ["Command", "Historized"], "name": "c"}, context=ADJUNCTS)),
    ("disallowedType", "/contents/0",
     interface(telemetry("t", "double", "ValueAnnotation", annotates="t"), context=ADJUNCTS)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "pointer", "document"), WRONG)
def test_every_error_has_an_id_a_place_and_a_sentence(code: str, pointer: str, document: Json) -> None:
    found = errors(document)
    assert (code, pointer) in [(error.code, error.pointer) for error in found]
    assert not any(NOT_KNOWN in error.message for error in found)


def test_everything_wrong_is_found_at_once() -> None:
    document = interface(
        telemetry("1st"), telemetry("t", "complex"), property_(writable=1), comment=1, dtmi="dtmi:dtdl:it;1"
    )
    expected = ["booleanNotBoolean", "badDtmiOrTerm", "reservedId", "stringInvalid", "stringNotString"]
    assert sorted(codes(document)) == sorted(expected)


def test_an_error_names_what_it_is_about() -> None:
    (error,) = errors(interface(telemetry("t", object_(("f", "complex")))), interface(dtmi="dtmi:test:other;1"))
    assert error.element == "dtmi:test:it:_contents:__t:_schema:_fields:__f;1"
    assert (error.property, error.value, error.document) == ("schema", "complex", 0)
    assert str(error) == (
        "badDtmiOrTerm: complex in schema of Field 'f' is neither a DTMI nor a term of DTDL v3: correct it"
    )


@pytest.mark.parametrize(("version", "levels"), [(2, 5), (3, 5), (4, 8)])
def test_schemas_nest_as_deeply_as_the_version_allows(version: int, levels: int) -> None:
    assert codes(interface(telemetry("t", nested(levels)), version=version)) == []
    assert codes(interface(telemetry("t", nested(levels + 1)), version=version)) == ["excessiveDepthWide"]


@pytest.mark.parametrize(("version", "levels"), [(2, 10), (3, 10), (4, 12)])
def test_interfaces_extend_as_far_as_the_version_allows(version: int, levels: int) -> None:
    chain = [
        interface(dtmi=f"dtmi:test:i{n};1", extends=f"dtmi:test:i{n + 1};1", version=version) for n in range(levels)
    ]
    top = interface(dtmi=f"dtmi:test:i{levels};1", version=version)
    assert codes(*chain, top) == []
    below = interface(dtmi="dtmi:test:below;1", extends="dtmi:test:i0;1", version=version)
    assert codes(*chain, top, below) == ["excessiveDepthNarrow"]


def test_dtdl_v4_allows_a_schema_in_itself() -> None:
    assert codes(interface(schemas=[IN_SELF], version=4)) == []


def test_inherited_names_must_differ() -> None:
    left = interface(telemetry("a"), dtmi="dtmi:test:left;1")
    right = interface(telemetry("a"), dtmi="dtmi:test:right;1")
    assert codes(left, right, interface(extends=["dtmi:test:left;1", "dtmi:test:right;1"])) == [
        "nonUniqueImportedPropertyValue"
    ]
    assert codes(left, interface(extends=["dtmi:test:left;1", "dtmi:test:left;1"])) == []


def test_a_schema_belongs_to_its_interface() -> None:
    shared = {"@id": "dtmi:test:shared;1", "@type": "Object", "fields": []}
    other = interface(dtmi="dtmi:test:other;1", schemas=[shared])
    assert codes(other, interface(telemetry("t", "dtmi:test:shared;1"))) == ["crossPartitionReference"]


def test_an_older_model_cannot_use_a_newer_one() -> None:
    base = interface(dtmi="dtmi:test:base;1", version=4)
    assert codes(base, interface(extends="dtmi:test:base;1", version=3)) == ["disallowedVersionReference"]
    assert codes(base | {"@context": "dtmi:dtdl:context;2"}, interface(extends="dtmi:test:base;1", version=4)) == []


def test_the_text_of_an_interface_is_limited() -> None:
    long = {"comment": "x" * 500, "description": "y" * 500}
    contents = [telemetry(f"t{index}", **long) for index in range(1000)]
    assert codes(interface(*contents)) == ["partitionTooLarge"]
    halves = [interface(*contents[:500], dtmi="dtmi:test:a;1"), interface(*contents[500:], dtmi="dtmi:test:b;1")]
    assert codes(*halves) == []
    assert codes(interface(component("a", halves[0]), component("b", halves[1]))) == []


def test_elements_are_counted_with_what_is_inherited() -> None:
    fields = object_(*((f"f{index}", "double") for index in range(10_000)))
    parts = [interface(telemetry("t", fields), dtmi=f"dtmi:test:i{n};1") for n in range(6)]
    all_six = interface(*(component(f"c{n}", f"dtmi:test:i{n};1") for n in range(6)))
    assert codes(*parts, all_six) == ["excessiveCountNarrow"]


def _codes_in_the_source() -> set[str]:
    found: set[str] = set()
    for path in (REPO / "harness/dtdl/parser").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in ("add", "report", "_fail", "Problem"):
                    found.add(str(node.args[0].value))
    return found


def test_every_error_has_its_sentence() -> None:
    found = _codes_in_the_source()
    assert len(found) > 60
    assert found <= SENTENCES.keys()


@pytest.mark.parametrize("family", ["string", "boolean", "integer", "numeric", "literal", "identifier"])
def test_families_of_errors_are_complete(family: str) -> None:
    kinds: dict[str, Any] = {"string": "String", "boolean": "Boolean", "integer": "Integer", "numeric": "Numeric"}
    expected = {f"{family}MultipleValues", f"{family}CountBelowMin"}
    if family in kinds:
        expected |= {f"{family}{part}Not{kinds[family]}" for part in ("", "Value", "Type")} | {f"{family}ObjectNoValue"}
    assert expected <= SENTENCES.keys()
