"""The language extensions: their context specifiers and the co-types that each defines, with members and constraints.

Sources: the published document of each extension (QuantitativeTypes 1-2, Annotation, Historization, Overriding,
Requirement 1, Mqtt 1-3, IoT Central 2). Mqtt 4, Requirement 2, QuantitativeTypes 3 and IoT Operations 4 have no public
document: their rows state what the reference parser is known to accept and to reject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from harness.dtdl.metamodel import quantities
from harness.dtdl.metamodel.core import LIMITS
from harness.dtdl.metamodel.members import Holds, Member, Standard, integer, required, string


@dataclass(frozen=True, slots=True)
class Cotype:
    """A supplemental type: what it may stand beside, the members it brings, and what it demands.

    Other co-types are named by their term. `applies_to` lists classes, and co-types of the element that open the way
    too. `schema` lists classes, families of classes and co-types of which the element's schema must have one;
    `schema_terms` the standard schemas of which it must be one. `needs` and `excludes` concern the co-types of the
    same element. `parents` are the co-types of which the parent must have one, `sibling` is one that some sibling must
    have, `single` says that no sibling may have the same. `children` are, for the elements of a plural member, the
    co-types of which each must have one. `unique` is a member whose value no sibling may repeat. `numbers` are members
    whose value must suit the schema.
    """

    term: str
    id: str
    versions: tuple[int, ...]
    applies_to: tuple[str, ...]
    members: tuple[Member, ...] = ()
    schema: tuple[str, ...] = ()
    schema_terms: tuple[str, ...] = ()
    needs: str | None = None
    excludes: str | None = None
    parents: tuple[str, ...] = ()
    sibling: str | None = None
    single: bool = False
    children: tuple[str, tuple[str, ...]] | None = None
    unique: str | None = None
    numbers: tuple[str, ...] = ()
    annotates: bool = False
    overrides: bool = False
    abstract: bool = False

    @property
    def constrains(self) -> bool:
        """Whether anything is left to check once the whole model is known."""
        return bool(
            self.schema
            or self.schema_terms
            or self.parents
            or self.sibling
            or self.single
            or self.children
            or self.unique
            or self.numbers
            or self.annotates
            or self.overrides
        )


@dataclass(frozen=True, slots=True)
class Extension:
    """What a context specifier stands for. `versions` are the DTDL versions that its co-types may be used in, `prefix`
    the identifiers that it reserves, `schemas` the predefined schemas it names, `words` its other terms."""

    specifier: str
    versions: tuple[int, ...]
    cotypes: tuple[Cotype, ...] = ()
    prefix: str | None = None
    quantities: int | None = None
    schemas: tuple[str, ...] = ()


_PROPERTY_OR_TELEMETRY = ("Property", "Telemetry")
_VALUED = ("CommandRequest", "CommandResponse", "Field", "MapValue", "Property", "Telemetry")

_LABEL = r"[!$-*,\-.0-z|~]"  # printable ASCII without space, quote, plus, hash, braces, slash
_TOKEN = r"\{(?:[A-Za-z]+:)?[A-Za-z]+\}"
_TOPIC = re.compile(rf"(?!\$)(?:{_LABEL}+|{_TOKEN})(?:/(?:{_LABEL}+|{_TOKEN}))*", re.ASCII)
_GROUP = re.compile(rf"{_LABEL}+", re.ASCII)


def _quantitative(version: int, dtdl_version: int) -> Extension:
    base = f"dtmi:dtdl:extension:quantitativeTypes:v{version}"
    cotypes = tuple(
        Cotype(
            term,
            f"{base}:class:{term}",
            (dtdl_version,),
            _VALUED,
            members=(_unit(f"{base}:property:unit", kind, version),),
            schema=("NumericSchema",),
        )
        for term, kind in quantities.semantic_types(version).items()
    )
    abstract = Cotype("QuantitativeType", f"{base}:class:QuantitativeType", (dtdl_version,), _VALUED, abstract=True)
    return Extension(
        f"dtmi:dtdl:extension:quantitativeTypes;{version}",
        (dtdl_version,),
        (*cotypes, abstract),
        quantities=version,
    )


def _unit(identifier: str, kind: str | None, source: int = quantities.STANDARD) -> Member:
    return Member(
        "unit",
        Holds.ELEMENT,
        required=True,
        id=identifier,
        standard=Standard.UNIT,
        unit_kind=kind,
        unit_source=source,
    )


@cache
def standard_cotypes() -> tuple[Cotype, ...]:
    """The semantic types that are part of DTDL v2."""
    return (
        *(
            Cotype(
                term,
                f"dtmi:standard:class:{term};2",
                (2,),
                _PROPERTY_OR_TELEMETRY,
                members=(_unit("dtmi:dtdl:property:unit;2", kind),),
                schema=("NumericSchema",),
            )
            for term, kind in quantities.semantic_types(quantities.STANDARD).items()
        ),
        Cotype(
            "QuantitativeType",
            "dtmi:standard:class:QuantitativeType;2",
            (2,),
            _PROPERTY_OR_TELEMETRY,
            abstract=True,
        ),
    )


def _versions(version: int) -> tuple[int, ...]:
    """Feature extensions began with DTDL v3 alone; from their second version they serve v4 as well."""
    return (3,) if version == 1 else (3, 4)


def _feature(name: str, version: int, *cotypes: Cotype, versions: tuple[int, ...] | None = None) -> Extension:
    """A feature extension; its co-types and their members get the identifiers that belong to it."""
    base = f"dtmi:dtdl:extension:{name}:v{version}"
    return Extension(
        f"dtmi:dtdl:extension:{name};{version}",
        versions or _versions(version),
        tuple(
            replace(
                cotype,
                id=f"{base}:{cotype.term}",
                versions=versions or _versions(version),
                members=tuple(replace(member, id=f"{base}:{cotype.term}:{member.term}") for member in cotype.members),
            )
            for cotype in cotypes
        ),
    )


def _cotype(term: str, *applies_to: str) -> Cotype:
    """A row whose identifiers and versions the extension fills in."""
    return Cotype(term, "", (), applies_to)


def _mqtt(version: int) -> Extension:
    topics = [string("commandTopic", pattern=_TOPIC), string("telemetryTopic", pattern=_TOPIC)]
    groups = [string("cmdServiceGroupId", pattern=_GROUP), string("telemServiceGroupId", pattern=_GROUP)]
    payload_format = required(string("payloadFormat"))
    index = required(integer("index", minimum=1))
    indexed = ("EnumValue", "Field", "Telemetry")
    cotypes = [
        replace(
            _cotype("Mqtt", "Interface"),
            members=(
                payload_format,
                *topics,
                *(groups if version >= 2 else []),
                *([string("propertyTopic", pattern=_TOPIC)] if version >= 4 else []),
            ),
        ),
        _cotype("Idempotent", "Command"),
        replace(
            _cotype("Cacheable", "Command"),
            members=(required(Member("ttl", Holds.DURATION)),),
            needs="Idempotent" if version >= 3 else None,
        ),
        replace(
            _cotype("Indexed", *indexed, *(["Property"] if version >= 4 else [])),
            members=(index,),
            unique="index",
        ),
    ]
    if version >= 2:
        payloads = ("CommandRequest", "CommandResponse")
        cotypes.append(replace(_cotype("Transparent", *payloads), schema=("Object",)))
    if version >= 3:
        cotypes += _mqtt_results(version)
    if version >= 4:
        cotypes += _mqtt_properties()
    return _feature("mqtt", version, *cotypes)


def _mqtt_results(version: int) -> list[Cotype]:
    """How a command's response tells a result from an error."""
    results = ("NormalResult", "ErrorResult")
    codes = ("ErrorCode", "ErrorInfo")
    field = _cotype("", "Field")
    one_of_a_result = replace(field, parents=("Result",), single=True)
    if version == 3:
        return [
            replace(_cotype("Result", "Object"), children=("fields", results)),
            replace(one_of_a_result, term="NormalResult"),
            replace(one_of_a_result, term="ErrorResult"),
            _cotype("Error", "Object"),
            replace(field, term="ErrorMessage", parents=("Error",), schema=("String",), single=True),
        ]
    reported = replace(field, parents=("Result", "Error"), single=True)
    return [
        replace(_cotype("Result", "Object"), children=("fields", (*results, *codes))),
        replace(one_of_a_result, term="NormalResult", excludes="Required"),
        replace(one_of_a_result, term="ErrorResult", schema=("Error",), excludes="Required"),
        _cotype("Error", "Object"),
        replace(field, term="ErrorMessage", parents=("Error",), schema=("String",), single=True),
        replace(reported, term="ErrorCode", schema=("Enum",)),
        replace(reported, term="ErrorInfo", schema=("Object",), sibling="ErrorCode"),
    ]


def _mqtt_properties() -> list[Cotype]:
    """How reading and writing a property is put into messages."""
    part = replace(_cotype("", "Field"), parents=("PropertyResult",), single=True)
    return [
        replace(_cotype("Fragmented", "Property", "PropertyValue"), schema=("Map",)),
        replace(_cotype("Indirect", "Field"), excludes="Required"),
        replace(
            _cotype("PropertyResult", "Object"),
            children=("fields", ("PropertyValue", "ReadError", "WriteError")),
        ),
        replace(part, term="PropertyValue"),
        replace(part, term="ReadError", schema=("Error",)),
        replace(part, term="WriteError", schema=("Error",)),
    ]


def _annotation(version: int) -> Extension:
    annotates = required(string("annotates"))
    cotype = _cotype("ValueAnnotation", *_PROPERTY_OR_TELEMETRY)
    return _feature("annotation", version, replace(cotype, members=(annotates,), annotates=True))


def _overriding(version: int) -> Extension:
    overrides = required(Member("overrides", Holds.TERM))
    cotype = replace(_cotype("Override", "Property"), members=(overrides,), needs="ValueAnnotation", overrides=True)
    return _feature("overriding", version, cotype)


def _iot_central() -> Extension:
    def cotype(term: str, unit: str | None = None, **demands: tuple[str, ...]) -> Cotype:
        members = () if unit is None else (replace(_unit("dtmi:dtdl:property:unit;2", unit), required=False),)
        row = Cotype(term, f"dtmi:iotcentral:class:{term};2", (2,), _PROPERTY_OR_TELEMETRY, members=members)
        return replace(row, schema=demands.get("schema", ()), schema_terms=demands.get("schema_terms", ()))

    places = ("point", "multiPoint", "lineString", "multiLineString", "polygon", "multiPolygon", "geopoint")
    return Extension(
        "dtmi:iotcentral:context;2",
        (2,),
        (
            cotype("AccelerationVector", "AccelerationUnit", schema_terms=("vector",)),
            cotype("Event", schema_terms=("double", "float", "integer", "long", "string")),
            cotype("Location", schema_terms=places),
            cotype("State", schema=("Enum",)),
            cotype("VelocityVector", "VelocityUnit", schema_terms=("vector",)),
        ),
        prefix="dtmi:iotcentral:",
        schemas=("geopoint", "vector"),
    )


def _iot_operations() -> Extension:
    def cotype(term: str, applies_to: tuple[str, ...], *members: Member) -> Cotype:
        owned = tuple(replace(row, id=f"dtmi:iotoperations:property:{row.term};4") for row in members)
        return Cotype(term, f"dtmi:iotoperations:class:{term};4", (4,), applies_to, owned)

    def label(term: str) -> Member:
        return required(string(term, max_length=128))

    measured = ("Field", "Property", "Telemetry")
    minimum, maximum = Member("minimum", Holds.NUMBER), Member("maximum", Holds.NUMBER)
    numeric = ("NumericSchema",)
    return Extension(
        "dtmi:iotoperations:context;4",
        (4,),
        (
            replace(cotype("Composite", ("Interface",), label("ontology")), excludes="Event"),
            cotype("Congruence", ("Interface", "Object"), label("typeRef")),
            cotype("Detail", ("Object",)),
            cotype("Event", ("Interface",)),
            cotype("GroupMember", ("Command",), label("group")),
            replace(cotype("HasCapability", ("Relationship",)), excludes="HasComponent"),
            cotype("HasComponent", ("Relationship",)),
            replace(cotype("Limited", measured, minimum, maximum), schema=numeric, numbers=("minimum", "maximum")),
            replace(cotype("Precise", measured, required(integer("decimalPlaces", minimum=0))), schema=numeric),
            cotype("Qualified", ("Command", "Property", "Relationship", "Telemetry"), label("namespace")),
            replace(
                cotype("ScaledStatically", measured, required(Member("scaleFactor", Holds.NUMBER))),
                schema=numeric,
                numbers=("scaleFactor",),
            ),
            replace(cotype("Subject", ("Field",)), parents=("Detail",), single=True),
        ),
        prefix="dtmi:iotoperations:",
    )


@cache
def extensions() -> dict[str, Extension]:
    """Every extension that this library knows, by context specifier."""
    historized = _cotype("Historized", *_PROPERTY_OR_TELEMETRY)
    rows = [
        _quantitative(1, 3),
        _quantitative(2, 4),
        _quantitative(3, 4),
        *(_annotation(version) for version in (1, 2)),
        *(_feature("historization", version, historized) for version in (1, 2)),
        *(_overriding(version) for version in (1, 2)),
        _feature("requirement", 1, _cotype("Required", "Field"), versions=(3, 4)),
        _feature("requirement", 2, _cotype("Required", "Field", "Property"), versions=(3, 4)),
        *(_mqtt(version) for version in (1, 2, 3, 4)),
        _iot_central(),
        _iot_operations(),
    ]
    return {row.specifier: row for row in rows}


LIMIT_SPECIFIERS = tuple(specifier for specifier in LIMITS if specifier.startswith("dtmi:dtdl:limits:"))
"""Extensions that only raise limits."""

RESERVED_PREFIXES = ("dtmi:dtdl:", "dtmi:standard:")
"""Identifiers that no document may define; an extension's own prefix joins them where the extension is in force."""

PARTNER_PREFIXES = ("dtmi:iotcentral:", "dtmi:iotoperations:")
"""Identifiers that can only be defined by a partner extension, so that a reference to an unknown one is an error."""


@cache
def cotypes_by_id() -> dict[str, Cotype]:
    """Every co-type by DTMI: an @type may name one by DTMI without its context."""
    rows = [*standard_cotypes(), *(cotype for row in extensions().values() for cotype in row.cotypes)]
    return {row.id: row for row in rows}
