"""report.html put together: everything the template needs, from the run and its summary."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.checks.evidence import Evidence
from harness.checks.requirements import CLAUSES
from harness.checks.trials import TRIALS_OF
from harness.record import events as ev
from harness.report.html import capabilities, facts, figures, raw, rows, words
from harness.report.html.choosing import choose
from harness.report.html.exchanges import exchanges
from harness.report.html.safe import Safe
from harness.report.html.strips import padded
from harness.report.replayed import against_the_record
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from harness.run import Run

STATEMENT = (
    "Self-attested: the device's maker ran this on its own equipment. It is judged by the last published AICS "
    "requirements; Microsoft ended the programme in February 2024, so this is no certificate."
)
SIGNS = {
    "passed": "✓",
    "warning": "!",
    "failed": "✕",
    "not observable": "○",
    "blocked": "■",
    "not chosen": "–",
    "error": "⚠",
    "info": "i",
}
"""Beside the word, never in its place."""
_RANK = {"error": 0, "warning": 1, "info": 2}
_IN_SHORT = 6
"""Findings named on the first screen."""


def page(run: Run, summary: Mapping[str, Any]) -> str:
    """The whole document as text."""
    safe = Safe(run.redactor.clean)
    environment = Environment(
        loader=PackageLoader("harness.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=safe.finalize,
    )
    environment.globals |= {"signs": SIGNS, "directions": rows.DIRECTIONS, "duration": words.duration}
    source = environment.loader
    assert source is not None
    style, script = (source.get_source(environment, name)[0] for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        **context(run, summary, safe), style=Markup(style), script=Markup(script), digest=Markup(digest)
    )


def context(run: Run, summary: Mapping[str, Any], safe: Safe) -> dict[str, Any]:
    """What the template names."""
    entries = run.recorder.entries
    evidence = run.evidence
    evidences = [evidence, *evidence.trials.values()]
    exchanged = exchanges(evidence, entries)
    everything = exchanged + [e for trial in evidence.trials.values() for e in exchanges(trial, entries)]
    found = _numbered(summary["findings"])
    cited, by_element = _citations(found)
    chosen = choose(entries, evidences, set(cited))
    log = rows.Log(entries, chosen, cited)
    log.by_code = {(f["element"], f["code"]): f["number"] for f in found}
    log.serious = {f["number"] for f in found if f["severity"] != "info"}
    log.trial_of = _trial_of(entries) if evidence.trials else {}
    messaging = rows.rows(log, everything, evidences)
    raw_data = raw.raws(entries, messaging, run.redactor.clean)
    span = _span(evidence, entries)
    telemetry = figures.telemetry(evidence, span, safe)
    asked = figures.asked(evidence, exchanged, safe)
    for figure in (*telemetry, *asked):
        figure.findings = by_element.get(figure.path, ())
    verdict = Verdict(summary["verdict"])
    elements = list(dict.fromkeys(path for row in messaging for path in row.elements))
    return {
        "summary": summary,
        "verdict": verdict,
        "tone": {"passed": "passed", "passed-with-warnings": "warning"}.get(verdict.value, "failed"),
        "statement": STATEMENT,
        "why": _why(summary, verdict),
        "notices": _notices(run, verdict),
        "facts": facts.facts(run, summary),
        "counts": _counts(summary["cases"]),
        "findings": found,
        "in_short": [f for f in found if f["severity"] != "info"][:_IN_SHORT],
        "serious": sum(f["severity"] != "info" for f in found),
        "requirements": _requirements(summary),
        "manual": summary.get("manual") or [],
        "model": capabilities.declared(evidence, exchanged, summary["cases"], by_element),
        "telemetry": telemetry,
        "asked": asked,
        "replayed": against_the_record(run, verdict) if run.settings.replay else [],
        "trials": figures.trials(entries, safe),
        "trial_cases": _trial_cases(summary["cases"]),
        "messaging": messaging,
        "raw": raw_data,
        "omitted": chosen.sentences,
        "shown": {n for row in messaging for n in row.events},
        "elements": elements,
        "element_numbers": {path: i for i, path in enumerate(elements)},
        "kinds": sorted({row.kind for row in messaging}),
        "entries": len(entries),
        "settings": facts.settings_in_force(run),
    }


def _numbered(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The findings of result.json, the serious ones first, numbered from 1."""
    ordered = sorted(findings, key=lambda f: _RANK.get(f["severity"], 3))
    return [{**f, "number": i} for i, f in enumerate(ordered, 1)]


def _citations(
    found: Sequence[Mapping[str, Any]],
) -> tuple[dict[int, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    cited: dict[int, list[int]] = defaultdict(list)
    by_element: dict[str, list[int]] = defaultdict(list)
    for f in found:
        for n in f["events"]:
            cited[n].append(f["number"])
        if f["element"]:
            by_element[f["element"]].append(f["number"])
    return {n: tuple(f) for n, f in cited.items()}, {path: tuple(f) for path, f in by_element.items()}


def _why(summary: Mapping[str, Any], verdict: Verdict) -> str:
    """The verdict's reason in a sentence or two."""
    cases = summary["cases"]
    counts = Counter(c["outcome"] for c in cases)
    if not cases:
        return "Nothing was judged, and nothing judged is no pass."
    blocked = Counter(c.get("reason", "").partition("\n")[0] for c in cases if c["outcome"] == "blocked")
    parts = []
    for outcome, verb in (("failed", "failed"), ("error", "could not be judged, by the harness's own fault")):
        if counts[outcome]:
            parts.append(f"{counts[outcome]} of {len(cases)} cases {verb}.")
    parts += [f"{number} blocked: {cause}" for cause, number in blocked.most_common(2)]
    if verdict is Verdict.WARNINGS:
        parts.append(f"No case failed; {counts['warning']} of {len(cases)} passed with warnings, for a reviewer.")
    if verdict is Verdict.PASSED:
        rest = len(cases) - counts["passed"]
        parts.append(
            f"All {counts['passed']} cases judged passed." + (f" {rest} were not judged; see below." if rest else "")
        )
    return " ".join(parts) or "Nothing was judged to the end, and nothing judged is no pass."


def _notices(run: Run, verdict: Verdict) -> list[str]:
    """What a reader has to know beside the verdict."""
    found = []
    interrupted = run.evidence.final(ev.RunInterrupted)
    if interrupted:
        found.append(f"{interrupted[1].message} What had been seen by then is judged.")
    found += [f"The harness itself failed in {e.where}: {e.message}" for _, e in run.evidence.of(ev.HarnessFailed)]
    found += [f"Of the journal, {damage}" for damage in run.damage]
    if run.settings.replay:
        first, *different = against_the_record(run, verdict)
        more = f" {len(different)} cases differ, listed under About." if different else ""
        found.append(f"Judged again from a recorded journal; {first}.{more}")
    return [f"{text.rstrip('.')}." for text in found]


def _counts(cases: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    counts = Counter(c["outcome"] for c in cases)
    return [(o.value, counts[o.value]) for o in Outcome if counts[o.value]]


def _requirements(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_id: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for case in summary["cases"]:
        by_id[case["requirement"]].append(case)
    return [
        {**r, "says": _says(r["id"]), "cases": by_id[r["id"]], "counts": _counts(by_id[r["id"]])}
        for r in summary["requirements"]
    ]


def _says(requirement: str) -> str:
    """What a requirement asks for, without the name of its source, which each finding gives."""
    clause = CLAUSES.get(requirement, "")
    says = clause.partition(f"{requirement}: ")[2] or clause
    return says[:1].upper() + says[1:]


def _trial_of(entries: Sequence[ev.Entry]) -> dict[int, str]:
    """The trial that each entry belongs to."""
    found: dict[int, str] = {}
    trial = ""
    for entry in entries:
        if isinstance(entry.event, ev.TrialBegan):
            trial = entry.event.trial
        if trial:
            found[entry.n] = trial
        if isinstance(entry.event, ev.TrialEnded):
            trial = ""
    return found


def _trial_cases(cases: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The cases that judge a trial, by the trial's name."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for case in cases:
        for trial in TRIALS_OF.get(case["id"], ()):
            found[trial].append(case)
    return found


def _span(evidence: Evidence, entries: Sequence[ev.Entry]) -> tuple[float, float]:
    """The time axis of telemetry: from the first connection, as long as anything of the run itself came."""
    times = [r[i].t for r in evidence.telemetry.values() if r for i in (0, -1)]
    if evidence.connected:
        times.append(entries[evidence.connected[0] - 1].t)
    times += evidence.times(ev.ObservationEnded)[-1:]
    return padded(times, 0.1)
