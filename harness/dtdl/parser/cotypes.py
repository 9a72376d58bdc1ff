"""What co-types demand of the elements that carry them, of those around them and beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.dtdl.metamodel import predefined
from harness.dtdl.metamodel.core import NUMERIC_KINDS, PRIMITIVES
from harness.dtdl.metamodel.extensions import Cotype, cotypes_by_id
from harness.dtdl.model import Draft
from harness.dtdl.parser.inheritance import Hierarchy
from harness.dtdl.parser.reading import Reading

_INTEGRAL = NUMERIC_KINDS - {"Decimal", "Double", "Float"}

_MEMBER_OF = {"EnumValue": "enumValues", "Field": "fields"}
"""The plural member that elements of a class stand in; contents and the properties of Relationships apart."""


def check(reading: Reading, hierarchy: Hierarchy) -> None:
    """Reports what breaks a demand of a co-type."""
    if not reading.cotyped:
        return
    checks = _Checks(reading)
    for it, shape in reading.cotyped:
        for cotype in shape.cotypes:
            checks.check(it, cotype)
    annotations: dict[str, list[Draft]] = {}
    for it, shape in reading.cotyped:
        if any(cotype.annotates for cotype in shape.cotypes):
            annotations.setdefault(it.child_of or "", []).append(it)
    if annotations:
        _check_annotations(reading, hierarchy, checks, annotations)


def _check_annotations(
    reading: Reading, hierarchy: Hierarchy, checks: _Checks, annotations: Mapping[str, list[Draft]]
) -> None:
    """An annotation names another among the contents of an Interface, or the properties of a Relationship."""
    for dtmi, annotating in annotations.items():
        properties = reading.elements[dtmi].members.get("properties")
        if isinstance(properties, list):
            named = {part.name or "": part for part in properties}
            checks.check_relations(named.get, reading.elements[dtmi], annotating)
    for interface in hierarchy.interfaces:
        contents = hierarchy.contents(interface)
        inherited = (it for layer in contents.layers() for it in annotations.get(layer.interface.id, ()))
        checks.check_relations(contents.get, interface, inherited)


class _Checks:
    """One method for each kind of demand that `Cotype` can state."""

    def __init__(self, reading: Reading) -> None:
        self._findings = reading.findings
        self._elements = reading.elements
        self._grammars = reading.grammars
        self._singles: dict[tuple[str, str], Draft] = {}
        self._uniques: dict[tuple[str, str, object], Draft] = {}

    def check(self, it: Draft, cotype: Cotype) -> None:
        parent = self._elements.get(it.child_of or "")
        if cotype.schema or cotype.schema_terms:
            self._schema(it, cotype)
        if cotype.numbers:
            self._numbers(it, cotype)
        if cotype.overrides:
            self._resolve_term(it)
        if cotype.children is not None:
            self._children(it, cotype, *cotype.children)
        if parent is None:
            return
        if cotype.parents and not _terms(parent) & set(cotype.parents):
            allowed = " or ".join(cotype.parents)
            facts = {"type": cotype.term, "restriction": allowed, "property": _member_of(it, parent)}
            self._findings.add("parentMissingCotype", it, **facts)
        if cotype.single:
            self._single(it, cotype, parent)
        if cotype.sibling is not None:
            self._sibling(it, cotype, cotype.sibling, parent)
        if cotype.unique is not None:
            self._unique(it, cotype.unique, parent)

    def _schema(self, it: Draft, cotype: Cotype) -> None:
        schema = it.members.get("schema")
        if not isinstance(schema, Draft):
            return
        if cotype.schema_terms and schema.id not in _standard_ids(cotype.schema_terms):
            allowed = " or ".join(cotype.schema_terms)
            self._findings.add("notRequiredValue", it, property="schema", secondary=schema.id, restriction=allowed)
        elif cotype.schema and not _is_a(schema, cotype.schema):
            allowed = " or ".join(cotype.schema)
            self._findings.add("notRequiredType", it, property="schema", secondary=schema.id, type=allowed)

    def _resolve_term(self, it: Draft) -> None:
        """What is overridden may be written as a term; the model holds the DTMI that it stands for."""
        values, grammar = it.supplemental, self._grammars.get(it.defined_in or "")
        if grammar is not None and isinstance(values, dict) and "overrides" in values:
            values["overrides"] = grammar.words.get(values["overrides"], values["overrides"])

    def _numbers(self, it: Draft, cotype: Cotype) -> None:
        schema = it.members.get("schema")
        for term in cotype.numbers:
            value = it.supplemental.get(term)
            integral = isinstance(schema, Draft) and schema.kind in _INTEGRAL
            if integral and isinstance(value, float) and not value.is_integer():
                facts = {"property": term, "value": value, "restriction": getattr(schema, "kind", None)}
                self._findings.add("nonConformantPropertyValue", it, **facts)

    def _children(self, it: Draft, cotype: Cotype, term: str, allowed: tuple[str, ...]) -> None:
        children = it.members.get(term)
        for child in children if isinstance(children, list) else ():
            if not _terms(child) & set(allowed):
                types = " or ".join(allowed)
                self._findings.add("notRequiredType", it, property=term, secondary=child.id, type=types)

    def _single(self, it: Draft, cotype: Cotype, parent: Draft) -> None:
        first = self._singles.setdefault((parent.id, cotype.id), it)
        if first is not it:
            one, other = sorted((first, it), key=lambda each: each.id)
            facts = {"type": cotype.term, "property": _member_of(it, parent)}
            self._findings.add("siblingDuplicatesCotype", one, secondary=other.id, **facts)

    def _sibling(self, it: Draft, cotype: Cotype, needed: str, parent: Draft) -> None:
        term = _member_of(it, parent)
        siblings = parent.members.get(term)
        if not any(needed in _terms(each) for each in (siblings if isinstance(siblings, list) else ())):
            facts = {"type": cotype.term, "restriction": needed, "property": term}
            self._findings.add("siblingMissingCotype", it, **facts)

    def _unique(self, it: Draft, term: str, parent: Draft) -> None:
        value = it.supplemental.get(term)
        member = _member_of(it, parent)
        first = self._uniques.setdefault((parent.id, member, value), it)
        if value is not None and first is not it:
            self._findings.add(
                "nonUniquePropertyValue", parent, property=member, aux=term, value=value, pointer=it.pointer
            )

    # ------------------------------------------------------------------ annotation and overriding

    def check_relations(self, find: Callable[[str], Draft | None], owner: Draft, annotations: Iterable[Draft]) -> None:
        """`find` finds what an annotation can name, by its name."""
        overridden: dict[tuple[str, str], Draft] = {}
        for it in annotations:
            name = it.supplemental.get("annotates")
            target = find(name) if isinstance(name, str) else None
            if target is None:
                continue
            self._annotates(it, target)
            overrides = it.supplemental.get("overrides")
            if isinstance(overrides, str):
                self._overrides(it, target, overrides)
                if overridden.setdefault((target.id, overrides), it) is not it:
                    self._overridden_twice(it, target, overrides, owner)

    def _annotates(self, it: Draft, target: Draft) -> None:
        facts = {"property": "annotates", "aux": "name", "value": target.name, "secondary": target.id}
        if target.kind not in ("Property", "Telemetry"):
            self._findings.add("notSiblingRequiredType", it, type="Property or Telemetry", **facts)
        elif "ValueAnnotation" in _terms(target):
            self._findings.add("disallowedType", it, type="ValueAnnotation", **facts)

    def _overrides(self, it: Draft, target: Draft, text: str) -> None:
        facts = {"property": "annotates", "aux": "name", "value": target.name, "secondary": target.id}
        term = _term_of(text)
        if term in target.supplemental:
            self._matches(it, target.supplemental[term])
        elif term in target.members:
            self._findings.add("matchingPropertyNotSupplemental", it, type=target.kind, restriction=term, **facts)
        else:
            self._findings.add("noMatchingSupplementalProperty", it, type=target.kind, restriction=term, **facts)

    def _matches(self, it: Draft, overridden: object) -> None:
        """What overrides a unit takes as its schema the kind of unit."""
        schema = it.members.get("schema")
        if not isinstance(overridden, Draft) or not isinstance(schema, Draft):
            return
        values = schema.members.get("enumValues")
        if overridden not in (values if isinstance(values, list | tuple) else ()):
            term = _term_of(schema.id)
            facts = {"property": "schema", "value": term, "restriction": f"a kind of unit that has {overridden.name}"}
            self._findings.add("siblingPropertyMismatch", it, **facts)

    def _overridden_twice(self, it: Draft, target: Draft, overrides: str, owner: Draft) -> None:
        override = next(row for row in _cotypes(it) if row.overrides)
        self._findings.add(
            "multipleReference", owner, secondary=override.members[0].id, property="contents",
            aux="'annotates' and 'overrides'", value=f"'{target.name}' and '{_term_of(overrides)}'", pointer=it.pointer,
        )  # fmt: skip


def _member_of(it: Draft, parent: Draft) -> str:
    contents = "properties" if parent.kind == "Relationship" else "contents"
    return _MEMBER_OF.get(it.kind, contents)


def _cotypes(it: Draft) -> list[Cotype]:
    known = cotypes_by_id()
    return [known[text] for text in it.types if text in known]


def _terms(it: Draft) -> set[str]:
    """The terms of an element's co-types."""
    return {cotype.term for cotype in _cotypes(it)}


def _is_a(schema: Draft, allowed: tuple[str, ...]) -> bool:
    """Whether a schema is of an allowed class or family, or carries an allowed co-type."""
    numeric = "NumericSchema" in allowed and schema.kind in NUMERIC_KINDS
    return numeric or schema.kind in allowed or bool(_terms(schema) & set(allowed))


def _standard_ids(terms: tuple[str, ...]) -> set[str]:
    """The DTMIs of standard schemas as DTDL v2 names them."""
    ids = predefined.schema_ids(2)
    primitives = {row.term for row in PRIMITIVES}
    return {ids[term] if term in ids or term in primitives else f"dtmi:iotcentral:schema:{term};2" for term in terms}


def _term_of(text: str) -> str:
    """The term that a DTMI ends in; a term stays as it is."""
    return text.partition(";")[0].rpartition(":")[2]
