"""Sample values: valid ones are valid, invalid ones are not, and people can tell what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from harness.dtdl.payload import NotInstantiable, check_value, decode
from harness.dtdl.sampling import invalid_samples, sample, samples
from tests.dtdl.payload.elements import PREDEFINED, PRIMITIVES, element, holder, schema
from tests.dtdl.payload.schemas import SCHEMAS

ALL = PRIMITIVES + PREDEFINED


@given(SCHEMAS)
@settings(max_examples=100, deadline=None)
def test_samples_are_valid_and_their_neighbours_are_not(written: Any) -> None:
    made = schema(written)
    for value in [sample(made), *samples(made, count=12)]:
        assert check_value(made, value) == []
        assert decode(json.dumps(value)).problems == ()
    for why, value in invalid_samples(made):
        assert check_value(made, value), why


@pytest.mark.parametrize("term", ALL)
def test_every_kind_has_samples_and_neighbours(term: Any) -> None:
    assert len(list(samples(schema(term), count=5))) == 5
    assert len(list(invalid_samples(schema(term)))) >= 3


@pytest.mark.parametrize("term", ALL)
def test_the_seed_decides(term: Any) -> None:
    first, second = ([*samples(schema(term), seed="s", count=6)] for _ in range(2))
    assert first == second
    if term != "boolean":
        assert len({json.dumps(sample(schema(term), seed=number)) for number in range(8)}) > 1


def test_values_are_plausible() -> None:
    temperature = holder("Telemetry", {"name": "temperature", "schema": "double"})
    humidity = holder("Telemetry", {"name": "h", "@type": "dtmi:standard:class:RelativeHumidity;2", "schema": "long"})
    assert all(18 <= sample(temperature, seed=seed) <= 26 for seed in range(20))
    assert all(35 <= sample(humidity, seed=seed) <= 65 for seed in range(20))
    assert all(0 <= sample(schema("double"), seed=seed) <= 100 for seed in range(20))


def test_variety_reaches_the_edges() -> None:
    assert {-(2**31), 2**31 - 1} <= set(samples(schema("integer"), count=10))
    assert "" in list(samples(schema("string"), count=10))
    assert [] in list(samples(schema({"@type": "Array", "elementSchema": "double"}), count=10))
    on_off = {
        "@type": "Enum",
        "valueSchema": "string",
        "enumValues": [{"name": "a", "enumValue": "x"}, {"name": "b", "enumValue": "y"}],
    }
    assert set(samples(schema(on_off), count=2)) == {"x", "y"}
    fields = [{"name": name, "schema": "double"} for name in "abc"]
    shapes = {tuple(value) for value in samples(schema({"@type": "Object", "fields": fields}), count=20)}
    assert {(), ("a", "b", "c")} <= shapes
    assert len(shapes) > 3


def test_a_twin_keeps_integers_exact() -> None:
    for value in samples(schema("long"), count=30, twin=True):
        assert -(2**52) <= value < 2**52


def test_reasons_are_told_apart() -> None:
    reasons = [
        why for why, _ in invalid_samples(schema({"@type": "Object", "fields": [{"name": "t", "schema": "integer"}]}))
    ]
    assert "an undeclared field" in reasons
    assert "field t: above the range" in reasons
    assert len(reasons) == len(set(reasons))


def test_what_has_no_value_says_so() -> None:
    with pytest.raises(NotInstantiable, match="kind is unknown"):
        sample(element("Tensor"))
    with pytest.raises(NotInstantiable, match="Enum without values"):
        sample(schema({"@type": "Enum", "valueSchema": "integer"}))
    endless = element("Object", "dtmi:test:endless;1")
    field = element("Field", name="again", schema=endless, types=("Required",))
    object.__setattr__(endless, "members", {"fields": (field,)})
    with pytest.raises(NotInstantiable, match="leads back to itself"):
        sample(endless)


def test_wide_and_deep_schemas_have_small_samples() -> None:
    inner = schema("double")
    for level in range(5):
        fields = tuple(element("Field", name=f"f{number}", schema=inner) for number in range(30))
        inner = element("Object", f"dtmi:test:level{level};1", fields=fields)
    assert len(json.dumps(sample(inner))) < 500_000
    assert sum(1 for _ in invalid_samples(inner)) < 1000
