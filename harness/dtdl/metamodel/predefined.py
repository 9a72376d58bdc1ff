"""The elements that the language itself defines: primitives, geospatial and other standard schemas, units, command
types.

They are built on first use and shared by all models; they belong to no document (number -1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from harness.dtdl.metamodel import quantities, units
from harness.dtdl.metamodel.core import COMMAND_TYPES, PRIMITIVES, VERSIONS, primitive_id
from harness.dtdl.metamodel.members import Member
from harness.dtdl.model import Draft, Element

_NO_DOCUMENT = -1

_GEOSPATIAL = {
    # term: (value of the member "type", how deep the member "coordinates" nests positions)
    "lineString": ("LineString", 1),
    "multiLineString": ("MultiLineString", 2),
    "multiPoint": ("MultiPoint", 1),
    "multiPolygon": ("MultiPolygon", 3),
    "point": ("Point", 0),
    "polygon": ("Polygon", 2),
}
"""GeoJSON geometries (RFC 7946), in every version of DTDL."""

_RECORDS = {
    # id without version: (versions, fields with the terms of their schemas)
    "dtmi:standard:schema:scaledDecimal": ((4,), {"scale": "short", "value": "decimal"}),
    "dtmi:iotcentral:schema:geopoint": ((2,), {"lat": "double", "lon": "double", "alt": "double"}),
    "dtmi:iotcentral:schema:vector": ((2,), {"x": "double", "y": "double", "z": "double"}),
}


@cache
def schema_ids(version: int) -> Mapping[str, str]:
    """The standard schemas of a DTDL version: DTMI by term."""
    geospatial = {term: _geospatial_id(term, version) for term in _GEOSPATIAL}
    records = {"scaledDecimal": "dtmi:standard:schema:scaledDecimal;4"} if version >= 4 else {}
    primitives = {row.term: primitive_id(row, version) for row in PRIMITIVES if row.since <= version}
    return primitives | geospatial | records


_built: dict[str, Element] = {}


def find(identifier: str) -> Element | None:
    """The predefined element of this DTMI, always the same one; None where the language defines none."""
    element = _built.get(identifier) or _build(identifier)
    if element is not None:
        _built[identifier] = element
    return element


def _build(identifier: str) -> Element | None:
    stem, _, version = identifier.partition(";")
    if stem.startswith("dtmi:dtdl:instance:Schema:"):
        return _primitive(stem.rpartition(":")[2], version)
    if stem.startswith("dtmi:standard:schema:geospatial:"):
        return _geospatial(stem.rpartition(":")[2], version)
    if stem.startswith("dtmi:dtdl:instance:CommandType:"):
        term = stem.rpartition(":")[2]
        known = term in COMMAND_TYPES and version in {"2", "3", "4"}
        return _element(identifier, "CommandType", int(version)) if known else None
    if stem in _RECORDS:
        versions, fields = _RECORDS[stem]
        return _record(stem, int(version), fields) if version in map(str, versions) else None
    return _quantity(stem, version)


def closure(element: Element) -> Iterator[Element]:
    """The predefined element and those it is made of, each once."""
    seen = {element.id: element}
    queue = [element]
    for each in queue:
        for value in (*each.members.values(), *each.supplemental.values()):
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Element) and part.id not in seen:
                    seen[part.id] = part
                    queue.append(part)
    return iter(queue)


def _element(
    identifier: str,
    kind: str,
    version: int,
    members: Mapping[str, object] | None = None,
    types: tuple[str, ...] = (),
    supplemental: Mapping[str, object] | None = None,
) -> Element:
    draft = Draft()
    draft.id = identifier
    draft.kind = kind
    draft.dtdl_version = version
    draft.members = members or {}
    name = draft.members.get("name")
    draft.name = name if isinstance(name, str) else None
    draft.types = types
    draft.supplemental = supplemental or {}
    draft.defined_in = draft.child_of = None
    draft.pointer = ""
    draft.document = _NO_DOCUMENT
    return draft.seal()


def _primitive(term: str, version: str) -> Element | None:
    """A primitive is one element in all versions: it bears the number of the version that brought it."""
    for row in PRIMITIVES:
        if row.term == term and version in {str(each) for each in VERSIONS if each >= row.since}:
            if int(version) != row.since:
                return find(primitive_id(row, row.since))
            return _element(primitive_id(row, row.since), row.kind, row.since, {"displayName": {"en": term}})
    return None


def _standard_primitive(term: str) -> Element:
    found = next(find(primitive_id(row, row.since)) for row in PRIMITIVES if row.term == term)
    assert found is not None
    return found


def _geospatial_id(term: str, version: int | str) -> str:
    return f"dtmi:standard:schema:geospatial:{term};{version}"


def _geospatial(term: str, version: str) -> Element | None:
    if version not in {str(each) for each in VERSIONS}:
        return None
    if term == "position":
        return _array(_geospatial_id(term, version), _standard_primitive("double"))
    if term not in _GEOSPATIAL:
        return None
    geometry, nesting = _GEOSPATIAL[term]
    number = int(version)
    base = f"dtmi:standard:schema:geospatial:{term}"
    coordinates = find(_geospatial_id("position", version))
    assert coordinates is not None
    for level in range(nesting, 0, -1):
        inner = ":_elementSchema" * (level - 1)
        coordinates = _array(f"{base}:_fields:__coordinates:_schema{inner};{version}", coordinates)
    value = _element(
        f"{base}:_fields:__type:_schema:_enumValues:__{geometry};{version}",
        "EnumValue",
        number,
        {"name": geometry, "enumValue": geometry},
    )
    kind = _element(
        f"{base}:_fields:__type:_schema;{version}",
        "Enum",
        number,
        {"valueSchema": _standard_primitive("string"), "enumValues": (value,)},
    )
    return _object(base, number, {"type": kind, "coordinates": coordinates})


def _array(identifier: str, of: Element) -> Element:
    version = int(identifier.rpartition(";")[2])
    return _element(identifier, "Array", version, {"elementSchema": of})


def _record(stem: str, version: int, fields: Mapping[str, str]) -> Element:
    return _object(stem, version, {name: _standard_primitive(term) for name, term in fields.items()})


def _object(stem: str, version: int, schemas: Mapping[str, Element]) -> Element:
    fields = tuple(
        _element(f"{stem}:_fields:__{name};{version}", "Field", version, {"name": name, "schema": schema})
        for name, schema in schemas.items()
    )
    return _element(f"{stem};{version}", "Object", version, {"fields": fields})


_EXTENSION = "dtmi:dtdl:extension:quantitativeTypes:v"
_DTDL_VERSION = {quantities.STANDARD: 2, 1: 3, 2: 4, 3: 4}
"""The version of DTDL that each version of the extension belongs to."""


def _quantity(stem: str, version: str) -> Element | None:
    """A unit, or a kind of unit as an Enum of its units. DTDL v2 keeps them in its standard, later versions in the
    extension."""
    if stem.startswith("dtmi:standard:") and version == "2":
        kind, _, term = stem.removeprefix("dtmi:standard:").partition(":")
        return _QUANTITIES[kind](term, quantities.STANDARD) if kind in ("unit", "unitprefix") else None
    if stem.startswith(_EXTENSION) and not version:
        number, _, rest = stem[len(_EXTENSION) :].partition(":")
        kind, _, term = rest.partition(":")
        if number in {"1", "2", "3"} and kind in _QUANTITIES:
            return _QUANTITIES[kind](term, int(number))
    return None


def unit_id(unit: str, extension_version: int) -> str:
    return _named("unit", unit, extension_version)


def unit_enum_id(kind: str, extension_version: int) -> str:
    return f"{_EXTENSION}{extension_version}:enum:{kind}"


def _unit(unit: str, extension_version: int) -> Element | None:
    known = quantities.unit_kinds(extension_version)
    if unit not in known and unit not in units.POWERS:
        return None
    standard = extension_version == quantities.STANDARD
    types = [_named("class", known.get(unit, "Unit") if standard else "SymbolicUnit", extension_version)]
    supplemental: dict[str, object] = {"symbol": units.symbol(unit)}
    if unit in units.POWERS:
        supplemental["baseUnit"] = find(unit_id(units.POWERS[unit], extension_version))
    prefixed = units.prefix_and_base(unit, known)
    if prefixed:
        prefix, multiplied = prefixed
        kind = "BinaryUnit" if prefix in units.BINARY_PREFIXES else "DecimalUnit"
        types.append(_named("class", kind, extension_version))
        supplemental["baseUnit"] = find(unit_id(multiplied, extension_version))
        supplemental["prefix"] = find(_named("unitprefix", prefix, extension_version))
    ratio = units.ratio(unit, known)
    if ratio:
        types.append(_named("class", "RatioUnit", extension_version))
        supplemental["topUnit"], supplemental["bottomUnit"] = (find(unit_id(part, extension_version)) for part in ratio)
    return _element(
        unit_id(unit, extension_version),
        "Unit" if standard else "EnumValue",
        _DTDL_VERSION[extension_version],
        {"name": unit} if standard else {"name": unit, "enumValue": unit},
        tuple(types),
        supplemental,
    )


def _unit_prefix(prefix: str, extension_version: int) -> Element | None:
    found = units.DECIMAL_PREFIXES.get(prefix) or units.BINARY_PREFIXES.get(prefix)
    if found is None:
        return None
    symbol, exponent = found
    standard = extension_version == quantities.STANDARD
    system = "BinaryPrefix" if prefix in units.BINARY_PREFIXES else "DecimalPrefix"
    return _element(
        _named("unitprefix", prefix, extension_version),
        "UnitAttribute" if standard else "EnumValue",
        _DTDL_VERSION[extension_version],
        {"name": prefix} if standard else {"name": prefix, "enumValue": prefix},
        (_named("class", system if standard else "UnitPrefix", extension_version),),
        {"symbol": symbol, "exponent": exponent},
    )


def _named(kind: str, term: str, extension_version: int) -> str:
    """The DTMI of a unit, a prefix or a class of them."""
    if extension_version == quantities.STANDARD:
        return f"dtmi:standard:{kind}:{term};2"
    return f"{_EXTENSION}{extension_version}:{kind}:{term}"


def _unit_enum(kind: str, extension_version: int) -> Element | None:
    members = [unit for unit, of in quantities.unit_kinds(extension_version).items() if of == kind]
    if not members:
        return None
    values = tuple(find(unit_id(unit, extension_version)) for unit in members)
    return _element(
        unit_enum_id(kind, extension_version),
        "Enum",
        _DTDL_VERSION[extension_version],
        {"valueSchema": _standard_primitive("string"), "enumValues": values},
    )


_QUANTITIES = {"unit": _unit, "unitprefix": _unit_prefix, "enum": _unit_enum}


def is_unit_of(member: Member, unit: Element) -> bool:
    """Whether a predefined element is a unit of the kind that a member demands, from the same source."""
    kinds = quantities.unit_kinds(member.unit_source)
    name = unit.name or ""
    known = unit.id == unit_id(name, member.unit_source)
    return known and member.unit_kind in (None, kinds.get(name))


def unit_enum_of(member: Member) -> str | None:
    """The Enum of the units that a member takes."""
    return None if member.unit_kind is None else unit_enum_id(member.unit_kind, member.unit_source)


def parent_of_unit(identifier: str) -> str | None:
    """The Enum that an extension's unit is a value of; DTDL v2's own units have none."""
    source, _, unit = identifier.removeprefix(_EXTENSION).partition(":unit:")
    if not unit or source not in {"1", "2", "3"}:
        return None
    kind = quantities.unit_kinds(int(source)).get(unit)
    return None if kind is None else unit_enum_id(kind, int(source))
