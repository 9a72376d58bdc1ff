"""The last words on the terminal: what to know, in the words of the reports, and the verdict last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.record import events as ev
from harness.report.folding import folded, width_of
from harness.report.replayed import against_the_record
from harness.report.result import timing
from harness.report.text import finding_text, plain
from harness.verdict import CaseResult, Finding, Outcome, Severity, Verdict

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.run import Run

_COLOURS = {Verdict.PASSED: "green", Verdict.WARNINGS: "yellow", Verdict.FAILED: "red"}
_LABELS = {Severity.ERROR: "failed", Severity.WARNING: "warning", Severity.INFO: "note"}
_LABEL = 9
"""Columns of the labels."""


def summary(run: Run, verdict: Verdict, terminal: TerminalReporter) -> None:
    """Write the summary; failures were shown by pytest already (but for `--tb no`), warnings and notes were not."""
    sheet = _Sheet(run, terminal)
    terminal.ensure_newline()
    terminal.section("pre-flight" + (f": {run.settings.device}" if run.settings.device else ""), sep="=")
    results = list(run.results.values())
    for finding in _not_shown_yet(run, results, terminal):
        sheet.line(f"{_LABELS[finding.severity]}: {finding_text(finding)}")
        sheet.line("")
    blocked = Counter(r.reason for r in results if r.outcome is Outcome.BLOCKED)
    for reason, count in blocked.items():
        sheet.line(f"{count} blocked: {reason.partition(chr(10))[0]}", yellow=True)
    _facts(run, sheet)
    for _, failure in run.evidence.of(ev.HarnessFailed):
        text = f"the pre-flight itself failed in {failure.where}: {failure.message}. Please report this."
        sheet.row("harness", text, yellow=True)
    for damage in run.damage:
        sheet.row("journal", damage, yellow=True)
    for fault in run.folder.faults:
        sheet.row("reports", fault, yellow=True)
    if run.settings.replay:
        for line in against_the_record(run, verdict):
            sheet.line(line)
    strict = " (--strict: warnings fail the run)" if run.settings.strict and verdict is Verdict.WARNINGS else ""
    colour = _COLOURS[verdict] if not strict else "red"
    sheet.row("verdict", f"{verdict.phrase}{strict}", bold=True, **{colour: True})


def _not_shown_yet(run: Run, results: list[CaseResult], terminal: TerminalReporter) -> list[Finding]:
    options = getattr(getattr(terminal, "config", None), "option", None)
    if getattr(options, "tbstyle", "") == "no":
        return [f for r in results for f in r.findings]
    failed = (Outcome.FAILED, Outcome.ERROR)
    findings = [f for r in results for f in r.findings if r.outcome not in failed and f.severity is not Severity.ERROR]
    return findings if not run.settings.strict else [f for f in findings if f.severity is Severity.INFO]


class _Sheet:
    """Lines on the terminal: without secrets, without what moves a cursor, folded at words where somebody looks on."""

    def __init__(self, run: Run, terminal: TerminalReporter) -> None:
        self._clean = run.redactor.clean
        self._terminal = terminal
        self._width = width_of(terminal)

    def line(self, text: str, **markup: bool) -> None:
        self._write(text, "", markup)

    def row(self, label: str, text: str, **markup: bool) -> None:
        self._write(f"{label + ':':{_LABEL}}{text}", " " * _LABEL, markup)

    def _write(self, text: str, indent: str, markup: dict[str, bool]) -> None:
        self._terminal.write_line(folded(plain(self._clean(text)), self._width, indent), **markup)


def _facts(run: Run, sheet: _Sheet) -> None:
    counts = Counter(r.outcome for r in run.results.values())
    cases = ", ".join(f"{counts[o]} {o.value}" for o in Outcome if counts[o])
    seconds = timing(run)["finished"]  # as the other reports have it, rounded once
    sheet.row("device", f"{_device(run)} ({run.evidence.device_id or 'never connected'})")
    sheet.row("model", run.model_id or "unknown")
    sheet.row("target", run.settings.target)
    sheet.row("cases", f"{cases or 'none judged'} in {seconds:.1f} s")
    if run.spent:
        sheet.row("azure", run.spent)
    sheet.row("reports", _reports(run))
    if run.settings.bundle and run.settings.bundle.exists():
        sheet.row("bundle", str(run.settings.bundle))


def _device(run: Run) -> str:
    """As it was started; of a replay, as it was then."""
    started = run.evidence.first(ev.RunStarted)
    settings = started[1].settings if started and run.settings.replay else {}
    return str(settings.get("dut") or run.settings.dut or "-")


def _reports(run: Run) -> str:
    if run.settings.replay and "reports" not in run.settings.origins:
        return "none: a replay writes them only where --reports names a folder"
    return str(run.folder.path)
