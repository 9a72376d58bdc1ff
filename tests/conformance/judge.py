"""Runs one case against the parser and says whether it agrees with what the reference did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.dtdl import Element, Model, ModelError, ParsingError, ResolutionError, parse
from harness.dtdl.dtmi import Dtmi
from tests.conformance.data import PREFIX, Case

_QUIRKS = {
    "TolerateSolecismsInParse": "tolerate-solecisms-in-parse",
    "TolerateSolecismsInResolve": "tolerate-solecisms-in-resolve",
}

_FIELDS = {
    # field of an expected error: attribute of ours
    "PrimaryID": "element",
    "SecondaryID": "secondary",
    "SecondaryId": "secondary",
    "Property": "property",
    "AuxProperty": "aux",
    "Value": "value",
    "Type": "type",
    "Restriction": "restriction",
}

_NOT_OURS = frozenset({"description"})
"""Texts of predefined elements that this library words itself, or leaves out."""


@dataclass(frozen=True)
class Outcome:
    """What the parser did with a case."""

    valid: bool
    errors: tuple[ParsingError, ...] = ()
    unresolved: tuple[str, ...] | None = None
    model: Model | None = None
    asked: tuple[frozenset[str], ...] = ()


@dataclass
class Judgement:
    """Where an outcome agrees: None where the case does not ask."""

    verdict: bool
    errors: bool | None = None
    elements: bool | None = None
    unresolved: bool | None = None
    why: list[str] = field(default_factory=list)


def run(case: Case) -> Outcome:
    options = case.get("options") or {}
    allow = options.get("allow_undefined_extensions", "per_default")
    asked: list[frozenset[str]] = []

    def resolve(ids: list[str]) -> list[Any] | None:
        asked.append(frozenset(ids))
        for step in case.get("resolution") or ():
            if set(step["request"]) == set(ids):
                response: list[Any] | None = step["response"]
                return response
        return None

    try:
        model = parse(
            case["input"],
            resolve=resolve if case.get("resolution") else None,
            max_version=options.get("max_dtdl_version") or 4,
            undefined_extensions="per-default" if allow == "per_default" else allow,
            limits=options.get("acceptable_limits") or (),
            quirks=[_QUIRKS[quirk] for quirk in options.get("quirks") or ()],  # type: ignore[misc]
        )
    except ModelError as error:
        return Outcome(False, error.errors, asked=tuple(asked))
    except ResolutionError as error:
        return Outcome(False, unresolved=error.unresolved, asked=tuple(asked))
    return Outcome(True, model=model, asked=tuple(asked))


def judge(case: Case) -> Judgement:
    if case["kind"] == "dtmi":
        return _judge_dtmi(case)
    outcome = run(case)
    result = Judgement(outcome.valid == case["expected_valid"])
    if not result.verdict:
        result.why.append(f"expected {'valid' if case['expected_valid'] else 'invalid'}: {_first(outcome)}")
    expected_errors = case.get("expected_errors")
    if not case["expected_valid"] and expected_errors:
        result.errors = _errors_agree(outcome, expected_errors, result.why)
    if case.get("expected_error_kind") == "resolution":
        result.unresolved = set(outcome.unresolved or ()) == set(case.get("expected_unresolved") or ())
        if not result.unresolved:
            result.why.append(f"unresolved {outcome.unresolved}, expected {case.get('expected_unresolved')}")
    if outcome.model is not None and case.get("expected_elements"):
        wrong = [why for row in case["expected_elements"] for why in _element_differs(outcome.model, row)]
        result.elements = not wrong
        result.why += wrong
    return result


def _first(outcome: Outcome) -> str:
    if outcome.errors:
        return "; ".join(map(str, outcome.errors[:3]))
    return f"unresolved {outcome.unresolved}" if outcome.unresolved else "no error"


def _errors_agree(outcome: Outcome, expected: list[Case], why: list[str]) -> bool:
    """Whether something is reported, and each error is one of those listed."""
    stray = [error for error in outcome.errors if not any(_is(error, row) for row in expected)]
    for error in stray:
        why.append(f"{error.code} is not listed: {error}")
    return bool(outcome.errors) and not stray


def _is(error: ParsingError, expected: Case) -> bool:
    if expected["ValidationID"] != PREFIX + error.code:
        return False
    for name, attribute in _FIELDS.items():
        wanted = expected.get(name)
        if wanted is None:
            continue
        choices = wanted if isinstance(wanted, list) else [wanted]
        if getattr(error, attribute) not in {str(choice) for choice in choices}:
            return False
    return True


# ---------------------------------------------------------------------- elements


def _element_differs(model: Model, expected: Case) -> Iterable[str]:
    element = model.elements.get(expected["id"])
    if element is None:
        yield f"no element {expected['id']}"
        return
    if expected.get("type") and element.kind != expected["type"]:
        yield f"{element} is not a {expected['type']}"
    for term, value in (expected.get("properties") or {}).items():
        ours = _property(model, element, term)
        if term not in _NOT_OURS and not _same(ours, value):
            yield f"{element} has {term} {ours}, expected {value}"
    types = expected.get("supplementalTypes")
    if types is not None and not set(types) <= set(element.types):
        yield f"{element} has types {element.types}, expected {types}"
    undefined = expected.get("undefinedTypes")
    if undefined is not None and set(element.types) != {*undefined, *(types or ())}:
        yield f"{element} has types {element.types}, expected {undefined}"
    for name, value in (expected.get("supplementalProperties") or {}).items():
        ours = _plain(element.supplemental.get(name.partition(";")[0].rpartition(":")[2]))
        if not name.endswith(":ttl") and ours != value:
            yield f"{element} has {name} {ours}, expected {value}"
    for name, value in (expected.get("undefinedProperties") or {}).items():
        if element.supplemental.get(name) != value:
            yield f"{element} has {name} {element.supplemental.get(name)}, expected {value}"


_CONTENTS_BY_KIND = {
    "commands": "Command",
    "components": "Component",
    "properties": "Property",
    "relationships": "Relationship",
    "telemetries": "Telemetry",
}


def _property(model: Model, element: Element, term: str) -> Any:
    if element.kind == "Interface" and term == "contents":
        return {name: content.id for name, content in model.contents(element.id).items()}
    if element.kind == "Interface" and term in _CONTENTS_BY_KIND:
        contents = model.contents(element.id).items()
        return {name: each.id for name, each in contents if each.kind == _CONTENTS_BY_KIND[term]}
    if term == "extendedBy":
        extending = (each for each in model.interfaces.values() if element in each.elements("extends"))
        return [each.id for each in extending]
    if term == "definedIn":
        return element.defined_in
    if term == "languageMajorVersion":
        return element.dtdl_version
    if term in ("extends", "schemas") and term not in element.members:
        return []
    return _plain(element.members.get(term))


def _plain(value: Any) -> Any:
    """An Element as its id, a tuple as a list."""
    if isinstance(value, Element):
        return value.id
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value


def _same(ours: Any, expected: Any) -> bool:
    if isinstance(ours, list) and isinstance(expected, list):
        return sorted(ours) == sorted(expected)
    return bool(ours == expected)


# ---------------------------------------------------------------------- single DTMIs


def _judge_dtmi(case: Case) -> Judgement:
    try:
        dtmi = Dtmi.parse(case["dtmi"])
    except ValueError as error:
        return Judgement(not case["expected_valid"], why=[] if not case["expected_valid"] else [str(error)])
    result = Judgement(case["expected_valid"])
    expected = case.get("expected_properties") or {}
    ours = {
        "MajorVersion": dtmi.major,
        "MinorVersion": dtmi.minor,
        "Versionless": dtmi.versionless,
        "Labels": list(dtmi.labels),
        "IsReserved": dtmi.is_system,
        "Fragment": dtmi.fragment,
    }
    result.why = [
        f"{name} {ours[name]}, expected {expected[name]}" for name in ours if expected and ours[name] != expected[name]
    ]
    result.elements = not result.why
    return result
