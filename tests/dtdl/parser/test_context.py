"""@context: versions, extensions, limits, and what each document may use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dtdl.parser.models import codes, interface, model, telemetry

DTDL = "dtmi:dtdl:context"
ONVIF = "dtmi:dtdl:limits:onvif;1"
QUANTITIES = "dtmi:dtdl:extension:quantitativeTypes"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (f"{DTDL};2", []),
        ([f"{DTDL};4"], []),
        ([f"{DTDL};2", "dtmi:iotcentral:context;2"], []),
        (["dtmi:iotcentral:context;2", f"{DTDL};2"], []),
        ([f"{DTDL};4#limitless", f"{DTDL};4"], []),
        ([], ["emptyContext"]),
        (None, ["invalidContext"]),
        (3, ["invalidContext"]),
        ({"name": "http://example.com"}, ["missingDtdlContext"]),
        ([f"{DTDL};2", {"name": "http://example.com"}], ["disallowedLocalContext"]),
        ("dtmi:test:mine;1", ["missingDtdlContext"]),
        (DTDL, ["missingDtdlContext"]),
        (f"{DTDL};1", ["unrecognizedContextVersion"]),
        (f"{DTDL};5", ["unrecognizedContextVersion"]),
        ([f"{DTDL};3", f"{QUANTITIES};1", f"{DTDL};3"], ["dtdlContextFollowsAffiliate"]),
        ([f"{DTDL};3", "http://example.com"], ["nonDtmiContextSpecifier"]),
        ([f"{DTDL};3", "dtmi:test:mine"], ["missingContextVersion"]),
        ([f"{DTDL};2", "dtmi:test:mine;1.1"], ["invalidContextSpecifierForVersion"]),
        ([f"{DTDL};3", "dtmi:test:mine;1"], ["unresolvableContextSpecifier"]),
        ([f"{DTDL};3", f"{QUANTITIES};99"], ["unresolvableContextVersion"]),
        (f"{DTDL};4#limitless", ["missingLimitContext"]),
        (f"{DTDL};4#more", ["invalidContextFragment"]),
        ([f"{DTDL};4#limitless", ONVIF], ["disallowedLimitContext"]),
        ([f"{DTDL};4", ONVIF], ["misplacedLimitContext"]),
    ],
)
def test_a_context_is_right_or_says_why_not(context: Any, expected: list[str]) -> None:
    assert codes(interface(telemetry()) | {"@context": context}) == expected


def test_the_newest_version_can_be_limited() -> None:
    assert codes(interface(telemetry(), version=3), max_version=2) == ["disallowedContextVersion"]
    assert codes(interface(telemetry(), version=2), max_version=2) == []


@pytest.mark.parametrize(
    ("version", "option", "expected"),
    [
        (2, "per-default", []),
        (3, "per-default", ["unresolvableContextSpecifier"]),
        (2, "never", ["unresolvableContextSpecifier"]),
        (4, "always", []),
    ],
)
def test_unknown_extensions_are_taken_on_trust_by_option(version: int, option: str, expected: list[str]) -> None:
    document = interface(telemetry("t", "double", "Flavor"), context=["dtmi:test:mine;1"], version=version)
    assert codes(document, undefined_extensions=option) == expected


@pytest.mark.parametrize("accepted", ["dtmi:dtdl:limits:onvif", ONVIF])
def test_limit_extensions_are_accepted_by_name(accepted: str) -> None:
    document = interface(description="x" * 4000, version=4) | {"@context": [f"{DTDL};4#limitless", ONVIF]}
    assert codes(document, limits=[accepted]) == []
    assert codes(document | {"description": "x" * 4097}, limits=[accepted]) == ["langStringValueTooLong"]


def test_a_nested_context_adds_to_the_one_around_it() -> None:
    plain = telemetry("t", "double", "Mass", unit="gram")
    assert codes(interface(plain)) == ["typeUndefinedTerm"]
    assert codes(interface(plain | {"@context": f"{QUANTITIES};1"})) == []


def test_a_nested_interface_may_be_older() -> None:
    old = interface(telemetry(), dtmi="dtmi:test:old;1", version=2)
    assert model(interface(extends=[old], version=4)).interface("dtmi:test:old;1").dtdl_version == 2
    new = interface(telemetry(), dtmi="dtmi:test:new;1", version=4)
    assert codes(interface(extends=[new], version=2)) == ["disallowedVersionDefinition"]


def test_an_extension_belongs_to_its_version_of_dtdl() -> None:
    extended = interface(telemetry("t", "double", "Mass", unit="gram"), context=[f"{QUANTITIES};2"])
    assert "invalidCotypeVersion" in codes(extended)


def test_contexts_are_remembered_without_bound_on_what_is_written() -> None:
    for number in range(1, 700):
        document = interface(telemetry(), context=[f"dtmi:test:e{number};1"], version=2)
        assert codes(document) == []
