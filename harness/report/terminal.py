"""The last words on the terminal: what to know, in the words of the reports, and the verdict last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.record import events as ev
from harness.report.replayed import against_the_record
from harness.report.text import finding_text
from harness.verdict import Outcome, Severity, Verdict

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.run import Run

_COLOURS = {Verdict.PASSED: "green", Verdict.WARNINGS: "yellow", Verdict.FAILED: "red"}


def summary(run: Run, verdict: Verdict, terminal: TerminalReporter) -> None:
    """Write the summary; failures were shown by pytest already, warnings and notes were not."""
    terminal.ensure_newline()
    terminal.section("pre-flight", sep="=")
    results = list(run.results.values())
    failed = (Outcome.FAILED, Outcome.ERROR)
    findings = [f for r in results for f in r.findings if r.outcome not in failed and f.severity is not Severity.ERROR]
    shown = findings if not run.settings.strict else [f for f in findings if f.severity is Severity.INFO]
    for finding in shown:
        label = "warning: " if finding.severity is Severity.WARNING else "note: "
        terminal.write_line(run.redactor.clean(label + finding_text(finding)))
        terminal.write_line("")
    _causes(run, terminal)
    counts = Counter(r.outcome for r in results)
    cases = ", ".join(f"{counts[o]} {o.value}" for o in Outcome if counts[o])
    seconds = run.finished if run.finished is not None else run.recorder.now
    rows = {
        "device": f"{run.settings.dut or '-'} ({run.evidence.device_id or 'never connected'})",
        "model": run.model_id or "unknown",
        "target": run.settings.target,
        "cases": f"{cases or 'none judged'} in {seconds:.1f} s",
        "reports": _reports(run),
    }
    if run.settings.bundle and run.settings.bundle.exists():
        rows["bundle"] = str(run.settings.bundle)
    for name, value in rows.items():
        terminal.write_line(f"{name + ':':9}{run.redactor.clean(value)}")
    for _, failure in run.evidence.of(ev.HarnessFailed):
        text = f"the pre-flight itself failed in {failure.where}: {failure.message}. Please report this."
        terminal.write_line(f"{'harness:':9}{run.redactor.clean(text)}", yellow=True)
    for fault in run.folder.faults:
        terminal.write_line(f"{'reports:':9}{fault}", yellow=True)
    if run.settings.replay:
        for line in against_the_record(run, verdict):
            terminal.write_line(line)
    strict = " (--strict: warnings fail the run)" if run.settings.strict and verdict is Verdict.WARNINGS else ""
    colour = _COLOURS[verdict] if not strict else "red"
    terminal.write_line(f"{'verdict:':9}{verdict.phrase}{strict}", bold=True, **{colour: True})


def _reports(run: Run) -> str:
    if run.settings.replay and "reports" not in run.settings.origins:
        return "none: a replay writes them only where --reports names a folder"
    return str(run.folder.path)


def _causes(run: Run, terminal: TerminalReporter) -> None:
    """Each cause of blocked cases once, with how many it blocks."""
    blocked = Counter(r.reason for r in run.results.values() if r.outcome is Outcome.BLOCKED)
    for reason, count in blocked.items():
        terminal.write_line(run.redactor.clean(f"{count} blocked: {reason.partition(chr(10))[0]}"), yellow=True)
