"""The model: found, valid, and an Interface."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.checks import requirements
from harness.checks.causes import NO_MODEL
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, check, finding
from harness.record import events as ev
from harness.verdict import Severity

_REMEDIES = {
    "not-found": "Name the folder or URL of the model with --models, or publish it to the device model repository.",
    "invalid": "Correct the model; `preflight model check` shows every problem with file and line.",
    "not-an-interface": "The announced id must be that of the root Interface.",
}


@check(requirements.MODEL_REPO, stage=1)
def model_is_found(evidence: Evidence) -> Findings:
    """The root model and all it depends on are found in a repository."""
    return (yield from _resolved(evidence, requirements.MODEL_REPO, ("not-found",)))


@check(requirements.DTDL, stage=1)
def model_is_valid(evidence: Evidence) -> Findings:
    """The model is valid DTDL and its id is that of an Interface."""
    return (yield from _resolved(evidence, requirements.DTDL, ("invalid", "not-an-interface")))


def _resolved(evidence: Evidence, requirement: str, reasons: tuple[str, ...]) -> Findings:
    resolved = evidence.final(ev.ModelResolved)
    if resolved:
        return resolved[0]
    rejected = evidence.final(ev.ModelRejected)
    if rejected is None:
        raise Blocked(NO_MODEL)
    n, event = rejected
    if event.reason not in reasons:
        raise Blocked(event.problems[0] if event.problems else "The model was rejected.")
    for problem in event.problems:
        yield finding(
            requirement,
            f"model-{event.reason}",
            problem,
            element=event.model_id,
            expected="a valid Interface and everything it depends on",
            actual=event.reason.replace("-", " "),
            events=(n,),
            remedy=_REMEDIES[event.reason],
        )
    return n


@check(requirements.DTDL, stage=1)
def model_is_dtdl_v2(evidence: Evidence) -> Findings:
    """The model is written in DTDL version 2, the language of the programme."""
    resolved = evidence.final(ev.ModelResolved)
    if resolved is None:
        rejected = evidence.final(ev.ModelRejected)
        raise Blocked(rejected[1].problems[0] if rejected and rejected[1].problems else NO_MODEL)
    n, event = resolved
    newer = {dtmi: version for dtmi, doc in event.documents.items() if (version := _version(doc)) > 2}
    if newer:
        versions = " and ".join(str(v) for v in sorted(set(newer.values())))
        yield finding(
            requirements.DTDL,
            "model-version-newer",
            f"{', '.join(sorted(newer)[:5])} is written in DTDL version {versions}; the programme said version 2.",
            severity=Severity.WARNING,
            element=event.model_id,
            expected="the context dtmi:dtdl:context;2",
            actual=f"dtmi:dtdl:context;{max(newer.values())}",
            events=(n,),
            remedy="Hubs take newer versions today; whoever goes by the letter of the programme may not.",
        )
    return n


def _version(document: Any) -> int:
    """The version of DTDL that a document states; 0 where it states none."""
    contexts = document.get("@context") if isinstance(document, Mapping) else None
    for context in contexts if isinstance(contexts, list) else [contexts]:
        found = re.fullmatch(r"dtmi:dtdl:context;(\d+)(?:#.*)?", context) if isinstance(context, str) else None
        if found:
            return int(found[1])
    return 0
