"""The members of an element, as its shape has them: literals are read at once, elements become tasks or references."""

from __future__ import annotations

from harness.dtdl import dtmi
from harness.dtdl.locate import escape
from harness.dtdl.metamodel.extensions import PARTNER_PREFIXES, RESERVED_PREFIXES
from harness.dtdl.metamodel.members import Holds, Member, Standard
from harness.dtdl.metamodel.predefined import is_unit_of, parent_of_unit, unit_enum_of
from harness.dtdl.model import Draft, Element
from harness.dtdl.parser.context import Context
from harness.dtdl.parser.grammar import Grammar, Row, Shape
from harness.dtdl.parser.reading import Reading, Reference, Task

_SCHEMA, _UNIT = Standard.SCHEMA, Standard.UNIT
_UNKNOWN = Row("", Member("", Holds.ELEMENT), None, None)


def read_members(reading: Reading, it: Draft, task: Task, shape: Shape, context: Context) -> None:
    """Fills in the members and the supplemental properties of an element."""
    findings = reading.findings
    schemas = context.grammar.schemas
    values, supplemental = it.members, it.supplemental
    assert isinstance(values, dict)
    assert isinstance(supplemental, dict)
    for key, value in task.source.items():
        row = shape.rows.get(key, _UNKNOWN)
        if row is None:
            continue
        if row is _UNKNOWN:
            _unknown(reading, it, key, value, task, shape, context.grammar)
            continue
        target = values if row.cotype is None else supplemental
        term = row.term
        if term in target:
            findings.add("duplicatePropertyName", it, property=term)
        elif row.read is not None:
            target[term] = row.read(findings, it, row.member, value)
        elif type(value) is str and row.member.standard is _SCHEMA and value in schemas:
            found = schemas[value]
            target[term] = reading.predefined[found.id] = found
        else:
            target[term] = _elements(reading, it, row.member, key, value, context, task)
    for term, default in shape.defaults:
        if values.get(term) is None:
            values[term] = default
    for row in shape.required:
        if row.term not in (values if row.cotype is None else supplemental):
            _missing(reading, it, row)


def _missing(reading: Reading, it: Draft, row: Row) -> None:
    kind = "Object" if row.member.holds is Holds.ELEMENT else "Literal"
    if row.cotype is None:
        reading.findings.add(f"missing{kind}Property", it, property=row.term)
    elif it.dtdl_version in row.cotype.versions:
        reading.findings.add(f"missingSupplemental{kind}Property", it, property=row.term, type=row.cotype.term)


# ---------------------------------------------------------------------- members that hold elements


def _elements(
    reading: Reading, it: Draft, member: Member, key: str, value: object, context: Context, task: Task
) -> object:
    """What is known now of the value: a predefined element, or for a plural member a list with a place for each
    element to come."""
    pointer = f"{it.pointer}/{key}"
    if not isinstance(value, list):
        found = [_element(reading, it, member, value, 0, pointer, context, None, task)]
    elif _count_fits(reading, it, member, len(value), pointer):
        names: dict[str, str] | None = {} if member.named else None
        found = [
            _element(reading, it, member, item, slot, f"{pointer}/{slot}", context, names, task)
            for slot, item in enumerate(value)
        ]
    else:
        return None
    if not member.plural:
        return found[0] if found else None
    reading.plurals.append((it, member))
    return found


def _element(
    reading: Reading,
    it: Draft,
    member: Member,
    value: object,
    slot: int,
    pointer: str,
    context: Context,
    names: dict[str, str] | None,
    task: Task,
) -> Element | None:
    if type(value) is dict and member.standard is not _UNIT:
        reading.tasks.append(Task(value, it, member, slot, pointer, context, names, task.document, task.level + 1))
        return None
    if isinstance(value, str):
        return _reference(reading, it, member, value, slot, pointer, context.grammar)
    code = "refObjectNotAllowed" if isinstance(value, dict) else "refNotStringOrObject"
    reading.findings.add(code, it, property=member.term, pointer=pointer)
    return None


def _count_fits(reading: Reading, it: Draft, member: Member, count: int, pointer: str) -> bool:
    """Whether the values can be read; too few or too many in a plural member are reported, and read."""
    add, term = reading.findings.add, member.term
    if count > 1 and not member.plural:
        add("objectMultipleValues", it, property=term, pointer=pointer)
        return False
    if count < member.at_least or (not count and member.required and not member.plural):
        add("objectCountBelowMin", it, property=term, pointer=pointer)
    elif member.at_most is not None and count > member.at_most:
        add("objectCountAboveMax", it, property=term, pointer=pointer, length=count, restriction=member.at_most)
    return True


def _reference(
    reading: Reading, it: Draft, member: Member, text: str, index: int, pointer: str, grammar: Grammar
) -> Element | None:
    """The predefined element meant by a term or a DTMI; None where it is left to the next stage, or wrong."""
    element = grammar.standard(text)
    facts = {"property": member.term, "pointer": pointer}
    if element is not None and grammar.is_predefined(member, element):
        reading.predefined[element.id] = element
        if member.standard is Standard.UNIT and not is_unit_of(member, element):
            _wrong_unit(reading, it, member, element.id)
        return element
    if text in grammar.words or element is not None:
        _misplaced(reading, it, member, text, element, grammar, pointer)
    elif not dtmi.USER[grammar.version].fullmatch(text):
        reading.findings.add("badDtmiOrTerm", it, value=text, restriction=grammar.version, **facts)
    elif text.startswith((*RESERVED_PREFIXES, *PARTNER_PREFIXES)):
        reading.findings.add("undefinedReservedId", it, secondary=text, **facts)
    else:
        reading.references.append(Reference(it, member, text, index, pointer))
    return None


def _misplaced(
    reading: Reading,
    it: Draft,
    member: Member,
    text: str,
    element: Element | None,
    grammar: Grammar,
    pointer: str,
) -> None:
    """A term that the language knows, but not for this member."""
    facts: dict[str, object] = {"property": member.term, "pointer": pointer}
    meant = grammar.words.get(text, text)
    if member.standard is Standard.UNIT:
        _wrong_unit(reading, it, member, meant)
    elif member.standard is Standard.INTEGER_OR_STRING and element is not None:
        reading.when_checked.add("incorrectPropertyValue", it, value=text, restriction="'integer' or 'string'", **facts)
    else:
        facts |= {"value": None if element is None else element.kind, "found": text}
        reading.when_linked.add("badType", it, secondary=meant, restriction=kinds_in_words(member), **facts)


def _wrong_unit(reading: Reading, it: Draft, member: Member, meant: str) -> None:
    """What is given as a unit is none, or none of the kind that the semantic type demands."""
    facts = {"property": member.id, "term": member.term, "secondary": meant}
    if it.dtdl_version == 2:
        reading.when_linked.add("notRequiredType", it, type=member.unit_kind, **facts)
    else:
        parent = parent_of_unit(meant)
        place = "top-level element" if parent is None else f"child of {parent}"
        reading.when_linked.add("wrongParent", it, value=place, restriction=unit_enum_of(member), **facts)


def kinds_in_words(member: Member) -> str:
    """The classes and predefined elements that a member takes."""
    standard = () if member.standard is Standard.NONE else (member.standard.value,)
    return " or ".join((*member.kinds, *standard))


# ---------------------------------------------------------------------- members that the shape does not have


def _unknown(reading: Reading, it: Draft, key: str, value: object, task: Task, shape: Shape, grammar: Grammar) -> None:
    if key.startswith("@"):
        _keyword(reading, it, key, task)
        return
    code = _unknown_code(key, grammar)
    if shape.open and (grammar.version == 2 or code in ("propertyIrrelevantDtmiOrTerm", "propertyUndefinedTerm")):
        assert isinstance(it.supplemental, dict)
        it.supplemental[key] = value
        return
    if grammar.version == 2:
        code = "inferredTypeDoesNotAllow" if shape.inferred else "noTypeThatAllows"
    facts = {"property": key, "type": it.kind, "restriction": grammar.version}
    reading.findings.add(code, it, pointer=f"{it.pointer}/{escape(key)}", **facts)


def _unknown_code(key: str, grammar: Grammar) -> str:
    if key.startswith("dtmi:"):
        well_formed = dtmi.USER[3].fullmatch(key)
        return "propertyIrrelevantDtmiOrTerm" if well_formed else "propertyInvalidDtmi"
    if ":" in key:
        return "propertyNotDtmiNorTerm"
    return "propertyIrrelevantDtmiOrTerm" if key in grammar.words else "propertyUndefinedTerm"


def _keyword(reading: Reading, it: Draft, key: str, task: Task) -> None:
    add = reading.findings.add
    if key == "@graph":
        add("graphDisallowed", task.parent or it, property=task.member.term, pointer=it.pointer)
    elif it.dtdl_version == 2:
        return
    elif task.parent is None:
        add("topLevelKeywordDisallowed", value=key, pointer=it.pointer, document=it.document)
    else:
        add("keywordDisallowed", task.parent, property=task.member.term, value=key, pointer=it.pointer)
