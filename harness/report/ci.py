"""What GitHub Actions and Azure Pipelines are told when the run is one of theirs: annotations and a summary.

Both read commands off the log, so nothing that a device wrote may look like one: see `harmless`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.verdict import Finding, Severity, Verdict, by_requirement

if TYPE_CHECKING:
    from harness.run import Run

SUMMARY = "summary.md"
_AT_MOST = 10
"""Annotations of one kind: GitHub shows no more of one step."""

_COMMAND = re.compile(r"##(?=(?:vso)?\[)|^(\s*):(?=:)", re.MULTILINE)


def harmless(text: str) -> str:
    """The text in which no CI system finds a command of its own.

    Azure Pipelines looks for `##vso[` and `##[` anywhere in a line, GitHub for `::` at its start.
    """
    return _COMMAND.sub(lambda found: "# #" if found[0] == "##" else f"{found[1]}: ", text)


def lines(run: Run, verdict: Verdict, environment: Mapping[str, str]) -> list[str]:
    """The commands to print for the system that runs us; none on a desk."""
    findings = [f for r in run.results.values() for f in r.findings if f.severity is not Severity.INFO]
    findings.sort(key=lambda f: f.severity is not Severity.ERROR)
    if environment.get("GITHUB_ACTIONS") == "true":
        return [_github(f, _of(run)) for f in _few(findings)]
    if environment.get("TF_BUILD", "").lower() == "true":
        found = [_azure(f, _of(run)) for f in _few(findings)]
        found.append(f"##vso[task.uploadsummary]{(run.folder.path / SUMMARY).resolve()}")
        if verdict is Verdict.WARNINGS:
            found.append("##vso[task.complete result=SucceededWithIssues;]")
        return found
    return []


def summarize(run: Run, verdict: Verdict, environment: Mapping[str, str]) -> None:
    """Write the summary in Markdown where the system wants it; on a desk do nothing."""
    page = markdown(run, verdict)
    if environment.get("TF_BUILD", "").lower() == "true":
        run.folder.write(SUMMARY, page)
    place = environment.get("GITHUB_STEP_SUMMARY")
    if environment.get("GITHUB_ACTIONS") == "true" and place:
        run.folder.append(Path(place), page)


def markdown(run: Run, verdict: Verdict) -> str:
    """The verdict, the requirements and the findings, on one page."""
    results = list(run.results.values())
    of = f" of {_cell(run.settings.device)}" if run.settings.device else ""
    rows = [
        f"## Pre-flight{of}: {verdict.phrase}",
        "",
        f"Device {_cell(run.evidence.device_id or 'never connected')}, model {_cell(run.model_id or 'unknown')}, "
        f"target {run.settings.target}.",
        "",
        "| requirement | outcome |",
        "|---|---|",
        *(f"| {requirement} | {outcome.value} |" for requirement, outcome in by_requirement(results).items()),
    ]
    findings = [f for r in results for f in r.findings if f.severity is not Severity.INFO]
    if findings:
        rows += ["", "| | element | finding | next step |", "|---|---|---|---|"]
        rows += [
            f"| {f.severity.value} | {_cell(f.element or f.requirement)} | {_cell(f.message)} | {_cell(f.remedy)} |"
            for f in findings
        ]
    return "\n".join(rows) + "\n"


def _of(run: Run) -> str:
    """Which device of a fleet an annotation is about."""
    return f"{run.settings.device}: " if run.settings.device else ""


def _few(findings: list[Finding]) -> list[Finding]:
    return [f for s in (Severity.ERROR, Severity.WARNING) for f in [g for g in findings if g.severity is s][:_AT_MOST]]


def _github(finding: Finding, of: str) -> str:
    title = _escaped(f"{of}{finding.requirement} {finding.element}".strip(), {":": "%3A", ",": "%2C"})
    return f"::{finding.severity.value} title={title}::{_escaped(_said(finding), {})}"


def _azure(finding: Finding, of: str) -> str:
    kind = finding.severity.value
    text = f"{of}{finding.requirement} {finding.element}".strip() + f": {_said(finding)}"
    escapes = {"%": "%AZP25", ";": "%3B", "]": "%5D"}
    return f"##vso[task.logissue type={kind}]{_escaped(text, escapes)}"


def _said(finding: Finding) -> str:
    return f"{finding.message} {finding.remedy}".strip()


def _escaped(text: str, more: Mapping[str, str]) -> str:
    """By the rules of both: percent first, then line ends, then what ends a property."""
    text = harmless(text).replace("%", more.get("%", "%25")).replace("\r", "%0D").replace("\n", "%0A")
    for character, escape in more.items():
        text = text if character == "%" else text.replace(character, escape)
    return text


def _cell(text: str) -> str:
    """One cell of a Markdown table; what a device wrote is neither markup nor HTML here."""
    flat = " ".join(harmless(text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$@])", r"\\\1", flat)
