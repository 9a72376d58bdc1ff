"""What may be written under an active context: the tables of the metamodel, compiled for one combination of specifiers.

The heart is `Shape`: what an element with a certain @type may and must have. A shape is compiled when its @type is
first met and kept, so that reading an element costs one look-up for the @type and one for each member.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from harness.dtdl import dtmi
from harness.dtdl.metamodel import predefined, quantities
from harness.dtdl.metamodel.core import (
    ABSTRACT_COTYPES,
    COMPLEX_SCHEMA,
    LIMITS,
    PRIMITIVES,
    classes,
    material_classes,
    reserved_words,
)
from harness.dtdl.metamodel.extensions import (
    RESERVED_PREFIXES,
    Cotype,
    Extension,
    cotypes_by_id,
    extensions,
    standard_cotypes,
)
from harness.dtdl.metamodel.members import Holds, Member, Standard
from harness.dtdl.model import Element
from harness.dtdl.parser.literals import READ, Read

_PRIMITIVE_KINDS = frozenset(row.kind for row in PRIMITIVES)
_MOST_SHAPES = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """A member as an element of a shape has it: how it is read (None: as an element), and whether a co-type brings
    it."""

    term: str
    member: Member
    read: Read | None
    cotype: Cotype | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an @type, to be reported for every element that has it."""

    code: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Shape:
    """What an element with a certain @type is. `label` is the class as written. `rows` finds a member by term and by
    DTMI, keywords with None. `open` allows members that nobody defines. An @type with `errors` tells too little to
    read on; one with `problems` is reported, and the element is read nevertheless."""

    kind: str | None = None
    label: str | None = None
    rows: dict[str, Row | None] = field(default_factory=dict)
    required: tuple[Row, ...] = ()
    defaults: tuple[tuple[str, object], ...] = ()
    types: tuple[str, ...] = ()
    cotypes: tuple[Cotype, ...] = ()
    open: bool = False
    inferred: bool = False
    errors: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


class Grammar:
    """One combination of a DTDL version, limits and extensions, compiled.

    `words` are all terms in force, with the DTMI that each stands for; `schemas` are the predefined schemas by term and
    by DTMI, so far as they have been used; `reserved` are the beginnings of ids that no document may define.
    """

    __slots__ = (
        "_cotypes",
        "_inferred",
        "_materials",
        "_shapes",
        "incomplete",
        "limits",
        "reserved",
        "schemas",
        "version",
        "words",
    )

    def __init__(self, version: int, limits: str, affiliates: tuple[str, ...], incomplete: bool) -> None:
        known = [extensions()[specifier] for specifier in affiliates]
        self.version = version
        self.limits = LIMITS[limits]
        self.incomplete = incomplete
        self.reserved = (*RESERVED_PREFIXES, *(row.prefix for row in known if row.prefix))
        self._cotypes = _cotypes(version, known)
        self.words = _words(version, known)
        self._materials = _materials(version)
        self._shapes: dict[str | tuple[str, ...], Shape] = {}
        self._inferred: dict[str, Shape] = {}
        self.schemas: dict[str, Element] = {}
        for row in PRIMITIVES:
            if row.since <= version:
                self.standard(row.term)

    def standard(self, text: str) -> Element | None:
        """The predefined element meant by a term or a DTMI."""
        identifier = self.words.get(text, text)
        found = predefined.find(identifier)
        if found is None or max(found.dtdl_version, _version(identifier)) > self.version:
            return None
        if found.kind in _PRIMITIVE_KINDS or found.kind in COMPLEX_SCHEMA:
            self.schemas[text] = found
        return found

    def is_predefined(self, member: Member, element: Element) -> bool:
        """Whether a predefined element can be the value of a member."""
        standard = member.standard
        if standard is Standard.SCHEMA:
            return element.kind in _PRIMITIVE_KINDS or element.kind in COMPLEX_SCHEMA
        if standard is Standard.STRING:
            return element.kind == "String"
        if standard is Standard.INTEGER_OR_STRING:
            return element.kind in ("Integer", "String")
        if standard is Standard.COMMAND_TYPE:
            return element.kind == "CommandType"
        return standard is Standard.UNIT and element.kind in ("Unit", "EnumValue")

    def inferred(self, kind: str) -> Shape:
        """The shape of an element without @type where its place tells the class."""
        shape = self._inferred.get(kind)
        if shape is None:
            shape = self._inferred[kind] = self._compile((kind,))
            shape.inferred = True
        return shape

    def shape(self, types: str | tuple[str, ...]) -> Shape:
        """The shape of an element with this @type, one or several."""
        shape = self._shapes.get(types)
        if shape is None:
            shape = self._compile((types,) if isinstance(types, str) else types)
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[types] = shape
        return shape

    def _compile(self, types: tuple[str, ...]) -> Shape:
        kinds: dict[str, str] = {}
        cotypes: dict[str, Cotype] = {}
        undefined: list[str] = []
        errors: list[Problem] = []
        for text in types:
            kind = self._materials.get(text)
            cotype = self._cotypes.get(text) or cotypes_by_id().get(text)
            if kind is not None:
                kinds.setdefault(kind, text)
            elif cotype is not None:
                cotypes[cotype.id] = cotype
            elif (code := self._unknown_type(text)) is None:
                undefined.append(text)
            else:
                errors.append(Problem(code, {"value": text, "restriction": str(self.version)}))
        if len(kinds) > 1:
            errors.append(Problem("multipleMaterialTypes", {"value": " and ".join(kinds)}))
        shape = Shape(label=next(iter(undefined), None), errors=tuple(errors), open=bool(undefined))
        if len(kinds) == 1:
            shape.kind, text = next(iter(kinds.items()))
            shape.label = text if shape.kind == "Unit" else shape.kind
        if not errors:
            self._fill(shape, tuple(cotypes.values()), undefined)
        return shape

    def _unknown_type(self, text: str) -> str | None:
        """The error that an unknown type means; None where it is taken as a co-type that nobody here knows."""
        if text.startswith("dtmi:"):
            if not dtmi.USER[3].fullmatch(text):
                return "typeInvalidDtmi"
            return None if self.incomplete else "typeIrrelevantDtmiOrTerm"
        if ":" in text:
            return None if self.version == 2 else "typeNotDtmiNorTerm"
        if text in self.words:
            return None if self.incomplete else "typeIrrelevantDtmiOrTerm"
        return None if self.incomplete or self.version == 2 else "typeUndefinedTerm"

    def _fill(self, shape: Shape, cotypes: tuple[Cotype, ...], undefined: list[str]) -> None:
        shape.types = (*(cotype.id for cotype in cotypes), *undefined)
        shape.cotypes = tuple(cotype for cotype in cotypes if cotype.constrains)
        shape.rows = {"@id": None, "@type": None, "@context": None}
        required = []
        for member in classes(self.version, self.limits).get(shape.kind or "", ()):
            row = Row(member.term, member, _reader(member), None)
            shape.rows[member.term] = shape.rows[f"dtmi:dtdl:property:{member.term};{self.version}"] = row
            if member.required:
                required.append(row)
            if member.default is not None:
                shape.defaults += ((member.term, member.default),)
        problems = []
        brought: dict[str, Cotype] = {}
        for cotype in cotypes:
            problems += _cotype_problems(cotype, cotypes, shape.kind, self.version)
            for member in cotype.members:
                row = Row(member.term, member, _reader(member), cotype)
                shape.rows[member.term] = shape.rows[member.id] = row
                if member.required:
                    required.append(row)
                if member.term in brought:
                    facts = {
                        "property": member.term,
                        "type": brought[member.term].term,
                        "restriction": cotype.term,
                    }
                    problems.append(Problem("conflictingSupplementalTypes", facts))
                brought[member.term] = cotype
        shape.required = tuple(required)
        shape.problems = tuple(problems)


def _version(identifier: str) -> int:
    """The version in a predefined DTMI: a document cannot name what only newer versions of DTDL name so."""
    return int(dtmi.split(identifier)[1].lstrip(";") or 0)


def _reader(member: Member) -> Read | None:
    return None if member.holds is Holds.ELEMENT else READ[member.holds]


def _cotype_problems(cotype: Cotype, cotypes: tuple[Cotype, ...], kind: str | None, version: int) -> list[Problem]:
    beside = {other.term for other in cotypes if other is not cotype}
    problems = []
    if cotype.abstract:
        problems.append(Problem("abstractSupplementalType", {"type": cotype.term}))
    elif kind is not None and kind not in cotype.applies_to and not beside & set(cotype.applies_to):
        hosts = " or ".join(cotype.applies_to)
        problems.append(Problem("invalidCotype", {"type": cotype.term, "restriction": hosts}))
    elif version not in cotype.versions:
        allowed = " or ".join(map(str, cotype.versions))
        problems.append(Problem("invalidCotypeVersion", {"type": cotype.term, "restriction": allowed}))
    elif cotype.needs is not None and cotype.needs not in beside:
        problems.append(Problem("missingCocotype", {"type": cotype.term, "restriction": cotype.needs}))
    elif cotype.excludes in beside:
        facts = {"type": cotype.term, "restriction": str(cotype.excludes)}
        problems.append(Problem("disallowedCocotype", facts))
    return problems


def _cotypes(version: int, known: list[Extension]) -> dict[str, Cotype]:
    """Co-types in force, by term and by DTMI; what the language has itself comes before what extensions add."""
    rows: dict[str, Cotype] = {}
    abstract = (
        Cotype(term, f"dtmi:dtdl:class:{term};{version}", (version,), (), abstract=True)
        for term in ABSTRACT_COTYPES[version]
    )
    own = standard_cotypes() if version == 2 else ()
    for cotype in (*abstract, *own, *(cotype for row in known for cotype in row.cotypes)):
        rows.setdefault(cotype.term, cotype)
        rows[cotype.id] = cotype
    return rows


@cache
def _materials(version: int) -> dict[str, str]:
    """Class by term and by DTMI. In DTDL v2 each kind of unit is a class too, a special Unit."""
    names = {}
    for kind in material_classes(version) - set(ABSTRACT_COTYPES[version]):
        names[kind] = names[f"dtmi:dtdl:class:{kind};{version}"] = kind
    if version == 2:
        for kind in set(quantities.unit_kinds(quantities.STANDARD).values()):
            names[kind] = names[f"dtmi:standard:class:{kind};2"] = "Unit"
    return names


def _words(version: int, known: list[Extension]) -> dict[str, str]:
    """Every term in force, with the DTMI it stands for; what the language has itself comes before what extensions
    add."""
    words = {**reserved_words(version), **predefined.schema_ids(version)}
    if version == 2:
        words = {**_quantity_words(quantities.STANDARD), **words}
    for row in known:
        added = {cotype.term: cotype.id for cotype in row.cotypes}
        added |= {member.term: member.id for cotype in row.cotypes for member in cotype.members}
        added |= {term: f"dtmi:iotcentral:schema:{term};2" for term in row.schemas}
        if row.quantities is not None:
            added |= _quantity_words(row.quantities)
        words = {**added, **words}
    return words


@cache
def _quantity_words(extension_version: int) -> dict[str, str]:
    """The terms of semantic types and units (specification v2, "Reserved strings")."""
    standard = extension_version == quantities.STANDARD
    base = "dtmi:standard:" if standard else f"dtmi:dtdl:extension:quantitativeTypes:v{extension_version}:"
    end = ";2" if standard else ""
    prefixes = ("BinaryPrefix", "DecimalPrefix") if standard else ("SymbolicUnit", "UnitPrefix")
    types = (
        *quantities.semantic_types(extension_version),
        "BinaryUnit",
        "DecimalUnit",
        "QuantitativeType",
        "RatioUnit",
    )
    words = {term: f"{base}class:{term}{end}" for term in (*types, *prefixes)}
    members = "dtmi:dtdl:property:" if standard else f"{base}property:"
    words |= {term: f"{members}{term}{end}" for term in ("baseUnit", "bottomUnit", "prefix", "topUnit", "unit")}
    for unit, kind in quantities.unit_kinds(extension_version).items():
        words[unit] = predefined.unit_id(unit, extension_version)
        words[kind] = f"{base}{'class' if standard else 'enum'}:{kind}{end}"
    return words


@lru_cache(maxsize=100)
def grammar_of(version: int, limits: str, affiliates: tuple[str, ...], incomplete: bool) -> Grammar:
    return Grammar(version, limits, affiliates, incomplete)
