"""Values that are no elements: strings, booleans, numbers, durations and identifiers, bare or as value objects.

Each reader takes the raw JSON value of a member and gives what the model holds for it; None where there is nothing
valid, with the reason in the findings (specification, "Representational literal").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from harness.dtdl import dtmi
from harness.dtdl.metamodel.members import Holds, Member
from harness.dtdl.model import Draft
from harness.dtdl.parser.findings import Findings
from harness.dtdl.parser.localized import read_localized, utf16_length

Read = Callable[[Findings, Draft, Member, object], object]

Report = Callable[..., None]
"""`Findings.add`, bound to the element and the member."""

_DURATION = re.compile(
    r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)
_LONGEST_IDENTIFIER = 2048
_XSD = "http://www.w3.org/2001/XMLSchema#"


def _report(findings: Findings, it: Draft, member: Member) -> Report:
    """Errors name a member of an extension by its DTMI."""
    return partial(findings.add, it=it, property=member.id or member.term, term=member.term)


def is_int32(value: object) -> bool:
    """Whether a JSON number is an integer of four bytes; `1.0` and `1e2` are integers too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -(2**31) <= value < 2**31 and value == int(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Kind:
    """How one kind of literal is told, and what its errors are called."""

    def __init__(self, family: str, noun: str, xsd: tuple[str, ...], fits: Callable[[object], bool]) -> None:
        self.family = family
        self.types = frozenset(f"{prefix}{name}" for name in xsd for prefix in ("xsd:", _XSD))
        self.fits = fits
        self.wrong = f"{family}Not{noun}"
        self.wrong_value = f"{family}ValueNot{noun}"
        self.wrong_type = f"{family}TypeNot{noun}"


_STRING = _Kind("string", "String", ("string",), lambda value: isinstance(value, str))
_BOOLEAN = _Kind("boolean", "Boolean", ("boolean",), lambda value: isinstance(value, bool))
_INTEGER = _Kind("integer", "Integer", ("integer",), is_int32)
_NUMBER = _Kind("numeric", "Numeric", ("integer", "decimal", "float", "double"), _is_number)


# ---------------------------------------------------------------------- bare literals and value objects


class _Nothing:
    """Marks that a member has no value and that all has been said about it; None is a JSON value."""


_NOTHING = _Nothing()


def _single(value: object, member: Member, family: str, report: Report) -> object:
    """The one value of a member that is written as an array."""
    if not isinstance(value, list):
        return value
    if len(value) == 1:
        return value[0]
    if value:
        report(f"{family}MultipleValues")
    elif member.required:
        report(f"{family}CountBelowMin")
    return _NOTHING


def _literal(findings: Findings, it: Draft, member: Member, value: object, kind: _Kind) -> object:
    """A bare literal of this kind, or the @value of a value object."""
    report = _report(findings, it, member)
    value = _single(value, member, kind.family, report)
    if value is _NOTHING:
        return None
    if kind.fits(value):
        return value
    if isinstance(value, dict):
        return _value_object(value, it.dtdl_version, kind, report)
    report(kind.wrong)
    return None


def _value_object(value: Mapping[str, object], version: int, kind: _Kind, report: Report) -> object:
    if not _is_value_object(value, version, report):
        return None
    declared = _one(value.get("@type", ["xsd:string"] if kind is _STRING else list(kind.types)[:1]))
    if "@value" not in value:
        report(f"{kind.family}ObjectNoValue")
    elif isinstance(declared, list):
        report("literalTypeNotSingular")
    elif not isinstance(declared, str) or declared not in kind.types:
        report(kind.wrong_type)
    elif not kind.fits(value["@value"]):
        report(kind.wrong_value)
    else:
        return value["@value"]
    return None


def _one(value: object) -> object:
    """What an array of one value stands for."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def unwrapped_string(value: object) -> object:
    """What stands for a string, out of its array or value object; None where the value object is of another type."""
    value = _one(value)
    if not isinstance(value, dict):
        return value
    declared = _one(value.get("@type", "xsd:string"))
    return value.get("@value") if isinstance(declared, str) and declared in _STRING.types else None


_VALUE_OBJECT_KEYWORDS = {
    # keyword: (error, whether DTDL v2 minds it)
    "@id": ("valueObjectId", True),
    "@context": ("valueObjectContext", True),
    "@graph": ("valueObjectGraph", True),
    "@language": ("valueObjectLanguage", False),
}


def _is_value_object(value: Mapping[str, object], version: int, report: Report) -> bool:
    """Whether the object has only the members of a value object: @value and @type (DTDL v2 ignores unknown
    keywords)."""
    sound = True
    for key in value:
        if key in ("@value", "@type"):
            continue
        if not key.startswith("@"):
            code, in_v2 = "valueObjectInvalidProp", True
        else:
            code, in_v2 = _VALUE_OBJECT_KEYWORDS.get(key, ("valueObjectKeyword", False))
        if version > 2 or in_v2:
            report(code, value=key)
            sound = False
    return sound


# ---------------------------------------------------------------------- readers


def read_string(findings: Findings, it: Draft, member: Member, value: object) -> object:
    text = value if type(value) is str else _literal(findings, it, member, value, _STRING)
    if not isinstance(text, str):
        return None
    limit = member.max_length
    if limit is not None and len(text) * 2 > limit and (length := utf16_length(text)) > limit:
        _report(findings, it, member)("stringTooLong", value=text, length=length, restriction=limit)
        return None
    if member.pattern is not None and not member.pattern.fullmatch(text):
        _report(findings, it, member)("stringInvalid", value=text, restriction=f"^{member.pattern.pattern}$")
        return None
    return text


def read_boolean(findings: Findings, it: Draft, member: Member, value: object) -> object:
    return value if type(value) is bool else _literal(findings, it, member, value, _BOOLEAN)


def read_integer(findings: Findings, it: Draft, member: Member, value: object) -> object:
    number = _literal(findings, it, member, value, _INTEGER)
    if not isinstance(number, int | float):
        return None
    number = int(number)
    report = partial(findings.add, it=it, property=member.term, value=number)
    if member.exactly is not None and number != member.exactly:
        report("valueNotExact", restriction=member.exactly)
    elif member.minimum is not None and member.maximum is not None:
        bounds = f"[{member.minimum}, {member.maximum}]"
        if number > member.maximum:
            report("valueAboveRange", restriction=bounds)
        elif number < member.minimum:
            report("valueBelowRange", restriction=bounds)
    elif member.minimum is not None and number < member.minimum:
        report("valueBelowMin", restriction=member.minimum)
    return number


def read_number(findings: Findings, it: Draft, member: Member, value: object) -> object:
    return _literal(findings, it, member, value, _NUMBER)


def read_duration(findings: Findings, it: Draft, member: Member, value: object) -> object:
    text = _literal(findings, it, member, value, _STRING)
    if isinstance(text, str) and not _DURATION.fullmatch(text):
        _report(findings, it, member)("durationInvalid", value=text)
        return None
    return text


def read_literal(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """A string, an integer or a boolean: the value of an EnumValue. Whether it suits the Enum is told later."""
    report = _report(findings, it, member)
    value = _single(value, member, "literal", report)
    if value is _NOTHING:
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if not isinstance(value, dict):
        report("literalNotValid")
        return None
    declared = _one(value.get("@type"))
    for kind in (_STRING, _INTEGER, _BOOLEAN):
        if declared in kind.types if isinstance(declared, str) else kind.fits(value.get("@value")):
            return _value_object(value, it.dtdl_version, kind, report)
    if _is_value_object(value, it.dtdl_version, report):
        if isinstance(declared, list):
            report("literalTypeNotSingular")
        else:
            report("literalNotValid" if "@value" in value else "literalObjectNoValue")
    return None


def read_identifier(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """A DTMI that need not be defined anywhere: the target of a Relationship."""
    report = _report(findings, it, member)
    text = _single(value, member, "identifier", report)
    if text is _NOTHING:
        return None
    if not isinstance(text, str):
        report("identifierNotString")
    elif not dtmi.USER[it.dtdl_version].fullmatch(text):
        report("identifierNotDtmi", value=text, type="DTMI")
    elif len(text) > _LONGEST_IDENTIFIER:
        report("identifierTooLong", value=text, length=len(text), restriction=_LONGEST_IDENTIFIER)
    else:
        return text
    return None


def read_term(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """The term or DTMI of a member, as written; what it means depends on the element it is about."""
    return _literal(findings, it, member, value, _STRING)


READ: dict[Holds, Read] = {
    Holds.STRING: read_string,
    Holds.LOCALIZED: read_localized,
    Holds.BOOLEAN: read_boolean,
    Holds.INTEGER: read_integer,
    Holds.NUMBER: read_number,
    Holds.DURATION: read_duration,
    Holds.LITERAL: read_literal,
    Holds.IDENTIFIER: read_identifier,
    Holds.TERM: read_term,
}
"""The reader for each kind of value; elements are read elsewhere."""
