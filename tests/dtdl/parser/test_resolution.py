"""References to models that are not among the documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.dtdl import ModelError, ResolutionError, parse
from tests.dtdl.parser.models import Json, codes, component, interface, model, telemetry

BASE = interface(telemetry("b"), component("c", "dtmi:test:part;1"), dtmi="dtmi:test:base;1")
PART = interface(telemetry("p"), dtmi="dtmi:test:part;1")
TOP = interface(extends="dtmi:test:base;1")


def resolver(*documents: Json) -> tuple[Callable[[list[str]], list[Any]], list[list[str]]]:
    asked: list[list[str]] = []

    def resolve(ids: list[str]) -> list[Any]:
        asked.append(ids)
        return [document for document in documents if document["@id"] in ids]

    return resolve, asked


def test_missing_models_are_named() -> None:
    documents = [interface(component("a", "dtmi:test:x;1"), component("b", "dtmi:test:y;1"), extends="dtmi:test:x;1")]
    with pytest.raises(ResolutionError, match="dtmi:test:x;1, dtmi:test:y;1") as caught:
        parse(documents)
    assert caught.value.unresolved == ("dtmi:test:x;1", "dtmi:test:y;1")


def test_missing_models_are_resolved_in_rounds() -> None:
    resolve, asked = resolver(BASE, PART)
    found = parse([TOP], resolve=resolve)
    assert asked == [["dtmi:test:base;1"], ["dtmi:test:part;1"]]
    assert set(found.interfaces) == {"dtmi:test:it;1", "dtmi:test:base;1", "dtmi:test:part;1"}
    assert found.interface("dtmi:test:part;1").document == 2


@pytest.mark.parametrize("answer", [None, [], [PART]])
def test_what_the_resolver_does_not_have_is_unresolved(answer: Any) -> None:
    with pytest.raises(ResolutionError, match="the resolver was asked") as caught:
        parse([TOP], resolve=lambda _: answer)
    assert caught.value.unresolved == ("dtmi:test:base;1",)


def test_a_resolver_may_answer_with_text() -> None:
    found = parse(json.dumps(interface(extends="dtmi:test:part;1")), resolve=lambda _: json.dumps(PART))
    assert list(found.contents("dtmi:test:it;1")) == ["p"]


def test_errors_in_resolved_models_are_errors() -> None:
    with pytest.raises(ModelError) as caught:
        parse([interface(extends="dtmi:test:part;1")], resolve=lambda _: ["{"])
    assert [(error.code, error.document) for error in caught.value.errors] == [("invalidJson", 1)]


def test_nothing_is_resolved_for_what_is_broken_already() -> None:
    resolve, asked = resolver(BASE, PART)
    assert codes(TOP | {"comment": 1}, resolve=resolve) == ["stringNotString"]
    assert asked == []


SOLECISM = interface(extends=[{"@id": "dtmi:test:part;1"}], version=2)
OLD_PART = interface(telemetry("p"), telemetry("p"), dtmi="dtmi:test:part;1", version=2)


def test_slips_of_v2_models_can_be_let_pass() -> None:
    assert codes(SOLECISM, interface(dtmi="dtmi:test:part;1", version=2)) == ["idReference"]
    parse_quirk, resolve_quirk = "tolerate-solecisms-in-parse", "tolerate-solecisms-in-resolve"
    assert codes(SOLECISM, OLD_PART, quirks=[parse_quirk]) == []
    assert codes(SOLECISM, resolve=lambda _: [OLD_PART], quirks=[parse_quirk]) == ["nonUniquePropertyValue"]
    found = model(SOLECISM, resolve=lambda _: [OLD_PART], quirks=[parse_quirk, resolve_quirk])
    assert list(found.contents("dtmi:test:it;1")) == ["p"]
