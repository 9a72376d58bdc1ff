"""The rows that the tables of the metamodel are made of: a member of a class, and what may be its value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

INFERABLE = frozenset(
    {"CommandPayload", "CommandRequest", "CommandResponse", "EnumValue", "Field", "MapKey", "MapValue"}
)
"""The classes whose @type an author may leave out, because the member says it already."""

NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?", re.ASCII)


class Holds(Enum):
    """What the value of a member is, as the specification calls it."""

    STRING = "string"
    LOCALIZED = "localizable string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    DURATION = "duration"
    LITERAL = "string, integer or boolean"
    IDENTIFIER = "DTMI"
    TERM = "term or DTMI of a member"
    ELEMENT = "element"


class Standard(Enum):
    """The predefined elements that a member takes by term or DTMI, beside or instead of elements of the model."""

    NONE = "no standard value"
    SCHEMA = "a standard schema"
    STRING = "string"
    INTEGER_OR_STRING = "integer or string"
    COMMAND_TYPE = "synchronous or asynchronous"
    UNIT = "a unit"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a class. Fields that do not concern what the member holds keep their defaults.

    For text: `max_length` in UTF-16 code units, `pattern` for the whole text. For integers: `minimum`, `maximum`,
    `exactly`. For elements: `kinds` are the classes allowed, `inferred` the one meant where @type is absent,
    `versions` the DTDL versions that they may be written in, `id_required` whether they need an @id, `named` whether
    their names must differ (and make their ids). For units: `unit_kind` is the kind demanded (None: any),
    `unit_source` the version of QuantitativeTypes that defines it. `id` is the DTMI of the member where it is not the
    usual `dtmi:dtdl:property:<term>;<DTDL version>`.
    """

    term: str
    holds: Holds
    required: bool = False
    plural: bool = False
    id: str = ""
    default: object = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    minimum: int | None = None
    maximum: int | None = None
    exactly: int | None = None
    kinds: tuple[str, ...] = ()
    inferred: str | None = None
    standard: Standard = Standard.NONE
    unit_kind: str | None = None
    unit_source: int = 0
    versions: tuple[int, ...] = ()
    at_least: int = 0
    at_most: int | None = None
    id_required: bool = False
    named: bool = False


def string(term: str, *, max_length: int | None = None, pattern: re.Pattern[str] | None = None) -> Member:
    return Member(term, Holds.STRING, max_length=max_length, pattern=pattern)


def localized(term: str, max_length: int) -> Member:
    return Member(term, Holds.LOCALIZED, max_length=max_length)


def boolean(term: str) -> Member:
    """A boolean member; it counts as false where the author leaves it out."""
    return Member(term, Holds.BOOLEAN, default=False)


def integer(term: str, *, exactly: int | None = None, minimum: int | None = None, maximum: int | None = None) -> Member:
    return Member(term, Holds.INTEGER, exactly=exactly, minimum=minimum, maximum=maximum)


def element(
    term: str,
    kinds: tuple[str, ...],
    versions: tuple[int, ...],
    *,
    standard: Standard = Standard.NONE,
    plural: bool = False,
    named: bool = False,
    at_least: int = 0,
    at_most: int | None = None,
    id_required: bool = False,
) -> Member:
    """A member that holds one element, or with `plural` any number. Of one possible class, @type may be left out."""
    return Member(
        term,
        Holds.ELEMENT,
        plural=plural,
        kinds=kinds,
        inferred=kinds[0] if len(kinds) == 1 and kinds[0] in INFERABLE else None,
        standard=standard,
        versions=versions,
        at_least=at_least,
        at_most=at_most,
        id_required=id_required or "Interface" in kinds,
        named=named,
    )


def required(member: Member) -> Member:
    return replace(member, required=True)
