"""Every report of one run says the same: verdict, counts, cases, findings, requirements, times."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.bundle import make
from harness.report.result import result
from tests.addresses import free_address
from tests.plugin.conftest import PUMP, Outcome, Preflight
from tests.report.pages import Page
from tests.report.stories import judged_again
from tests.report.test_result import DESCRIBED

DEVICE = "preflight simulate --fault missing-telemetry=flow --fault wrong-type=part1.heat --fault command-error=prime"


@dataclasses.dataclass(frozen=True)
class Reports:
    run: Outcome
    result: dict[str, Any]
    aics: dict[str, Any]
    junit: ET.Element
    page: Page
    terminal: str
    step: str

    @property
    def suites(self) -> list[ET.Element]:
        return list(self.junit.iter("testsuite"))

    def properties(self, suite: int) -> dict[str, str]:
        return {p.get("name", ""): p.get("value", "") for p in self.suites[suite].iter("property")}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    folder = tmp_path_factory.mktemp("run")
    step = folder / "step.md"
    preflight = OnGitHub(folder, free_address())
    run = preflight("--dut", DEVICE, "--model-id", PUMP, "--window", "1", timeout=300)
    aics = json.loads((run.reports / "aics.json").read_text(encoding="utf-8"))
    page = Page((run.reports / "report.html").read_text(encoding="utf-8"))
    return Reports(run, run.result, aics, run.junit, page, run.terminal, step.read_text(encoding="utf-8"))


class OnGitHub(Preflight):
    """Runs where GitHub's variables are set."""

    @property
    def environment(self) -> dict[str, str]:
        step = str(self.folder / "step.md")
        return {**super().environment, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": step}


def test_the_run_has_something_of_everything(reports: Reports) -> None:
    counts = reports.result["counts"]
    assert counts["passed"] > 20
    assert counts["warning"] >= 1
    assert counts["failed"] >= 2
    assert list(jsonschema.Draft202012Validator(DESCRIBED).iter_errors(reports.result)) == []


def test_verdict(reports: Reports) -> None:
    verdict = reports.result["verdict"]
    assert verdict == "failed"
    assert reports.aics["x-preflight"]["verdict"] == verdict
    assert reports.aics["status"] == "Failed"
    assert {reports.properties(i)["verdict"] for i in range(len(reports.suites))} == {verdict}
    assert reports.terminal.rstrip().endswith(f"verdict: {verdict}")
    assert reports.step.startswith(f"## Pre-flight: {verdict}")
    heading = next(text for tag, text in reports.page.texts if tag == "h1" and text.strip())
    assert heading.strip().lower() == verdict
    assert reports.run.journal[-1]["verdict"] == verdict
    assert reports.run.code == 1


def test_cases_and_their_outcomes(reports: Reports) -> None:
    cases = {c["id"]: c["outcome"] for c in reports.result["cases"]}
    assert reports.run.journal[-1]["cases"] == cases
    assert {c["id"]: c["outcome"] for c in reports.aics["x-preflight"]["cases"]} == cases
    of_suites: dict[str, str] = {}
    for number, suite in enumerate(reports.suites):
        said = reports.properties(number)
        of_suites |= {c.get("name", ""): said[f"{c.get('name')}.outcome"] for c in suite.iter("testcase")}
    assert of_suites == cases
    assert _cases_of_the_page(reports.page) == cases


def _cases_of_the_page(page: Page) -> dict[str, str]:
    """From the lists of cases: `✓passed telemetry[flow]`."""
    start = next(i for i, (tag, text) in enumerate(page.texts) if tag == "h2" and text == "Requirements")
    end = next(i for i, (tag, text) in enumerate(page.texts) if tag == "h2" and i > start)
    found, outcome = {}, ""
    for tag, text in page.texts[start:end]:
        if tag == "span" and text.strip() in _OUTCOMES:
            outcome = text.strip()
        if tag == "code":
            found[text] = outcome
    return found


def _counts_of_the_page(page: Page) -> dict[str, int]:
    """From the head of the page: `✓passed 51`."""
    head = page.texts[: next(i for i, (tag, _) in enumerate(page.texts) if tag == "h2")]
    said = [text.strip() for _, text in head if text.strip() in _OUTCOMES or text.strip().isdigit()]
    return {o: int(n) for o, n in itertools.pairwise(said) if o in _OUTCOMES and n.isdigit()}


_OUTCOMES = ("passed", "warning", "failed", "not observable", "blocked", "not chosen", "error")


def test_counts_by_outcome(reports: Reports) -> None:
    counts = {k: v for k, v in reports.result["counts"].items() if v}
    assert counts == Counter(c["outcome"] for c in reports.result["cases"])
    assert {k: v for k, v in reports.aics["x-preflight"]["counts"].items() if v} == counts
    line = next(line for line in reports.terminal.splitlines() if line.startswith("cases:"))
    assert {o: int(n) for n, o in re.findall(r"(\d+) ([a-z ]+?)(?:,| in )", line)} == counts
    assert _counts_of_the_page(reports.page) == counts
    said = reports.properties(0)
    assert {o: int(said[f"cases.{o}"]) for o in counts} == counts
    totals = {a: sum(int(s.get(a, "0")) for s in reports.suites) for a in ("tests", "failures", "errors", "skipped")}
    skipped = sum(counts.get(o, 0) for o in ("blocked", "not observable", "not chosen"))
    assert totals == {
        "tests": sum(counts.values()),
        "failures": counts["failed"],
        "errors": counts.get("error", 0),
        "skipped": skipped,
    }


def test_findings(reports: Reports) -> None:
    codes = Counter(f["code"] for f in reports.result["findings"])
    assert Counter(c for case in reports.aics["x-preflight"]["cases"] for c in case["findings"]) == codes
    said = [v for i in range(len(reports.suites)) for k, v in reports.properties(i).items() if k.endswith(".findings")]
    assert {code for value in said for code in value.split(", ")} == set(codes)
    assert Counter(_codes_of_the_page(reports.page)) == codes
    serious = [f for f in reports.result["findings"] if f["severity"] != "info"]
    assert len([line for line in reports.step.splitlines() if re.match(r"\| (error|warning) ", line)]) == len(serious)
    annotated = [line for line in reports.terminal.splitlines() if re.match(r"::(error|warning) ", line)]
    assert len(annotated) == len(serious)
    flat = " ".join(reports.terminal.split())
    assert [f["message"] for f in reports.result["findings"] if " ".join(f["message"].split()) not in flat] == []


def _codes_of_the_page(page: Page) -> list[str]:
    start = next(i for i, (tag, text) in enumerate(page.texts) if tag == "h2" and text == "Findings")
    end = next(i for i, (tag, text) in enumerate(page.texts) if tag == "h2" and i > start)
    return [text for tag, text in page.texts[start:end] if tag == "code"]


def test_requirements(reports: Reports) -> None:
    outcomes = {r["id"]: r["outcome"] for r in reports.result["requirements"]}
    assert {r["id"]: r["outcome"] for r in reports.aics["x-preflight"]["requirements"]} == outcomes
    assert {s.get("name"): reports.properties(i)["outcome"] for i, s in enumerate(reports.suites)} == outcomes
    rows = dict(re.findall(r"^\| (\S+) \| ([a-z ]+) \|$", reports.step, re.MULTILINE))
    assert {k: v for k, v in rows.items() if k in outcomes} == outcomes


def test_times(reports: Reports) -> None:
    timing = reports.result["timing"]
    assert reports.aics["x-preflight"]["timing"] == timing
    said = reports.properties(0)
    assert {k: float(said[f"timing.{k}"]) for k in timing} == timing
    assert sum(float(s.get("time", "nan")) for s in reports.suites) == pytest.approx(timing["finished"], abs=0.001)
    assert f"in {timing['finished']:.1f} s" in reports.terminal
    assert f"finished {timing['finished']:.3f}" in reports.page.text
    times = {r["n"]: r["t"] for r in reports.run.journal}
    connected = next(r["n"] for r in reports.run.journal if r["kind"] == "hub_connected")
    assert timing["connected"] == pytest.approx(times[connected], abs=0.001)


def test_a_replay_says_the_same_again(reports: Reports, tmp_path: Path) -> None:
    again = result(judged_again(reports.run.reports / "journal.jsonl", tmp_path / "again"))
    assert list(jsonschema.Draft202012Validator(DESCRIBED).iter_errors(again)) == []
    of_the_clock = ("timing", "versions")
    assert {k: v for k, v in again.items() if k not in of_the_clock} == {
        k: v for k, v in reports.result.items() if k not in of_the_clock
    }
    stations = ("enrolled", "registered", "connected", "last_required_event")
    assert [again["timing"][s] for s in stations] == [reports.result["timing"][s] for s in stations]


def test_what_is_left_for_a_person(reports: Reports, tmp_path: Path) -> None:
    make(reports.run.reports, tmp_path / "b.zip")
    cover = zipfile.ZipFile(tmp_path / "b.zip").read("cover.html").decode()
    tasks = [m["task"] for m in reports.result["manual"]]
    assert len(tasks) == 3
    assert [t for t in tasks if t not in cover or t not in reports.page.text] == []
