"""The first stage: JSON values become elements, each by the grammar of its context.

Elements are read from a list of tasks that grows while it is worked off, so nesting costs no recursion. What an element contains
is linked to it at once; references to other elements are kept for the next stage, since their targets may come later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from harness.dtdl import dtmi
from harness.dtdl.metamodel.core import VERSIONS
from harness.dtdl.metamodel.extensions import PARTNER_PREFIXES, RESERVED_PREFIXES
from harness.dtdl.metamodel.members import Holds, Member, Standard
from harness.dtdl.metamodel.predefined import unit_of_kind
from harness.dtdl.model import Draft, Element
from harness.dtdl.parser.context import Context, Rules, top_level
from harness.dtdl.parser.findings import Findings
from harness.dtdl.parser.grammar import Grammar, Problem, Row, Shape

_DEEPEST = 200
"""Levels of elements within elements; far beyond what the limits of any version leave room for."""

_TOP = Member("", Holds.ELEMENT, kinds=("Interface",), versions=VERSIONS, id_required=True)

_UNKNOWN = Row("", _TOP, None, None)

_Json = Mapping[str, object]


class _Task(NamedTuple):
    """An object that is to become an element: the value of a member of another element, or a top-level one."""

    source: _Json
    parent: Draft | None
    member: Member
    index: int
    pointer: str
    context: Context | None
    names: dict[str, str] | None
    document: int
    level: int


@dataclass(slots=True)
class Reference:
    """A DTMI in the place of an element. `index` is its position in a plural member."""

    it: Draft
    row: Row
    target: str
    index: int
    pointer: str


class Reading:
    """What has been read of a set of documents.

    `findings` are the errors of this stage. `when_linked` and `when_checked` collect what this stage notices but a later one
    reports: it needs a model that is sound up to there. `tolerant` lets some common slips of DTDL v2 models pass.
    """

    def __init__(self, rules: Rules) -> None:
        self.findings = Findings()
        self.when_linked = Findings()
        self.when_checked = Findings()
        self.elements: dict[str, Draft] = {}
        self.references: list[Reference] = []
        self.predefined: dict[str, Element] = {}
        self.cotyped: list[tuple[Draft, Shape]] = []
        self.grammars: dict[str, Grammar] = {}
        self.incomplete = False
        self.tolerant = False
        self._rules = rules
        self._tasks: list[_Task] = []

    def read(self, value: object, document: int) -> None:
        """Reads a document: a top-level object, or an array of them."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._top_level(item, f"/{index}", document)
        else:
            self._top_level(value, "", document)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            self._read(task, tasks)

    def _top_level(self, source: object, pointer: str, document: int) -> None:
        if not isinstance(source, dict):
            kind = "null" if source is None else type(source).__name__
            self.findings.add("notJsonObject", value=kind, pointer=pointer, document=document)
            return
        report = partial(self.findings.add, pointer=pointer, document=document)
        if "@context" not in source:
            report("missingContext")
            return
        context = top_level(source["@context"], self._rules, report)
        if context is not None:
            self._tasks.append(_Task(source, None, _TOP, 0, pointer, context, None, document, 0))

    def _read(self, task: _Task, tasks: list[_Task]) -> None:
        source, parent, member, index, pointer, context, names, document, level = task
        assert context is not None
        if parent is not None:
            if len(source) == 1 and "@id" in source:
                self._bare_id(task)
                return
            if "@context" in source:
                report = partial(self.findings.add, pointer=pointer, document=document)
                context = context.derive(source["@context"], self._rules, report)
        grammar = context.grammar
        version = grammar.version
        if version not in member.versions and member.versions:
            restriction = ", ".join(map(str, member.versions))
            self.findings.add(
                "disallowedVersionDefinition", parent, property=member.term, value=version,
                restriction=restriction, pointer=pointer,
            )  # fmt: skip
            return
        if level > _DEEPEST:
            facts = {"length": level, "restriction": grammar.limits.schema_depth}
            self.findings.add("excessiveDepthWide", parent, secondary=pointer[-60:], **facts)
            return
        name = _name_of(source, version)
        identifier = self._identify(task, name, grammar)
        if identifier is None:
            return
        shape = self._shape(task, identifier, grammar)
        if shape is None:
            return

        it = Draft()
        it.id = identifier
        it.kind = shape.kind or ""
        it.dtdl_version = version
        it.name = name if type(name) is str else None
        it.types = shape.types
        it.pointer = pointer
        it.document = document
        it.members = values = {}
        it.supplemental = {}
        if parent is None:
            it.child_of = it.defined_in = None
        else:
            it.child_of = parent.id
            it.defined_in = parent.id if parent.kind == "Interface" else parent.defined_in
        if not self._register(it, task, grammar, shape):
            return
        if parent is not None:
            _place(parent, member, index, it)
        self._members(it, values, task, shape, context, tasks)

    def _bare_id(self, task: _Task) -> None:
        """An object with nothing but @id is no reference in DTDL; many authors of v2 models take it for one."""
        source, parent, member, index, pointer, context = task[:6]
        assert parent is not None and context is not None
        identifier = source["@id"]
        row = Row(member.term, member, None, None)
        if not (self.tolerant and context.version == 2):
            self.findings.add("idReference", parent, property=member.term, value=identifier, pointer=pointer)
        elif isinstance(identifier, str) and dtmi.USER[2].fullmatch(identifier):
            self.references.append(Reference(parent, row, identifier, index, pointer))
        else:
            self.findings.add(
                "idRefBadDtmiOrTerm", parent, property=member.term, value=identifier, pointer=pointer
            )

    # ------------------------------------------------------------------ @id and @type

    def _identify(self, task: _Task, name: object, grammar: Grammar) -> str | None:
        """The DTMI that the element has or gets; None where it cannot have one."""
        source, parent, member, _, pointer, _, names, document, _ = task
        if "@id" in source:
            identifier = source["@id"]
            if not isinstance(identifier, str) or not identifier:
                self.findings.add("idNotString", pointer=pointer, document=document)
                return None
            self._check_id(identifier, pointer, document, grammar)
        elif parent is None:
            self.findings.add("missingTopLevelId", pointer=pointer, document=document)
            return None
        elif member.id_required or (member.plural and not member.named):
            self.findings.add("missingRequiredId", parent, property=member.term, pointer=pointer)
            return None
        else:
            stem, version = dtmi.split(parent.id)
            if not member.plural:
                return f"{stem}:_{member.term}{version}"
            if name is None or not isinstance(name, str | int | float):
                missing = name is None and not _has_name(source, grammar.version)
                code = "missingDtmiSegPropertyValue" if missing else "dtmiSegPropertyNotStringOrNumber"
                self.findings.add(code, parent, property=member.term, value="name", pointer=pointer)
                return None
            identifier = f"{stem}:_{member.term}:__{name}{version}"
        if names is None or name is None or parent is None:
            return identifier
        return identifier if self._is_new_name(task, str(name), identifier) else None

    def _is_new_name(self, task: _Task, name: str, identifier: str) -> bool:
        """Whether no element before it in the same member has the name."""
        assert task.names is not None
        first = task.names.setdefault(name, identifier)
        if first is identifier:
            return True
        if not (self.tolerant and first == identifier and "@id" not in task.source):
            self.findings.add(
                "nonUniquePropertyValue", task.parent, property=task.member.term, aux="name", value=name,
                pointer=task.pointer,
            )  # fmt: skip
        return False

    def _check_id(self, identifier: str, pointer: str, document: int, grammar: Grammar) -> None:
        version = grammar.version
        if not dtmi.USER[version].fullmatch(identifier):
            self.findings.add(
                "invalidId", value=identifier, restriction=version, pointer=pointer, document=document
            )
        elif identifier.startswith(grammar.reserved) and not (self.tolerant and version == 2):
            prefixes = ", ".join(grammar.reserved)
            self.findings.add(
                "reservedId", value=identifier, restriction=prefixes, pointer=pointer, document=document
            )

    def _shape(self, task: _Task, identifier: str, grammar: Grammar) -> Shape | None:
        """What the element is by its @type, or by its place; None where it cannot be there."""
        source, parent, member, _, pointer, _, _, document, _ = task
        if "@type" not in source and member.inferred is not None:
            return grammar.inferred(member.inferred)
        types = source.get("@type", ())
        if type(types) is str:
            shape = grammar.shape((types,))
        elif isinstance(types, list | tuple) and all(type(text) is str for text in types):
            shape = grammar.shape(tuple(types))
        elif types is None:
            shape = grammar.shape(())
        else:
            self.findings.add("typeNotString", element=identifier, pointer=pointer, document=document)
            return None
        if shape.errors:
            self._report(shape.errors, identifier, pointer, document)
            return None
        if shape.kind in member.kinds:
            return shape
        if parent is None:
            self.findings.add("typeNotRootable", value=identifier, pointer=pointer, document=document)
        else:
            self.findings.add(
                "badType", parent, property=member.term, secondary=identifier, value=shape.label,
                restriction=_kinds(member), pointer=pointer,
            )  # fmt: skip
        return None

    def _report(self, problems: tuple[Problem, ...], identifier: str, pointer: str, document: int) -> None:
        for problem in problems:
            self.findings.add(
                problem.code, element=identifier, pointer=pointer, document=document, **problem.facts
            )

    def _register(self, it: Draft, task: _Task, grammar: Grammar, shape: Shape) -> bool:
        """Enters the element under its id, unless that is taken."""
        limits = grammar.limits
        length = len(it.id)
        if it.kind == "Interface":
            if length > limits.interface_id:
                self.findings.add(
                    "idTooLongForType", it, value=it.id, type=it.kind, length=length, restriction=limits.interface_id
                )
            self.grammars[it.id] = grammar
        elif length > limits.any_id and "@id" in task.source:
            self.findings.add("idTooLong", it, value=it.id, length=length, restriction=limits.any_id)
        if it.id in self.elements:
            self.findings.add("duplicateDefinition", it)
            return False
        self.elements[it.id] = it
        for problem in shape.problems:
            self.findings.add(problem.code, it, **problem.facts)
        if shape.cotypes:
            self.cotyped.append((it, shape))
        self.incomplete = self.incomplete or grammar.incomplete
        return True

    # ------------------------------------------------------------------ members

    def _members(
        self,
        it: Draft,
        values: dict[str, object],
        task: _Task,
        shape: Shape,
        context: Context,
        tasks: list[_Task],
    ) -> None:
        findings = self.findings
        rows = shape.rows
        schemas = context.grammar.schemas
        supplemental: dict[str, object] = {}
        for key, value in task.source.items():
            row = rows.get(key, _UNKNOWN)
            if row is None:
                continue
            if row is _UNKNOWN:
                self._unknown(it, key, value, supplemental, task, shape, context.grammar)
                continue
            target = values if row.cotype is None else supplemental
            term = row.term
            if term in target:
                findings.add("duplicatePropertyName", it, property=term)
            elif row.read is not None:
                target[term] = row.read(findings, it, row.member, value)
            elif type(value) is str and row.member.standard is Standard.SCHEMA and value in schemas:
                found = schemas[value]
                target[term] = self.predefined[found.id] = found
            else:
                target[term] = self._elements(it, row, key, value, context, task, tasks)
        for term, default in shape.defaults:
            if values.get(term) is None:
                values[term] = default
        for row in shape.required:
            if row.term not in (values if row.cotype is None else supplemental):
                self._missing(it, row)
        it.supplemental = supplemental

    def _elements(
        self, it: Draft, row: Row, key: str, value: object, context: Context, task: _Task, tasks: list[_Task]
    ) -> object:
        """The value of a member that holds elements, so far as it is known now: a predefined element, or a list with a place
        for each element to come. What is not predefined becomes a task or a reference."""
        member = row.member
        items = value if isinstance(value, list) else [value]
        pointer = f"{it.pointer}/{key}"
        if len(items) > 1 and not member.plural:
            self.findings.add("objectMultipleValues", it, property=row.term, pointer=pointer)
            return None
        if len(items) < member.at_least or (not items and member.required and not member.plural):
            self.findings.add("objectCountBelowMin", it, property=row.term, pointer=pointer)
        if member.at_most is not None and len(items) > member.at_most:
            facts = {"length": len(items), "restriction": member.at_most}
            self.findings.add("objectCountAboveMax", it, property=row.term, pointer=pointer, **facts)
        names: dict[str, str] | None = {} if member.named else None
        found: list[object] = []
        for index, item in enumerate(items):
            place = f"{pointer}/{index}" if isinstance(value, list) else pointer
            found.append(None)
            if isinstance(item, str):
                found[index] = self._reference(it, row, item, index, place, context.grammar)
            elif not isinstance(item, dict):
                self.findings.add("refNotStringOrObject", it, property=row.term, pointer=place)
            elif member.standard is Standard.UNIT:
                self.findings.add("refObjectNotAllowed", it, property=row.term, pointer=place)
            else:
                tasks.append(
                    _Task(item, it, member, index, place, context, names, task.document, task.level + 1)
                )
        if member.plural:
            return found
        return found[0] if found else None

    def _reference(
        self, it: Draft, row: Row, text: str, index: int, pointer: str, grammar: Grammar
    ) -> Element | None:
        """The predefined element meant by a term or a DTMI; None where it is left to the next stage, or wrong."""
        member = row.member
        element = grammar.standard(text)
        if element is not None and grammar.is_predefined(member, element):
            self.predefined[element.id] = element
            if member.unit_kind is not None and not unit_of_kind(element, member.unit_kind):
                self._wrong_unit(it, row, text, grammar)
            return element
        if text in grammar.words or element is not None:
            self._misplaced(it, row, text, element, grammar, pointer)
        elif not dtmi.USER[grammar.version].fullmatch(text):
            self.findings.add(
                "badDtmiOrTerm", it, property=row.term, value=text, restriction=grammar.version, pointer=pointer
            )
        elif text.startswith((*RESERVED_PREFIXES, *PARTNER_PREFIXES)):
            self.findings.add("undefinedReservedId", it, property=row.term, secondary=text, pointer=pointer)
        else:
            self.references.append(Reference(it, row, text, index, pointer))
        return None

    def _misplaced(
        self, it: Draft, row: Row, text: str, element: Element | None, grammar: Grammar, pointer: str
    ) -> None:
        """A term that the language knows, but not for this member."""
        if row.member.standard is Standard.UNIT:
            self._wrong_unit(it, row, text, grammar)
        elif row.member.standard is Standard.INTEGER_OR_STRING and element is not None:
            self.when_checked.add(
                "incorrectPropertyValue", it, property=row.term, value=text, restriction="'integer' or 'string'",
                pointer=pointer,
            )  # fmt: skip
        else:
            self.when_linked.add(
                "badType", it, property=row.term, secondary=grammar.words.get(text, text),
                value=element.kind if element is not None else None, restriction=_kinds(row.member), pointer=pointer,
            )  # fmt: skip

    def _wrong_unit(self, it: Draft, row: Row, text: str, grammar: Grammar) -> None:
        kind = row.member.unit_kind
        secondary = grammar.words.get(text, text)
        facts = {"property": row.member.id, "secondary": secondary}
        if kind is None:
            return
        if grammar.version == 2:
            self.when_linked.add("notRequiredType", it, type=kind, **facts)
        else:
            enum = row.member.id.replace(":property:unit", f":enum:{kind}")
            self.when_linked.add("wrongParent", it, restriction=enum, **facts)

    def _unknown(
        self,
        it: Draft,
        key: str,
        value: object,
        supplemental: dict[str, object],
        task: _Task,
        shape: Shape,
        grammar: Grammar,
    ) -> None:
        """A member that the shape does not have."""
        if key.startswith("@"):
            self._keyword(it, key, task)
            return
        v2 = grammar.version == 2
        if key.startswith("dtmi:"):
            well_formed = dtmi.USER[3].fullmatch(key)
            code = "propertyIrrelevantDtmiOrTerm" if well_formed else "propertyInvalidDtmi"
        elif ":" in key:
            code = "propertyNotDtmiNorTerm"
        elif key in grammar.words:
            code = "propertyIrrelevantDtmiOrTerm"
        else:
            code = "propertyUndefinedTerm"
        if shape.open and (v2 or code in ("propertyIrrelevantDtmiOrTerm", "propertyUndefinedTerm")):
            supplemental[key] = value
            return
        if v2:
            code = "inferredTypeDoesNotAllow" if shape.inferred else "noTypeThatAllows"
        self.findings.add(
            code, it, property=key, type=it.kind, restriction=grammar.version, pointer=f"{it.pointer}/{_escape(key)}"
        )

    def _keyword(self, it: Draft, key: str, task: _Task) -> None:
        if key == "@graph":
            self.findings.add("graphDisallowed", task.parent or it, property=task.member.term, pointer=it.pointer)
        elif it.dtdl_version == 2:
            return
        elif task.parent is None:
            self.findings.add("topLevelKeywordDisallowed", value=key, pointer=it.pointer, document=it.document)
        else:
            self.findings.add(
                "keywordDisallowed", task.parent, property=task.member.term, value=key, pointer=it.pointer
            )

    def _missing(self, it: Draft, row: Row) -> None:
        kind = "Object" if row.member.holds is Holds.ELEMENT else "Literal"
        if row.cotype is None:
            self.findings.add(f"missing{kind}Property", it, property=row.term)
        elif it.dtdl_version in row.cotype.versions:
            self.findings.add(
                f"missingSupplemental{kind}Property", it, property=row.term, type=row.cotype.term
            )


def _place(parent: Draft, member: Member, index: int, it: Draft) -> None:
    """Puts an element where it belongs in its parent."""
    values = parent.members
    assert isinstance(values, dict)
    if member.plural:
        values[member.term][index] = it
    else:
        values[member.term] = it


def _name_of(source: _Json, version: int) -> object:
    """The name as it is written, whatever the form: it is needed for the id before the members are read."""
    name = source.get("name")
    if type(name) is str:
        return name
    if name is None:
        name = source.get(f"dtmi:dtdl:property:name;{version}")
    if isinstance(name, list) and len(name) == 1:
        name = name[0]
    return name.get("@value") if isinstance(name, dict) else name


def _has_name(source: _Json, version: int) -> bool:
    return "name" in source or f"dtmi:dtdl:property:name;{version}" in source


def _kinds(member: Member) -> str:
    kinds = " or ".join(member.kinds)
    standard = "" if member.standard is Standard.NONE else member.standard.value
    return " or ".join(part for part in (kinds, standard) if part)


def _escape(key: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
