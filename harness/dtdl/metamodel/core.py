"""The classes of DTDL v2, v3 and v4 with their members, limits and predefined values (specification, "DTDL element").

A class is written once for all versions; what differs is said where it differs. `v2` reads "in version 2", `limits`
are the row of `LIMITS` in force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from harness.dtdl.metamodel.members import (
    NAME,
    Holds,
    Member,
    Standard,
    boolean,
    element,
    integer,
    localized,
    required,
    string,
)

VERSIONS = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of "Limits and exclusions". Lengths are in UTF-16 code units, None means no limit."""

    name: int = 512
    display_name: int = 512
    description: int = 512
    comment: int = 512
    interface_id: int = 128
    any_id: int = 2048
    schema_depth: int = 8
    extends_depth: int = 12
    extends_direct: int | None = None
    extends_total: int | None = 1024
    contents: int | None = None
    hierarchy_elements: int | None = 100_000
    interface_bytes: int | None = 1_048_576
    fields: int | None = None
    enum_values: int | None = None
    relationship_properties: int | None = None
    max_multiplicity: int | None = None


_V4 = Limits()

LIMITS = {
    "dtmi:dtdl:context;2": Limits(
        name=64,
        display_name=64,
        schema_depth=5,
        extends_depth=10,
        extends_direct=2,
        extends_total=None,
        contents=300,
        hierarchy_elements=None,
        interface_bytes=None,
        fields=30,
        enum_values=100,
        relationship_properties=300,
        max_multiplicity=500,
    ),
    "dtmi:dtdl:context;3": Limits(schema_depth=5, extends_depth=10),
    "dtmi:dtdl:context;4": _V4,
    "dtmi:dtdl:limits:onvif;1": replace(_V4, description=4096, schema_depth=24),
    "dtmi:dtdl:limits:aio;1": replace(_V4, description=2048, schema_depth=12),
}
"""Limits by the context specifier that puts them in force."""

CONTENT = ("Command", "Component", "Property", "Relationship", "Telemetry")
COMPLEX_SCHEMA = ("Array", "Enum", "Map", "Object")


@dataclass(frozen=True, slots=True)
class Primitive:
    """A predefined schema without parts: its term, its class, the version that brought it, and what else its class
    is."""

    term: str
    kind: str
    since: int
    family: str | None = None


PRIMITIVES = (
    Primitive("boolean", "Boolean", 2),
    Primitive("byte", "Byte", 4, "NumericSchema"),
    Primitive("bytes", "Bytes", 4),
    Primitive("date", "Date", 2, "TemporalSchema"),
    Primitive("dateTime", "DateTime", 2, "TemporalSchema"),
    Primitive("decimal", "Decimal", 4, "NumericSchema"),
    Primitive("double", "Double", 2, "NumericSchema"),
    Primitive("duration", "Duration", 2, "TemporalSchema"),
    Primitive("float", "Float", 2, "NumericSchema"),
    Primitive("integer", "Integer", 2, "NumericSchema"),
    Primitive("long", "Long", 2, "NumericSchema"),
    Primitive("short", "Short", 4, "NumericSchema"),
    Primitive("string", "String", 2),
    Primitive("time", "Time", 2, "TemporalSchema"),
    Primitive("unsignedByte", "UnsignedByte", 4, "NumericSchema"),
    Primitive("unsignedInteger", "UnsignedInteger", 4, "NumericSchema"),
    Primitive("unsignedLong", "UnsignedLong", 4, "NumericSchema"),
    Primitive("unsignedShort", "UnsignedShort", 4, "NumericSchema"),
    Primitive("uuid", "Uuid", 4),
)

NUMERIC_KINDS = frozenset(row.kind for row in PRIMITIVES if row.family == "NumericSchema")

COMMAND_TYPES = ("asynchronous", "synchronous")


@cache
def classes(version: int, limits: Limits) -> dict[str, tuple[Member, ...]]:
    """The members of each class that an author can write in this DTDL version, by class."""
    v2, v4 = version == 2, version == 4
    this = (version,)
    this_or_older = tuple(older for older in VERSIONS if older <= version)
    request, response = ("CommandPayload",) * 2 if v2 else ("CommandRequest", "CommandResponse")

    entity = (
        string("comment", max_length=limits.comment),
        localized("description", limits.description),
        localized("displayName", limits.display_name),
    )
    named = (*entity, required(string("name", max_length=limits.name, pattern=NAME)))
    schema = required(element("schema", COMPLEX_SCHEMA, this_or_older, standard=Standard.SCHEMA))
    payload = (*named, schema, *([boolean("nullable")] if v4 else []))

    return {
        "Interface": (
            *entity,
            element("contents", CONTENT, this_or_older, plural=True, named=True),
            element("extends", ("Interface",), this_or_older, plural=True, at_most=limits.extends_direct),
            element("schemas", COMPLEX_SCHEMA, this, plural=True, id_required=True),
        ),
        "Telemetry": (*named, schema),
        "Property": (*named, schema, boolean("writable")),
        "Command": (
            *named,
            element("commandType", (), this, standard=Standard.COMMAND_TYPE),
            element("request", (request,), this),
            element("response", (response,), this),
        ),
        request: payload,
        response: payload,
        "Component": (*named, required(element("schema", ("Interface",), this_or_older))),
        "Relationship": (
            *named,
            integer("maxMultiplicity", minimum=1, maximum=limits.max_multiplicity),
            integer("minMultiplicity", exactly=0),
            element(
                "properties",
                ("Property",),
                this_or_older,
                plural=True,
                named=True,
                at_most=limits.relationship_properties,
            ),
            Member("target", Holds.IDENTIFIER),
            boolean("writable"),
        ),
        "Array": (*entity, required(replace(schema, term="elementSchema"))),
        "Enum": (
            *entity,
            _part(v2, element("enumValues", ("EnumValue",), this, plural=True, named=True), limits.enum_values),
            required(element("valueSchema", (), this, standard=Standard.INTEGER_OR_STRING)),
        ),
        "EnumValue": (*named, required(Member("enumValue", Holds.LITERAL))),
        "Map": (
            *entity,
            required(element("mapKey", ("MapKey",), this)),
            required(element("mapValue", ("MapValue",), this)),
        ),
        "MapKey": (*named, required(element("schema", (), this, standard=Standard.STRING))),
        "MapValue": (*named, schema),
        "Object": (
            *entity,
            _part(v2, element("fields", ("Field",), this, plural=True, named=True), limits.fields),
        ),
        "Field": (*named, schema),
    }


def _part(v2: bool, member: Member, at_most: int | None) -> Member:
    """The fields of an Object and the values of an Enum: DTDL v2 demands one at least, later versions none."""
    return replace(member, required=v2, at_least=int(v2), at_most=at_most)


ABSTRACT = ("ComplexSchema", "Content", "Entity", "NamedEntity", "NumericSchema", "PrimitiveSchema", "Schema")
"""Classes of the metamodel that no element can be of, in every version, beside those of `_OTHER_CLASSES`."""

_OTHER_CLASSES = (
    *ABSTRACT,
    "CommandType",
    "SchemaField",
    "SemanticType",
    "SemanticUnit",
    "TemporalSchema",
    "Unit",
    "UnitAttribute",
)
_LATER_CLASSES = ("AdjunctType", "Alias", "LatentType", "NamedLatentType")
_OTHER_MEMBERS = ("exponent", "languageMajorVersion", "symbol")
_META = ("DtdlExtension", "metamodel", "model")

ABSTRACT_COTYPES = {2: ("SemanticType",), 3: ("AdjunctType", "SemanticType"), 4: ("AdjunctType", "SemanticType")}
"""Co-types that only stand for their kind: no element may carry them."""


@cache
def material_classes(version: int) -> frozenset[str]:
    """Every class an @type can name: those of `classes`, those of predefined elements, and the abstract ones."""
    later = () if version == 2 else _LATER_CLASSES
    primitives = tuple(row.kind for row in PRIMITIVES if row.since <= version)
    payload = () if version == 2 else ("CommandPayload",)
    concrete = classes(version, LIMITS[f"dtmi:dtdl:context;{version}"])
    return frozenset({*concrete, *primitives, *payload, *_OTHER_CLASSES, *later})


@cache
def reserved_words(version: int) -> dict[str, str]:
    """The table "Reserved strings" of a version, without the semantic types of DTDL v2: DTMI by term."""
    concrete = classes(version, LIMITS[f"dtmi:dtdl:context;{version}"])
    members = {member.term for row in concrete.values() for member in row}
    later = version > 2
    words = {kind: f"dtmi:dtdl:class:{kind};{version}" for kind in material_classes(version)}
    for term in (*members, *_OTHER_MEMBERS, *(["aliasFor"] if later else [])):
        words[term] = f"dtmi:dtdl:property:{term};{version}"
    words |= {row.term: primitive_id(row, version) for row in PRIMITIVES if row.since <= version}
    words |= {term: f"dtmi:dtdl:instance:CommandType:{term};{version}" for term in COMMAND_TYPES}
    if later:
        words |= {term: f"dtmi:dtdl:meta:{term};{version}" for term in _META}
    return words


def primitive_id(row: Primitive, version: int) -> str:
    """The DTMI by which a document of this version names a primitive."""
    return f"dtmi:dtdl:instance:Schema:{row.term};{version}"
