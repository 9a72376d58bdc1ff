"""The test cases written for a model: in AICS's shape, and read back as what a run would do anyway."""

from __future__ import annotations

import json

from harness.aics import generate, read_text
from harness.aics.writing import GLOBAL
from harness.dtdl import check_value, parse, sample
from harness.expectations import Expectations
from tests.checks.story import ROOT, pump_model


def test_what_is_written_reads_back_as_the_samples_that_a_run_sends() -> None:
    model = pump_model()
    for as_list in (False, True):
        text = generate(model, ROOT, {}).text(as_list=as_list)
        assert isinstance(json.loads(text), list) is as_list
        found = read_text(text).over(Expectations())
        declared = model.capabilities(ROOT)
        assert set(found.telemetry_of) == {c.path for c in declared if c.kind == "telemetry"}
        assert set(found.property_of) == {c.path for c in declared if c.kind == "property"}
        assert set(found.command_of) == {c.path for c in declared if c.kind == "command"}
        by_path = {c.path: c for c in declared}
        speed, prime = by_path["speed"], by_path["prime"]
        assert prime.request
        assert found.property("speed").values == (sample(speed.element, seed="write speed", twin=True),)
        assert found.property("hours").values == ()
        assert found.command("prime").payload == sample(prime.request, seed="command prime")
        assert not any(t.required for t in found.telemetry_of.values())
        assert all(c.required for c in found.command_of.values())


def test_the_shape() -> None:
    documents = {ROOT: {"@id": ROOT}, "dtmi:test:Part;1": {"@id": "dtmi:test:Part;1"}}
    item = json.loads(generate(pump_model(), ROOT, documents, ["dtmi:test:Part;1"]).text())[
        "certificationBadgeTestCases"
    ][0]
    snapshot = item["modelDefinitionSnapshot"]
    assert (snapshot["id"], json.loads(snapshot["content"])) == (ROOT, {"@id": ROOT})
    assert [s["resolutionSource"] for s in snapshot["interfaceSnapshots"]] == [GLOBAL]
    root, part = item["interfaceTests"]
    assert (root["id"], root["componentName"], root["resolutionSource"]) == (ROOT, "Default component", "UserUploads")
    assert (part["id"], part["componentName"], part["resolutionSource"]) == ("dtmi:test:Part;1", "part1", GLOBAL)
    assert root["commandTests"][0]["command"]["requestSchema"]["schema"] == "Integer"
    assert root["propertyTests"][0]["property"]["writable"] is True


def test_every_kind_of_schema_is_rendered_and_its_sample_read_back() -> None:
    point = {"@type": "Object", "fields": [{"name": "x", "schema": "double"}, {"name": "label", "schema": "string"}]}
    schemas = {
        "text": "string",
        "day": "date",
        "flag": "boolean",
        "mode": {
            "@type": "Enum",
            "valueSchema": "string",
            "enumValues": [{"name": "on", "enumValue": "1"}, {"name": "off", "enumValue": "0"}],
        },
        "point": point,
        "names": {
            "@type": "Map",
            "mapKey": {"name": "k", "schema": "string"},
            "mapValue": {"name": "v", "schema": point},
        },
    }
    contents = [{"@type": "Property", "name": n, "schema": s, "writable": True} for n, s in schemas.items()]
    contents.append({"@type": "Telemetry", "name": "tag", "schema": "uuid"})
    contents.append({"@type": "Telemetry", "name": "row", "schema": {"@type": "Array", "elementSchema": "integer"}})
    dtmi = "dtmi:test:All;1"
    document = {"@context": "dtmi:dtdl:context;4", "@id": dtmi, "@type": "Interface", "contents": contents}
    model = parse([document])
    text = generate(model, dtmi, {}).text()
    found = read_text(text).over(Expectations())
    for capability in model.capabilities(dtmi):
        if capability.kind == "property":
            assert capability.schema
            assert check_value(capability.schema, found.property(capability.path).values[0]) == []
    tests = json.loads(text)["certificationBadgeTestCases"][0]["interfaceTests"][0]
    rendered = {t["property"]["name"]: t["property"]["schema"] for t in tests["propertyTests"]}
    assert rendered["day"] == "Date"
    assert rendered["mode"]["enumValues"][1] == {"name": "off", "value": "0"}
    assert rendered["names"]["valueSchema"]["fields"][1] == {"name": "label", "schema": "String"}
    assert [t["telemetry"]["schema"] for t in tests["telemetryTests"]] == [
        "Unknown",  # AICS had no name for what came after DTDL v2
        {"schemaType": "Array", "elementSchema": "Integer"},
    ]
