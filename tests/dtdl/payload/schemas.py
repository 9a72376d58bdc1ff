"""Hypothesis strategies: schemas as DTDL writes them, and JSON values near and far from them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.dtdl.payload.elements import PREDEFINED, PRIMITIVES

NAMES = st.sampled_from(["a", "b", "temperature", "key1", "lat", "B"])


def _enum(value_schema: str, values: list[Any]) -> dict[str, Any]:
    named = [{"name": f"n{number}", "enumValue": value} for number, value in enumerate(values)]
    return {"@type": "Enum", "valueSchema": value_schema, "enumValues": named}


ENUMS = st.one_of(
    st.lists(st.integers(-2, 3), min_size=1, max_size=4, unique=True).map(lambda each: _enum("integer", each)),
    st.lists(st.sampled_from(["on", "off", "", "1"]), min_size=1, unique=True).map(lambda each: _enum("string", each)),
)


def _complex(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.lists(
        st.fixed_dictionaries({"name": NAMES, "schema": inner}, optional={"@type": st.just("Required")}),
        max_size=4,
        unique_by=lambda field: field["name"],
    )
    return st.one_of(
        inner.map(lambda schema: {"@type": "Array", "elementSchema": schema}),
        inner.map(
            lambda schema: {
                "@type": "Map",
                "mapKey": {"name": "k", "schema": "string"},
                "mapValue": {"name": "v", "schema": schema},
            }
        ),
        fields.map(lambda listed: {"@type": "Object", "fields": listed}),
    )


SCHEMAS = st.recursive(st.one_of(st.sampled_from(PRIMITIVES + PREDEFINED), ENUMS), _complex, max_leaves=5)

_TEXTS = st.sampled_from(
    [
        "",
        "on",
        "1",
        "2020-02-29",
        "2021-02-29",
        "2020-02-29T00:00:00Z",
        "00:00:00Z",
        "PT1S",
        "P1W",
        "AA==",
        "AA=",
        "1.5",
    ]
)
_EDGES = st.sampled_from([0, -1, 127, 128, 255, 256, 2**31, 2**63, 2**64, 1.0, 1.5, 3.4028235e38, 3.5e38, 1e308])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _EDGES, st.integers(), st.floats(), _TEXTS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)
