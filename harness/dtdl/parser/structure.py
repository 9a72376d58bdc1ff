"""The last stage: rules about how elements lie within each other, over the linked model (specification, "Limits and
exclusions").

Walks keep their own stack and remember what they have seen, so that circles end and time stays proportional to the
model.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.dtdl.metamodel.core import LIMITS, Limits
from harness.dtdl.model import Draft
from harness.dtdl.parser.literals import is_int32
from harness.dtdl.parser.reading import Reading


def check(reading: Reading) -> None:
    """Reports what breaks a rule of structure."""
    schemas = SchemaWalk(reading)
    for it in reading.elements.values():
        if it.kind in _NESTING:
            schemas.visit(it)
        elif it.kind == "Enum":
            _check_enum(reading, it)
    schemas.report_depths()
    for it in reading.elements.values():
        if it.kind == "Property" and it.dtdl_version == 2:
            _check_no_array(reading, schemas, it)


# ---------------------------------------------------------------------- schemas

_NESTING = frozenset({"Array", "Map", "Object"})

_Hop = tuple[Draft, Draft]
"""The element that has a `schema` or `elementSchema`, and the schema that it names."""


def _hops(it: Draft) -> list[_Hop]:
    """One level down from an Array, a Map or an Object."""
    holders: Iterable[object]
    if it.kind == "Array":
        holders, term = (it,), "elementSchema"
    elif it.kind == "Map":
        holders, term = (it.members.get("mapKey"), it.members.get("mapValue")), "schema"
    elif it.kind == "Object":
        fields = it.members.get("fields")
        holders, term = fields if isinstance(fields, list | tuple) else (), "schema"
    else:
        return []
    hops = []
    for holder in holders:
        schema = holder.members.get(term) if isinstance(holder, Draft) else None
        if isinstance(holder, Draft) and isinstance(schema, Draft):
            hops.append((holder, schema))
    return hops


class SchemaWalk:
    """How many levels each schema nests, and the first Array in it. A schema that contains itself is reported, except
    in DTDL v4, which allows it and does not count the circle."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._heights: dict[str, int] = {}
        self._arrays: dict[str, Draft | None] = {}
        self._open: dict[str, _Hop] = {}

    def visit(self, root: Draft) -> None:
        """Computes what is not known yet of the root and all it contains, deepest first."""
        if root.id in self._heights:
            return
        stack = [(root, iter(hops := _hops(root)), hops)]
        while stack:
            it, left, hops = stack[-1]
            for hop in left:
                self._open[it.id] = hop
                target = hop[1]
                if target.kind not in _NESTING or target.id in self._heights:
                    continue
                if target.id in self._open:
                    self._report_circle(target)
                    continue
                below = _hops(target)
                stack.append((target, iter(below), below))
                break
            else:
                stack.pop()
                self._open.pop(it.id, None)
                self._settle(it, hops)

    def _settle(self, it: Draft, hops: list[_Hop]) -> None:
        self._heights[it.id] = max((1 + self.height(schema) for _, schema in hops), default=0)
        arrays = (self._arrays.get(schema.id) for _, schema in hops)
        self._arrays[it.id] = it if it.kind == "Array" else next(filter(None, arrays), None)

    def height(self, it: Draft) -> int:
        return self._heights.get(it.id, 0)

    def array_in(self, it: Draft) -> Draft | None:
        if it.kind in _NESTING:
            self.visit(it)
        return self._arrays.get(it.id)

    def _report_circle(self, it: Draft) -> None:
        if it.dtdl_version < 4:
            culprit = self._open[it.id][0] if it.kind == "Object" else it
            self._reading.findings.add("recursiveStructureWide", culprit, restriction=it.dtdl_version)

    def report_depths(self) -> None:
        """Reports each schema that nests too deeply, but not those around it for the same reason."""
        for dtmi, height in self._heights.items():
            it = self._reading.elements.get(dtmi)
            if it is None or height <= (limit := limits_of(self._reading, it).schema_depth):
                continue
            if not any(self._too_deep(schema) for _, schema in _hops(it)):
                self._reading.findings.add(
                    "excessiveDepthWide",
                    it,
                    secondary=self._at_level(it, limit + 1).id,
                    length=height,
                    restriction=limit,
                )

    def _too_deep(self, schema: Draft) -> bool:
        it = self._reading.elements.get(schema.id)
        return it is not None and self.height(it) > limits_of(self._reading, it).schema_depth

    def _at_level(self, it: Draft, level: int) -> Draft:
        """The first element with a `schema` or `elementSchema` that many levels down."""
        holder = it
        for left in range(level, 0, -1):
            holder, it = next(hop for hop in _hops(it) if 1 + self.height(hop[1]) >= left)
        return holder


def limits_of(reading: Reading, it: Draft) -> Limits:
    """The limits in force for an element: those of its Interface, if it is written in the same DTDL version."""
    grammar = reading.grammars.get(it.defined_in or it.id)
    if grammar is not None and grammar.version == it.dtdl_version:
        return grammar.limits
    return LIMITS[f"dtmi:dtdl:context;{it.dtdl_version}"]


def _check_no_array(reading: Reading, schemas: SchemaWalk, it: Draft) -> None:
    """In DTDL v2 a Property has no Array anywhere below it."""
    schema = it.members.get("schema")
    array = schemas.array_in(schema) if isinstance(schema, Draft) else None
    if array is not None:
        reading.findings.add(
            "excludedType", it, secondary=array.id, property="'schema'", type="Property", restriction="Array"
        )


def _check_enum(reading: Reading, it: Draft) -> None:
    """The values of an Enum are of the type that its `valueSchema` names, and differ."""
    schema = it.members.get("valueSchema")
    values = it.members.get("enumValues")
    if not isinstance(schema, Draft) or not isinstance(values, list):
        return
    seen = set()
    for value in values:
        raw = value.members.get("enumValue")
        if schema.kind == "Integer" and is_int32(raw):
            raw = value.members["enumValue"] = int(raw)
        elif schema.kind == "Integer" or not isinstance(raw, str):
            reading.findings.add(
                "nonConformantDatatype", value, secondary=it.id, property="enumValue", value=raw,
                type=schema.kind.lower(), restriction="valueSchema",
            )  # fmt: skip
            continue
        if raw in seen:
            reading.findings.add(
                "nonUniquePropertyValue", it, property="enumValues", aux="enumValue", value=raw, pointer=value.pointer
            )
        seen.add(raw)
