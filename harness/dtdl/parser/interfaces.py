"""Rules about Interfaces as a whole: what their Components may have, how many elements they have, how much text."""

from __future__ import annotations

from collections.abc import Iterable

from harness.dtdl.metamodel.core import LIMITS
from harness.dtdl.model import Draft
from harness.dtdl.parser.inheritance import Contents, Hierarchy
from harness.dtdl.parser.reading import Reading
from harness.dtdl.parser.size import exceeds

_COUNTED = (
    "contents", "fields", "enumValues", "request", "response", "properties", "schema", "elementSchema", "mapValue",
)  # fmt: skip
"""The members whose values count as elements of an Interface."""

_LOWEST_TOTAL = min(row.hierarchy_elements for row in LIMITS.values() if row.hierarchy_elements is not None)


def check(reading: Reading, hierarchy: Hierarchy) -> None:
    """Reports what breaks a rule about whole Interfaces."""
    _check_components(reading, hierarchy)
    if len(reading.elements) * 2 >= _LOWEST_TOTAL and not reading.findings.errors:
        _check_totals(reading, hierarchy)
    _check_sizes(reading)


def _check_components(reading: Reading, hierarchy: Hierarchy) -> None:
    """The Interface of a Component has no Components itself."""
    known: dict[int, Draft | None] = {}

    def component_in(contents: Contents) -> Draft | None:
        """The first Component among the contents; what a layer has by itself is looked up once."""
        for layer in contents.layers():
            if id(layer) not in known:
                known[id(layer)] = next((each for each in layer.own.values() if each.kind == "Component"), None)
            if (found := known[id(layer)]) is not None:
                return found
        return None

    for it in reading.elements.values():
        interface = it.members.get("schema") if it.kind == "Component" else None
        found = component_in(hierarchy.contents(interface)) if isinstance(interface, Draft) else None
        if found is not None:
            facts = {"property": "'schema' or 'contents'", "type": "Component", "restriction": "Component"}
            reading.findings.add("excludedType", it, secondary=found.id, **facts)


def _check_totals(reading: Reading, hierarchy: Hierarchy) -> None:
    """DTDL v3 and v4 count the elements of an Interface with all it extends and contains."""
    totals = _Totals(hierarchy)
    for it in hierarchy.interfaces:
        limit = reading.grammars[it.id].limits.hierarchy_elements
        total = 0 if limit is None else totals.total(it)
        if limit is not None and total > limit:
            terms = " or ".join(f"'{term}'" for term in _COUNTED)
            facts = {"property": terms, "length": total, "restriction": limit}
            reading.findings.add("excessiveCountNarrow", it, **facts)


class _Totals:
    """Counts layer by layer, since no element belongs to two. The Interface of a Component has no Components itself."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._hierarchy = hierarchy
        self._counts: dict[int, int] = {}
        self._totals: dict[int, int] = {}

    def total(self, interface: Draft) -> int:
        return sum(map(self._with_components, self._hierarchy.contents(interface).layers()))

    def _with_components(self, layer: Contents) -> int:
        total = self._totals.get(id(layer))
        if total is None:
            schemas = (each.members.get("schema") for each in layer.own.values() if each.kind == "Component")
            interfaces = {schema.id: schema for schema in schemas if isinstance(schema, Draft)}
            total = self._count(layer)
            for interface in interfaces.values():
                total += sum(map(self._count, self._hierarchy.contents(interface).layers()))
            self._totals[id(layer)] = total
        return total

    def _count(self, layer: Contents) -> int:
        count = self._counts.get(id(layer))
        if count is None:
            count = self._counts[id(layer)] = len(layer.own) + _parts(layer.own.values())
        return count


def _parts(contents: Iterable[Draft]) -> int:
    """How many values the counted members below have, each element entered once, Interfaces not at all."""
    queue = list(contents)
    seen = {it.id for it in queue}
    count = 0
    for it in queue:
        for term in _COUNTED:
            value = it.members.get(term)
            for part in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(part, Draft):
                    count += 1
                    if part.id not in seen and part.kind != "Interface":
                        seen.add(part.id)
                        queue.append(part)
    return count


def _check_sizes(reading: Reading) -> None:
    others = {id(source) for _, source in reading.long}
    for it, source in reading.long:
        limit = reading.grammars[it.id].limits.interface_bytes
        if limit is not None and exceeds(source, limit, others):
            reading.findings.add("partitionTooLarge", it, restriction=limit)
