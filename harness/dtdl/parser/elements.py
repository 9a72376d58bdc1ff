"""The first stage: JSON values become elements, each by the grammar of its context.

Elements are read from a list of tasks that grows while it is worked off, so nesting costs no recursion. What an
element contains is linked to it at once; references to other elements are kept for the next stage, since their targets
may come later.
"""

from __future__ import annotations

from functools import partial

from harness.dtdl import dtmi
from harness.dtdl.metamodel.core import VERSIONS
from harness.dtdl.metamodel.members import Holds, Member
from harness.dtdl.model import Draft
from harness.dtdl.parser.context import Context, top_level
from harness.dtdl.parser.grammar import Grammar, Shape
from harness.dtdl.parser.literals import unwrapped_string
from harness.dtdl.parser.members import kinds_in_words, read_members
from harness.dtdl.parser.reading import Json, Reading, Reference, Task, put

_DEEPEST = 200
"""Levels of elements within elements; far beyond what the limits of any version leave room for."""

_TOP = Member("", Holds.ELEMENT, kinds=("Interface",), versions=VERSIONS, id_required=True)
"""The place of a top-level element."""


def read(reading: Reading, value: object, document: int) -> None:
    """Reads a document: a top-level object, or an array of them."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _top_level(reading, item, f"/{index}", document)
    else:
        _top_level(reading, value, "", document)
    tasks = reading.tasks
    for task in tasks:
        _read(reading, task)
    tasks.clear()


def _top_level(reading: Reading, source: object, pointer: str, document: int) -> None:
    report = partial(reading.findings.add, pointer=pointer, document=document)
    if not isinstance(source, dict):
        report("notJsonObject", value=_JSON_TYPES.get(type(source), "a number"))
    elif "@context" not in source:
        report("missingContext")
    else:
        context = top_level(source["@context"], reading.rules, report)
        if context is not None:
            reading.tasks.append(Task(source, None, _TOP, 0, pointer, context, None, document, 0))


_JSON_TYPES = {bool: "a boolean", dict: "an object", list: "an array", str: "a string", type(None): "null"}


def _read(reading: Reading, task: Task) -> None:
    source, parent, member, slot, pointer, context, _, document, level = task
    if parent is not None and (len(source) == 1 or level > _DEEPEST) and not _may_stand_here(reading, task, parent):
        return
    if parent is not None and "@context" in source:
        report = partial(reading.findings.add, pointer=pointer, document=document)
        context = context.derive(source["@context"], reading.rules, report)
        if context.version not in member.versions:
            versions = ", ".join(map(str, member.versions))
            facts = {"property": member.term, "value": context.version, "restriction": versions}
            reading.findings.add("disallowedVersionDefinition", parent, pointer=pointer, **facts)
            return
    name = source.get("name")
    if type(name) is not str:
        name = _unusual_name(source)
    identifier = _identify(reading, task, name, context.grammar)
    if identifier is None:
        return
    shape = _shape(reading, task, identifier, context.grammar)
    if shape is None:
        return

    it = Draft()
    it.id = identifier
    it.kind = shape.kind or ""
    it.dtdl_version = context.version
    it.name = name if type(name) is str else None
    it.types = shape.types
    it.pointer = pointer
    it.document = document
    it.members = {}
    it.supplemental = {}
    if parent is None:
        it.child_of = it.defined_in = None
    else:
        it.child_of = parent.id
        it.defined_in = parent.id if parent.kind == "Interface" else parent.defined_in
    if _enter(reading, it, task, context, shape):
        if parent is not None:
            put(parent, member, slot, it)
        read_members(reading, it, task, shape, context)


def _may_stand_here(reading: Reading, task: Task, parent: Draft) -> bool:
    if len(task.source) == 1 and "@id" in task.source:
        _read_bare_id(reading, task, parent)
        return False
    if task.level > _DEEPEST:
        facts = {"length": task.level, "restriction": task.context.grammar.limits.schema_depth}
        reading.findings.add("excessiveDepthWide", parent, secondary=task.pointer[-60:], **facts)
        return False
    return True


def _read_bare_id(reading: Reading, task: Task, parent: Draft) -> None:
    """An object with nothing but @id is no reference in DTDL; many authors of v2 models take it for one."""
    identifier, member, pointer = task.source["@id"], task.member, task.pointer
    facts = {"property": member.term, "value": identifier}
    if not (reading.tolerant and task.context.version == 2):
        reading.findings.add("idReference", parent, pointer=pointer, **facts)
    elif isinstance(identifier, str) and dtmi.USER[2].fullmatch(identifier):
        reading.references.append(Reference(parent, member, identifier, task.slot, pointer))
    else:
        reading.findings.add("idRefBadDtmiOrTerm", parent, pointer=pointer, **facts)


# ---------------------------------------------------------------------- @id and name


def _identify(reading: Reading, task: Task, name: object, grammar: Grammar) -> str | None:
    """The DTMI that the element has or gets; None where it cannot have one."""
    parent = task.parent
    if "@id" in task.source:
        identifier = _given_id(reading, task, grammar)
    elif parent is None:
        reading.findings.add("missingTopLevelId", pointer=task.pointer, document=task.document)
        return None
    else:
        identifier = _assigned_id(reading, task, parent, name)
    if identifier is None or name is None or task.names is None or parent is None:
        return identifier
    return identifier if _is_new_name(reading, task, parent, str(name), identifier) else None


def _assigned_id(reading: Reading, task: Task, parent: Draft, name: object) -> str | None:
    """The path to the element, where it stands in a member that tells its elements apart."""
    member = task.member
    stem, version = dtmi.split(parent.id)
    if not member.plural and not member.id_required:
        return f"{stem}:_{member.term}{version}"
    if isinstance(name, (str, int, float)) and member.named and not member.id_required:
        return f"{stem}:_{member.term}:__{name}{version}"
    report = partial(reading.findings.add, it=parent, property=member.term, pointer=task.pointer)
    if not member.named or member.id_required:
        report("missingRequiredId")
    elif any(key in task.source for key in _NAME_KEYS):
        report("dtmiSegPropertyNotStringOrNumber", value="name")
    else:
        report("missingDtmiSegPropertyValue", value="name")
    return None


def _given_id(reading: Reading, task: Task, grammar: Grammar) -> str | None:
    """The @id as it is written; one that breaks a rule is reported and used nevertheless.

    Not so an @id with a fragment: it marks a part of an Interface that is written elsewhere, so reading on would only
    find fault with what is left out.
    """
    identifier, version = task.source["@id"], grammar.version
    report = partial(reading.findings.add, value=identifier, pointer=task.pointer, document=task.document)
    if not isinstance(identifier, str) or not identifier:
        report("idNotString")
        return None
    if not dtmi.USER[version].fullmatch(identifier):
        report("invalidId", restriction=version)
        return None if "#" in identifier else identifier
    if identifier.startswith(grammar.reserved) and not (reading.tolerant and version == 2):
        report("reservedId", restriction=", ".join(f"'{prefix}'" for prefix in grammar.reserved))
    return identifier


def _is_new_name(reading: Reading, task: Task, parent: Draft, name: str, identifier: str) -> bool:
    """Whether no element before it in the same member has the name."""
    assert task.names is not None
    first = task.names.setdefault(name, identifier)
    if first is identifier:
        return True
    if reading.tolerant and task.context.version == 2 and first == identifier and "@id" not in task.source:
        reading.repeated.append((parent, task.member))
    else:
        facts = {"property": task.member.term, "aux": "name", "value": name}
        reading.findings.add("nonUniquePropertyValue", parent, pointer=task.pointer, **facts)
    return False


def _unusual_name(source: Json) -> object:
    """The name where it is no plain string: it is needed for the id before the members are read."""
    for key in _NAME_KEYS:
        if key in source:
            return unwrapped_string(source[key])
    return None


_NAME_KEYS = ("name", *(f"dtmi:dtdl:property:name;{version}" for version in VERSIONS))


# ---------------------------------------------------------------------- @type and registration


def _shape(reading: Reading, task: Task, identifier: str, grammar: Grammar) -> Shape | None:
    """What the element is by its @type, or by its place; None where it cannot be there."""
    source, member = task.source, task.member
    types = source.get("@type")
    if types is None and member.inferred is not None and "@type" not in source:
        return grammar.inferred(member.inferred)
    shape = grammar.shape(types) if type(types) is str else _shape_of_many(grammar, types)
    if shape is not None and shape.kind in member.kinds and not shape.errors:
        return shape
    _refuse(reading, task, identifier, shape)
    return None


def _shape_of_many(grammar: Grammar, types: object) -> Shape | None:
    if types is None:
        return grammar.shape(())
    if isinstance(types, list) and all(isinstance(text, str) for text in types):
        return grammar.shape(tuple(types))
    return None


def _refuse(reading: Reading, task: Task, identifier: str, shape: Shape | None) -> None:
    """Reports why an element cannot be where it is."""
    parent, member = task.parent, task.member
    report = partial(reading.findings.add, pointer=task.pointer, document=task.document)
    if shape is None:
        report("typeNotString", element=identifier)
    elif shape.errors:
        for problem in shape.errors:
            report(problem.code, element=identifier, **problem.facts)
    elif parent is None:
        report("typeNotRootable", value=identifier, type="'Interface'")
    else:
        found = "an element without a class" if shape.label is None else f"a {shape.label}"
        facts = {"value": shape.label, "found": found, "restriction": kinds_in_words(member)}
        report("badType", it=parent, property=member.term, secondary=identifier, **facts)


def _enter(reading: Reading, it: Draft, task: Task, context: Context, shape: Shape) -> bool:
    """Enters the element under its id, unless that is taken."""
    findings, grammar = reading.findings, context.grammar
    limits, length = grammar.limits, len(it.id)
    if it.kind == "Interface" and length > limits.interface_id:
        facts = {"type": it.kind, "length": length, "restriction": limits.interface_id}
        findings.add("idTooLongForType", it, value=it.id, **facts)
    elif length > limits.any_id and "@id" in task.source:
        facts = {"length": length, "limit": limits.any_id, "restriction": context.version}
        findings.add("idTooLong", it, value=it.id, **facts)
    if it.id in reading.elements:
        findings.add("duplicateDefinition", it)
        return False
    reading.elements[it.id] = it
    if it.kind == "Interface":
        reading.grammars[it.id] = grammar
        if it.document in reading.long_documents:
            reading.long.append((it, task.source))
    for problem in shape.problems:
        findings.add(problem.code, it, **problem.facts)
    if shape.cotypes:
        reading.cotyped.append((it, shape))
    if context.incomplete:
        reading.incomplete = True
    return True
