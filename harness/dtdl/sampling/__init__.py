"""Values made from schemas: valid ones for simulators, commands and writable properties, and labelled invalid ones.

All three take a schema, or a Telemetry, Property, payload or field whose schema is meant; with the latter, names and
semantic types make the values plausible (a `temperature` is about 21). The same seed gives the same values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from ..payload.accept import predicate
from ..payload.schema import json_schema
from .neighbours import Neighbours
from .valid import Maker, hint_of

if TYPE_CHECKING:
    from ..model import Element

__all__ = ["invalid_samples", "sample", "samples"]


def sample(schema: Element, *, seed: int | str = 0, twin: bool = False) -> Any:
    """A valid, plausible value. With `twin`, integers stay within the ±2^52 that a device twin keeps exactly.

    Raises NotInstantiable where the schema is of a kind that is none of DTDL v2 to v4, or has no finite value.
    """
    return _maker(schema, seed, twin).plausible()


def samples(schema: Element, *, seed: int | str = 0, count: int = 20, twin: bool = False) -> Iterator[Any]:
    """`count` valid values: first `sample`'s, then the edges (of ranges and formats; every enum value; empty arrays
    and maps; optional fields absent), then mixtures. Values repeat only where the schema has no others."""
    maker = _maker(schema, seed, twin)
    seen: set[str] = set()
    for value in islice(_distinct(maker, seen), count):
        seen.add(json.dumps(value))
        yield value


def invalid_samples(schema: Element) -> Iterator[tuple[str, Any]]:
    """Values just outside the schema, each with why it is invalid. Nothing where any value is valid."""
    declared = json_schema(schema)
    accepts = predicate(declared)
    base = sample(schema) if declared else None
    for why, value in Neighbours(declared).around(declared, base):
        if not accepts(value):
            yield why, value


def _maker(schema: Element, seed: int | str, twin: bool) -> Maker:
    return Maker(json_schema(schema), Random(f"{seed}:{schema.id}"), hint_of(schema), twin, schema.id)


def _distinct(maker: Maker, seen: set[str]) -> Iterator[Any]:
    yield maker.plausible()
    for edge in maker.edges():
        if json.dumps(edge) not in seen:
            yield edge
    while True:
        tries = (maker.varied() for _ in range(8))
        value = maker.varied()
        yield next((each for each in tries if json.dumps(each) not in seen), value)
