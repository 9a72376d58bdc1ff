"""How properties are reported: initial values, shapes that twins and models take, what becomes of refused patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks import requirements
from harness.checks.envelope import (
    ACCEPTED,
    OWN_VALUE,
    answers,
    bare,
    code_of,
    example,
    has_codes,
    is_complete,
    may_be_envelope,
)
from harness.checks.evidence import Evidence, Report
from harness.checks.registry import Findings, NotObservable, check, finding
from harness.checks.values import shown
from harness.dtdl import Capability, check_value
from harness.record import events as ev
from harness.verdict import Finding, Severity

_REPEATED = 3
"""Times that the same refused patch is sent before it counts as repeated: a retry or two are good practice."""


@check(requirements.CONVENTIONS)
def initial_values(evidence: Evidence) -> Findings:
    """What a device reports of a writable property by itself says so: ac 203 and av 0."""
    for capability in evidence.capabilities:
        if capability.kind == "property" and capability.writable:
            first = evidence.reports.get(capability.path, [])[:1]
            written = [w.after for _, w in evidence.writes.get(capability.path, [])]
            for report in first:
                if not written or report.n <= written[0]:
                    yield from _initial(capability, report)
            yield from _own(evidence, capability)
            yield from _told_bare(evidence, capability)
    return None


def _initial(capability: Capability, report: Report) -> Iterator[Finding]:
    path, value = capability.path, report.value
    if value is None:
        return
    if _is_half_wrapped(capability, value):
        missing = " and ".join(sorted({"ac", "av"} - value.keys()))
        yield _finding(
            "initial-value-incomplete",
            f"The device first reports the writable property {path} as an object with `value`, but without {missing}.",
            path,
            report,
            "Report it with ac 203 and av 0 beside value; without them services take the object for the value.",
        )
    elif not has_codes(value):
        plain = not isinstance(value, Mapping)
        if plain or (capability.schema is not None and not check_value(capability.schema, value)):
            yield _finding(
                "initial-value-bare",
                f"The device first reports the writable property {path} as a bare value.",
                path,
                report,
                "Report it as an object with value, ac 203 and av 0.",
            )
    elif value["ac"] == ACCEPTED and value["av"] == 0 and not isinstance(value["av"], bool):
        yield _finding(
            "initial-value-code",
            f"The device first reports {path} as if it answered a desired change: ac 200 with av 0.",
            path,
            report,
            "Use ac 203 for a value that the device sets by itself (Microsoft's older samples use 200).",
        )


def _is_half_wrapped(capability: Capability, value: Any) -> bool:
    """Whether it is meant as an acknowledgement and lacks something; an object may have a field named `value`."""
    if capability.schema is None or has_codes(value) or not may_be_envelope(value):
        return False
    return bool(check_value(capability.schema, value)) and not check_value(capability.schema, value["value"])


def _own(evidence: Evidence, capability: Capability) -> Iterator[Finding]:
    for report in evidence.reports.get(capability.path, []):
        value = report.value
        if code_of(value) == OWN_VALUE and value.get("av") not in (0, None):
            yield _finding(
                "own-value-version",
                f"The device reports {capability.path} as a value of its own (ac 203), but names a desired version.",
                capability.path,
                report,
                "Use ac 203 only with av 0; answer a desired change with ac 200 and its version.",
            )
            return


def _told_bare(evidence: Evidence, capability: Capability) -> Iterator[Finding]:
    """A bare value after the acknowledgement of the last change, which takes that out of the twin."""
    path, schema = capability.path, capability.schema
    writes = [w for _, w in evidence.writes.get(path, []) if w.version is not None]
    reports = evidence.reports.get(path, [])
    for report in reports:
        value = report.value
        fits = not isinstance(value, Mapping) or (schema is not None and not check_value(schema, value))
        last = max((w for w in writes if w.after < report.n), key=lambda w: w.after, default=None)
        if value is None or has_codes(value) or not fits or last is None or last.purpose in ("negative", "removed"):
            continue
        if any(
            last.after < r.n < report.n and is_complete(r.value) and answers(r.value, last.version) for r in reports
        ):
            yield _finding(
                "own-value-bare",
                f"The device acknowledged {path} and then reports it as a bare value, which takes the acknowledgement "
                "out of the twin.",
                path,
                report,
                "Report it as an object whenever it is reported: with value, and with ac 203 and av 0 where nobody "
                "desired it; or leave it out where nothing has changed.",
            )
            return


def _finding(code: str, message: str, path: str, report: Report, remedy: str) -> Finding:
    return finding(
        requirements.CONVENTIONS,
        code,
        message,
        severity=Severity.WARNING,
        element=path,
        expected=example(0, code=OWN_VALUE),
        actual=shown(report.value),
        events=(report.n,),
        remedy=remedy,
    )


@check(requirements.DEVICE_TWIN)
def no_arrays_in_properties(evidence: Evidence) -> Findings:
    """No reported property holds an array, which DTDL v2 forbids in properties."""
    for path, reports in list(evidence.reports.items()):
        capability = evidence.by_path.get(path)
        bad = [r for r in reports if _has_array(r.value) and not _may(capability, r.value)]
        if bad:
            yield finding(
                requirements.DEVICE_TWIN,
                "property-array",
                f"The device reports {path} with an array in it.",
                element=path,
                expected="an object or a map, whose members have names",
                actual=shown(bad[0].value),
                events=tuple(r.n for r in bad[:5]),
                remedy="Report a map in place of the array, and declare it so.",
            )
    return None


def _has_array(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_array, value.values()))
    return isinstance(value, list)


def _may(capability: Capability | None, value: Any) -> bool:
    """Whether the schema takes it: DTDL v3 allows arrays in properties."""
    if capability is None or capability.kind != "property" or capability.schema is None:
        return False
    return not check_value(capability.schema, bare(value))


@check(requirements.CONVENTIONS, stage=2)
def refused_patches_are_read(evidence: Evidence) -> Findings:
    """A patch that the hub refused is not sent again and again."""
    if not evidence.shows("wire"):
        raise NotObservable("Azure does not show patches that it refused; the local target does (--target local).")
    refused = [(n, e) for n, e in evidence.of(ev.ReportedPatched) if 400 <= e.status < 429]
    for payload, times in Counter(e.payload for _, e in refused).items():
        if times >= _REPEATED:
            numbers = tuple(n for n, e in refused if e.payload == payload)
            yield finding(
                requirements.CONVENTIONS,
                "refused-patch-repeated",
                f"The device sent a reported patch {times} times that the hub had refused.",
                severity=Severity.WARNING,
                expected="the status of each reported patch read",
                actual=payload[:200].decode("utf-8", "replace"),
                events=numbers[:10],
                remedy="Read the status in $iothub/twin/res/{status}; correct a patch that is answered with 400.",
            )
    return None
