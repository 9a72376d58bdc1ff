"""Values that are no elements: strings, booleans, integers and so on, bare or as value objects, and localizable strings.

Each reader takes the raw JSON value of a member and gives what the model holds for it; None where there is nothing valid, with
the reason in the findings (specification, "Representational literal" and "Localizable string").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from harness.dtdl import dtmi
from harness.dtdl.metamodel.members import Holds, Member
from harness.dtdl.model import Draft
from harness.dtdl.parser.findings import Findings

Read = Callable[[Findings, Draft, Member, object], object]

LANGUAGE_CODE = re.compile(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)

_DURATION = re.compile(
    r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)

_XSD = "http://www.w3.org/2001/XMLSchema#"
_DEFAULT_LANGUAGE = "en"


def utf16_length(text: str) -> int:
    """The length of text as DTDL counts it: in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_int32(value: object) -> bool:
    """Whether a JSON number is an integer of four bytes; `1.0` and `1e2` are integers too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -(2**31) <= value < 2**31 and value == int(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Kind:
    """How one kind of literal is told, and what its errors are called in the reference parser's ids."""

    def __init__(self, family: str, noun: str, xsd: tuple[str, ...], fits: Callable[[object], bool]) -> None:
        self.family = family
        self.noun = noun
        self.types = frozenset(f"{prefix}{name}" for name in xsd for prefix in ("xsd:", _XSD))
        self.fits = fits


_STRING = _Kind("string", "String", ("string",), lambda value: isinstance(value, str))
_BOOLEAN = _Kind("boolean", "Boolean", ("boolean",), lambda value: isinstance(value, bool))
_INTEGER = _Kind("integer", "Integer", ("integer",), is_int32)
_NUMBER = _Kind("numeric", "Numeric", ("integer", "decimal", "float", "double"), _is_number)


def _single(findings: Findings, it: Draft, member: Member, value: object, family: str) -> object:
    """The one value of a member that is written as an array; None, with the reason reported, where it is not one."""
    if not isinstance(value, list):
        return value
    if len(value) == 1:
        return value[0]
    if value:
        findings.add(f"{family}MultipleValues", it, property=member.term)
    elif member.required:
        findings.add(f"{family}CountBelowMin", it, property=member.term)
    return _NOTHING


class _Nothing:
    """Marks that a member has no value and that all has been said about it; None is a JSON value."""


_NOTHING = _Nothing()


def _literal(findings: Findings, it: Draft, member: Member, value: object, kind: _Kind) -> object:
    """A bare literal of this kind, or the @value of a value object."""
    value = _single(findings, it, member, value, kind.family)
    if value is _NOTHING or kind.fits(value):
        return None if value is _NOTHING else value
    if not isinstance(value, dict):
        findings.add(f"{kind.family}Not{kind.noun}", it, property=member.term)
        return None
    if not _is_value_object(findings, it, member, value):
        return None
    if "@value" not in value:
        findings.add(f"{kind.family}ObjectNoValue", it, property=member.term)
    elif not _declares(findings, it, member, value, kind):
        pass
    elif not kind.fits(value["@value"]):
        findings.add(f"{kind.family}Value{_not(kind)}", it, property=member.term)
    else:
        return value["@value"]
    return None


def _not(kind: _Kind) -> str:
    return f"Not{kind.noun}"


def _declares(findings: Findings, it: Draft, member: Member, value: Mapping[str, object], kind: _Kind) -> bool:
    """Whether the @type of a value object, where there is one, agrees with the kind of literal."""
    declared = value.get("@type", next(iter(kind.types)))
    if isinstance(declared, list):
        findings.add("literalTypeNotSingular", it, property=member.term)
        return False
    if not isinstance(declared, str) or declared not in kind.types:
        findings.add(f"{kind.family}Type{_not(kind)}", it, property=member.term)
        return False
    return True


_VALUE_OBJECT_KEYWORDS = {
    # keyword: (error, whether DTDL v2 minds it)
    "@id": ("valueObjectId", True),
    "@context": ("valueObjectContext", True),
    "@graph": ("valueObjectGraph", True),
    "@language": ("valueObjectLanguage", False),
}


def _is_value_object(findings: Findings, it: Draft, member: Member, value: Mapping[str, object]) -> bool:
    """Whether the object has only the members of a value object: @value and @type (DTDL v2 ignores unknown keywords)."""
    sound = True
    for key in value:
        if key in ("@value", "@type"):
            continue
        if not key.startswith("@"):
            findings.add("valueObjectInvalidProp", it, property=member.term, value=key)
        else:
            code, in_v2 = _VALUE_OBJECT_KEYWORDS.get(key, ("valueObjectKeyword", False))
            if it.dtdl_version == 2 and not in_v2:
                continue
            findings.add(code, it, property=member.term, value=key)
        sound = False
    return sound


def read_string(findings: Findings, it: Draft, member: Member, value: object) -> object:
    text = value if type(value) is str else _literal(findings, it, member, value, _STRING)
    if not isinstance(text, str):
        return None
    limit = member.max_length
    if limit is not None and len(text) * 2 > limit and (length := utf16_length(text)) > limit:
        findings.add("stringTooLong", it, property=_id_or_term(member), value=text, length=length, restriction=limit)
        return None
    if member.pattern is not None and not member.pattern.fullmatch(text):
        findings.add("stringInvalid", it, property=_id_or_term(member), value=text, restriction=member.pattern.pattern)
        return None
    return text


def _id_or_term(member: Member) -> str:
    """Errors name a member of an extension by its DTMI."""
    return member.id or member.term


def read_boolean(findings: Findings, it: Draft, member: Member, value: object) -> object:
    return value if type(value) is bool else _literal(findings, it, member, value, _BOOLEAN)


def read_integer(findings: Findings, it: Draft, member: Member, value: object) -> object:
    number = _literal(findings, it, _named(member), value, _INTEGER)
    if not isinstance(number, int | float):
        return None
    number = int(number)
    if member.exactly is not None and number != member.exactly:
        findings.add("valueNotExact", it, property=member.term, value=number, restriction=member.exactly)
    elif member.maximum is not None and not (member.minimum or 0) <= number <= member.maximum:
        code = "valueAboveRange" if number > member.maximum else "valueBelowRange"
        bounds = f"[{member.minimum or 0}, {member.maximum}]"
        findings.add(code, it, property=member.term, value=number, restriction=bounds)
    elif member.minimum is not None and number < member.minimum:
        findings.add("valueBelowMin", it, property=member.term, value=number, restriction=member.minimum)
    return number


def read_number(findings: Findings, it: Draft, member: Member, value: object) -> object:
    return _literal(findings, it, _named(member), value, _NUMBER)


def _named(member: Member) -> Member:
    """The member as errors call it."""
    return member if not member.id else Member(member.id, member.holds, member.required)


def read_duration(findings: Findings, it: Draft, member: Member, value: object) -> object:
    text = _literal(findings, it, _named(member), value, _STRING)
    if isinstance(text, str) and not _DURATION.fullmatch(text):
        findings.add("durationInvalid", it, property=_id_or_term(member), value=text)
        return None
    return text


def read_literal(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """A string, an integer or a boolean: the value of an EnumValue. Whether it suits the Enum is told later."""
    value = _single(findings, it, member, value, "literal")
    if value is _NOTHING:
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if not isinstance(value, dict):
        findings.add("literalNotValid", it, property=member.term)
        return None
    declared = value.get("@type")
    for kind in (_STRING, _INTEGER, _BOOLEAN):
        if declared in kind.types if isinstance(declared, str) else kind.fits(value.get("@value")):
            return _literal(findings, it, member, value, kind)
    if not _is_value_object(findings, it, member, value):
        return None
    if isinstance(declared, list):
        code = "literalTypeNotSingular"
    else:
        code = "literalNotValid" if "@value" in value else "literalObjectNoValue"
    findings.add(code, it, property=member.term)
    return None


def read_identifier(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """A DTMI that need not be defined anywhere: the target of a Relationship."""
    text = _single(findings, it, member, value, "identifier")
    if text is _NOTHING:
        return None
    if not isinstance(text, str):
        findings.add("identifierNotString", it, property=member.term)
        return None
    if not dtmi.USER[it.dtdl_version].fullmatch(text):
        findings.add("identifierNotDtmi", it, property=member.term, value=text, type="DTMI")
        return None
    if len(text) > _LONGEST_IDENTIFIER:
        findings.add(
            "identifierTooLong", it, property=member.term, value=text, length=len(text), restriction=_LONGEST_IDENTIFIER
        )
        return None
    return text


_LONGEST_IDENTIFIER = 2048


def read_term(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """The term or DTMI of a member, as written; what it means depends on the element it is about."""
    return _literal(findings, it, member, value, _STRING)


def read_localized(findings: Findings, it: Draft, member: Member, value: object) -> object:
    """Text by language code."""
    if type(value) is str:
        texts: dict[str, str] = {_DEFAULT_LANGUAGE: value}
    elif isinstance(value, dict):
        texts = _language_map(findings, it, member, value)
    elif isinstance(value, list):
        texts = _tagged_texts(findings, it, member, value)
    else:
        findings.add("langStringElementNotStringOrObject", it, property=member.term)
        return {}
    limit = member.max_length
    for text in texts.values():
        if limit is not None and len(text) * 2 > limit and (length := utf16_length(text)) > limit:
            findings.add(
                "langStringValueTooLong", it, property=member.term, value=text, length=length, restriction=limit
            )
    return texts


def _language_map(findings: Findings, it: Draft, member: Member, value: Mapping[str, object]) -> dict[str, str]:
    if value.keys() == {"@value", "@language"}:
        better = f'{{ "{value["@language"]}": "{value["@value"]}" }}'
        findings.add("langTagValueInLangMap", it, property=member.term, value=better)
        return {}
    texts = {}
    for code, text in value.items():
        if code.startswith("@"):
            findings.add("langMapObjKeyword", it, property=member.term, value=code)
        elif not LANGUAGE_CODE.fullmatch(code):
            findings.add("langStringInvalidCode", it, property=member.term, value=code)
        elif not isinstance(text, str):
            findings.add("langStringValueNotString", it, property=member.term, value=code)
        else:
            texts[code] = text
    return texts


def _tagged_texts(findings: Findings, it: Draft, member: Member, value: list[object]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for item in value:
        if isinstance(item, str):
            code, text = _DEFAULT_LANGUAGE, item
        elif isinstance(item, dict):
            tagged = _tagged_text(findings, it, member, item)
            if tagged is None:
                continue
            code, text = tagged
        else:
            findings.add("langStringElementNotStringOrObject", it, property=member.term)
            continue
        if code in texts:
            findings.add("langStringElementCodeNotUnique", it, property=member.term, value=code)
        texts[code] = text
    return texts


_TAGGED_KEYWORDS = {
    # keyword: (error, whether DTDL v2 minds it)
    "@id": ("langStringElementId", True),
    "@context": ("langStringElementKeyword", True),
    "@graph": ("langStringElementGraph", True),
    "@type": ("langStringElementType", False),
}


def _tagged_text(findings: Findings, it: Draft, member: Member, item: Mapping[str, object]) -> tuple[str, str] | None:
    sound = True
    for key in item:
        if key in ("@value", "@language"):
            continue
        code, in_v2 = _TAGGED_KEYWORDS.get(key, ("langStringElementKeyword", False))
        if not key.startswith("@"):
            code, in_v2 = "langStringElementInvalidProp", True
        if it.dtdl_version > 2 or in_v2:
            findings.add(code, it, property=member.term, value=key)
            sound = False
    language = item.get("@language", _DEFAULT_LANGUAGE)
    text = item.get("@value")
    if "@value" not in item:
        findings.add("langStringElementNoValue", it, property=member.term)
    elif not isinstance(text, str):
        findings.add("langStringElementValueNotString", it, property=member.term)
    elif not isinstance(language, str):
        findings.add("langStringElementCodeNotString", it, property=member.term)
    elif not LANGUAGE_CODE.fullmatch(language):
        findings.add("langStringElementInvalidCode", it, property=member.term, value=language)
    elif sound:
        return language, text
    return None


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
