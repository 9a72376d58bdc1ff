"""The values that a device tells of a property, as the hub takes them, held against the schema."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.checks.envelope import OWN_VALUE, REJECTED, has_codes, may_be_envelope
from harness.checks.evidence import Evidence, Report
from harness.checks.registry import finding
from harness.checks.sameness import same
from harness.checks.values import hint
from harness.dtdl import Capability, check_value
from harness.verdict import Finding

_EVIDENCE_AT_MOST = 10

Told = tuple[int, Any]
"""Entry and value."""


def as_taken(reports: list[Report]) -> list[Told]:
    """What the hub took of a property's reports; the last one where it took none.

    Null removes, at first or to make room for another value; a property that ends with it has none. In an object, too,
    it removes what was there.
    """
    taken = [r for r in reports if r.status < 300] or reports[-1:]
    kept = [r for r in taken if r.value is not None or r is taken[-1]]
    return [(r.n, r.value if r is taken[0] else _without_nulls(r.value)) for r in kept]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value


def of_its_own(evidence: Evidence, capability: Capability, answering: Collection[int]) -> list[Told]:
    """What a device tells of a writable property by itself: before it is set, and with ac 203.

    Entries that are `answering` a desired change are left out, and invalid values that it was given.
    """
    path = capability.path
    writes = [w for _, w in evidence.writes.get(path, [])]
    own = [
        replace(r, value=_meant(capability, r.value))
        for r in evidence.reports.get(path, [])
        if r.n not in answering
        and (_code_of(r) == OWN_VALUE or (_is_no_refusal(r) and all(r.n <= w.after for w in writes)))
    ]
    given = [w for w in writes if w.purpose == "negative"]
    told = [r for r in own if not any(w.after < r.n and same(r.value, w.value) for w in given)]
    return [(n, value) for n, value in as_taken(told) if value is not None]


def _code_of(report: Report) -> Any:
    return report.value["ac"] if has_codes(report.value) else None


def _is_no_refusal(report: Report) -> bool:
    """A refusal of what was desired before may repeat the value that was refused."""
    code = _code_of(report)
    return not isinstance(code, int) or code < REJECTED


def _meant(capability: Capability, value: Any) -> Any:
    """The value that is reported, also where its envelope lacks something; None where the envelope holds none."""
    if has_codes(value):
        return value.get("value")
    lacking = may_be_envelope(value) and capability.schema is not None and check_value(capability.schema, value)
    return value["value"] if lacking else value


def value_findings(requirement: str, capability: Capability, told: list[Told]) -> Iterator[Finding]:
    """One finding for all values that do not fit."""
    path, schema = capability.path, capability.schema
    if schema is None:
        return
    wrong = [(n, value, problems[0]) for n, value in told if (problems := check_value(schema, value))]
    if wrong:
        _, value, first = wrong[0]
        some = f"{len(wrong)} of {len(told)} reported values of {path} did"
        share = some if len(told) > 1 else f"The reported value of {path} does"
        yield finding(
            requirement,
            "property-invalid",
            f"{share} not fit its schema. {first.message}{hint(schema, value)}",
            element=path,
            expected=first.expected,
            actual=first.actual,
            events=tuple(n for n, *_ in wrong[:_EVIDENCE_AT_MOST]),
            remedy="Report the JSON form of the declared schema, or correct the model and raise its version.",
        )
