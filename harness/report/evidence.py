"""What a case rests on, for reports of single tests: its properties, and the entries of the record in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.evidence import path_of
from harness.checks.requirements import CLAUSES
from harness.record import events as ev
from harness.report.html.payloads import compact
from harness.report.html.words import single
from harness.report.text import case_text, plain
from harness.verdict import CaseResult, Outcome
from harness.watch.content import clip
from harness.watch.wording import words

if TYPE_CHECKING:
    from harness.run import Run

SKIPPED = (Outcome.BLOCKED, Outcome.NOT_OBSERVABLE, Outcome.NOT_CHOSEN)
"""Outcomes that a test framework knows as a skipped test."""
_QUOTED = 10
"""Entries quoted for a case; the journal has all."""
_WORDS = 240
"""Characters of one of them."""


def fails(run: Run, result: CaseResult) -> bool:
    """Whether the case fails its test; with --strict, a warning does."""
    return result.outcome is Outcome.FAILED or (result.outcome is Outcome.WARNING and run.settings.strict)


def properties(result: CaseResult) -> list[tuple[str, str]]:
    """Name and value of what is known of a case beside its outcome in JUnit's words; what is empty is left out.

    `findings` are their codes, each once, separated by commas.
    """
    clauses = dict.fromkeys(f.clause for f in result.findings if f.clause)
    found = {
        "requirement": result.requirement,
        "clause": "; ".join(clauses) or CLAUSES.get(result.requirement, ""),
        "element": result.element,
        "outcome": result.outcome.value,
        "findings": ", ".join(dict.fromkeys(f.code for f in result.findings)),
    }
    return [(name, plain(value)) for name, value in found.items() if value]


def output(run: Run, result: CaseResult) -> str:
    """What a test prints, as it were: what is to be said of a case that does not fail, and the entries it rests on.

    Of a failure the words are elsewhere; what was skipped rests on nothing.
    """
    if result.outcome in (*SKIPPED, Outcome.ERROR):
        return ""
    said = "" if fails(run, result) else run.redactor.clean(case_text(result))
    return "\n".join(filter(None, (said.strip(), quoted(run, result))))


def quoted(run: Run, result: CaseResult) -> str:
    """The entries that the findings of a case name, else the one that settled it: number, time, kind, what.

    A line each, without a secret and without what moves a cursor or looks like a command to a CI system.
    """
    numbers = sorted({n for f in result.findings for n in f.events})
    if not numbers and result.decided is not None:
        numbers = [result.decided]
    entries = run.recorder.entries
    lines = []
    for n in [n for n in numbers if 0 < n <= len(entries)][:_QUOTED]:
        entry = entries[n - 1]
        what = clip(run.redactor.clean(_said(entry.event)), _WORDS)
        lines.append(plain(f"entry {n} at {entry.t:.3f} s, {entry.event.kind}: {what}"))
    if len(numbers) > _QUOTED:
        lines.append(f"and {len(numbers) - _QUOTED} more entries of journal.jsonl")
    return "\n".join(lines)


_ON_THE_WIRE = (
    ev.TelemetryReceived,
    ev.ReportedPatched,
    ev.DesiredChanged,
    ev.MethodRequested,
    ev.MethodAnswered,
    ev.RegistrationRequested,
    ev.RegistrationAnswered,
)
"""Events whose payload is the evidence."""


def _said(event: ev.Event) -> str:
    match event:
        case ev.CommandSent():
            asked = f" with {compact(event.payload)}" if event.has_payload else ""
            return f"{path_of(event.component, event.name)} invoked{asked}"
        case ev.CommandReturned():
            answer = event.error if event.status is None else f"{event.status} {compact(event.payload)}"
            return f"{path_of(event.component, event.name)} answered: {answer}"
        case ev.PropertyWritten():
            return f"{path_of(event.component, event.name)} set to {compact(event.value)} {event.error}".rstrip()
    if isinstance(event, _ON_THE_WIRE):
        return " ".join(words(event)).strip()
    told = single(event)
    return "; ".join(filter(None, (told.what, told.came, told.judged)))
