"""What the CI systems are told, and that a device cannot tell them anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.checks import Evidence
from harness.record.redact import Redactor
from harness.record.writer import ReportFolder
from harness.report import ci
from harness.verdict import CaseResult, Finding, Outcome, Severity, Verdict

GITHUB = {"GITHUB_ACTIONS": "true"}
AZURE = {"TF_BUILD": "True"}


def a_finding(message: str = "It failed.", severity: Severity = Severity.ERROR, element: str = "flow") -> Finding:
    return Finding("telemetry-invalid", severity, "IoTPnP.D2C", element, message, remedy="Mend it.")


@dataclass
class Settings:
    target: str = "local"
    device: str | None = None


@dataclass
class ARun:
    """As much of a run as a summary needs."""

    folder: ReportFolder
    results: dict[str, CaseResult]
    model_id: str = "dtmi:a:B;1"
    evidence: Evidence = field(default_factory=Evidence)
    settings: Settings = field(default_factory=Settings)


def a_run(folder: Path, *findings: Finding) -> Any:
    result = CaseResult("telemetry[flow]", "IoTPnP.D2C", "flow", Outcome.FAILED, findings)
    return ARun(ReportFolder(folder, Redactor()), {"telemetry[flow]": result})


def test_on_a_desk_nothing_is_said(tmp_path: Path) -> None:
    assert ci.lines(a_run(tmp_path, a_finding()), Verdict.FAILED, {}) == []


def test_github_gets_an_annotation_for_each_finding_errors_first(tmp_path: Path) -> None:
    run = a_run(tmp_path, a_finding("100 % wrong\nreally", Severity.WARNING), a_finding())
    assert ci.lines(run, Verdict.FAILED, GITHUB) == [
        "::error title=IoTPnP.D2C flow::It failed. Mend it.",
        "::warning title=IoTPnP.D2C flow::100 %25 wrong%0Areally Mend it.",
    ]


def test_github_gets_no_more_than_it_shows(tmp_path: Path) -> None:
    run = a_run(tmp_path, *[a_finding()] * 25, *[a_finding(severity=Severity.WARNING)] * 3)
    assert [line[:9] for line in ci.lines(run, Verdict.FAILED, GITHUB)] == ["::error t"] * 10 + ["::warning"] * 3


def test_azure_pipelines_gets_issues_a_summary_and_a_result(tmp_path: Path) -> None:
    lines = ci.lines(a_run(tmp_path, a_finding("a; b]", Severity.WARNING)), Verdict.WARNINGS, AZURE)
    assert lines == [
        "##vso[task.logissue type=warning]IoTPnP.D2C flow: a%3B b%5D Mend it.",
        f"##vso[task.uploadsummary]{(tmp_path / 'summary.md').resolve()}",
        "##vso[task.complete result=SucceededWithIssues;]",
    ]


@pytest.mark.parametrize("environment", [GITHUB, AZURE])
def test_a_device_cannot_give_commands(tmp_path: Path, environment: dict[str, str]) -> None:
    hostile = a_finding("x\n::set-env name=A::b\n##vso[task.setvariable variable=a]b ##[command]c", element="::e::,t=1")
    first, *_ = ci.lines(a_run(tmp_path, hostile), Verdict.FAILED, environment)
    body = first[2:]
    assert "\n" not in first
    assert "##[" not in body
    assert "##vso[task.setvariable" not in body
    assert "::set-env" not in first.split("%0A")[0]


def test_the_summary_is_appended_to_githubs_page(tmp_path: Path) -> None:
    page = tmp_path / "step.md"
    page.write_text("before\n", encoding="utf-8")
    run = a_run(tmp_path, a_finding("a | b <b>bold</b>"))
    ci.summarize(run, Verdict.FAILED, {**GITHUB, "GITHUB_STEP_SUMMARY": str(page)})
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n## Pre-flight: failed\n")
    assert "| IoTPnP.D2C | failed |" in text
    assert r"a \| b \<b\>bold\</b\>" in text


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (GITHUB, "::error title=pump_1%3A IoTPnP.D2C flow::"),
        (AZURE, "##vso[task.logissue type=error]pump_1: IoTPnP.D2C"),
    ],
)
def test_a_device_of_a_fleet_is_named(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    run = a_run(tmp_path, a_finding())
    run.settings.device = "pump_1"
    assert ci.lines(run, Verdict.FAILED, environment)[0].startswith(told)
    assert ci.markdown(run, Verdict.FAILED).startswith("## Pre-flight of pump\\_1: failed\n")


def test_a_summary_page_that_cannot_be_written_is_told_and_no_more(tmp_path: Path) -> None:
    run = a_run(tmp_path, a_finding())
    ci.summarize(run, Verdict.FAILED, {**GITHUB, "GITHUB_STEP_SUMMARY": str(tmp_path / "nowhere" / "step.md")})
    assert "step.md could not be written" in run.folder.faults[0]
