"""The model: found, valid, and an Interface."""

from __future__ import annotations

from harness.checks import requirements
from harness.checks.causes import NO_MODEL
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, check, finding
from harness.record import events as ev

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
