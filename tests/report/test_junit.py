"""junit.xml: valid where rules are published, readable where none are; warnings and causes are seen."""

from __future__ import annotations

import copy
import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.record import events as ev
from harness.report import write_reports
from harness.report.evidence import output, quoted
from harness.report.junit import junit
from harness.report.result import result
from harness.run import Run
from tests.checks.story import DEVICE
from tests.report import stories, verdicts
from tests.report.junit_rules import faults
from tests.report.stories import HOSTILE, Tale, replayed

TALES: dict[str, Callable[[], Tale]] = {
    "passed": verdicts.passed,
    "warned": verdicts.warned,
    "good": stories.good,
    "bad": stories.bad,
    "tried": stories.tried,
    "blocked": stories.blocked,
    "interrupted": stories.interrupted,
    "empty": Tale,
}


def parsed(run: Run) -> ET.Element:
    return ET.fromstring(junit(run, result(run)).encode())


def properties(suite: ET.Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in suite.iter("property")}


def suite_of(root: ET.Element, requirement: str) -> ET.Element:
    return next(s for s in root.iter("testsuite") if s.get("name") == requirement)


def case_of(root: ET.Element, name: str) -> ET.Element:
    return next(c for c in root.iter("testcase") if c.get("name") == name)


@pytest.mark.parametrize("name", TALES)
def test_every_run_keeps_to_all_published_rules(name: str, tmp_path: Path) -> None:
    run = replayed(TALES[name](), tmp_path)
    root = parsed(run)
    assert faults(root) == []
    assert {c.get("name") for c in root.iter("testcase")} == set(run.results)
    seconds = sum(float(s.get("time", "nan")) for s in root.iter("testsuite"))
    assert seconds == pytest.approx(run.finished or 0.0, abs=0.01)


def test_the_rules_see_what_they_are_for(tmp_path: Path) -> None:
    root = parsed(replayed(stories.bad(), tmp_path))

    def changed(change: Callable[[ET.Element, ET.Element], object]) -> list[str]:
        other = copy.deepcopy(root)
        suite = next(other.iter("testsuite"))
        change(suite, next(suite.iter("testcase")))
        return faults(other)

    assert changed(lambda suite, case: ET.SubElement(case, "properties"))
    assert changed(lambda suite, case: ET.SubElement(case, "system-out"))
    assert changed(lambda suite, case: case.set("file", "x.py"))
    assert changed(lambda suite, case: case.set("name", ""))
    assert changed(lambda suite, case: suite.set("timestamp", "2024-05-01T10:00:00.000+00:00"))
    assert changed(lambda suite, case: suite.attrib.pop("hostname"))
    assert changed(lambda suite, case: suite.set("tests", "7"))
    assert changed(lambda suite, case: suite.insert(0, case))


def test_a_warning_is_seen_though_its_case_passes(tmp_path: Path) -> None:
    root = parsed(replayed(stories.bad(), tmp_path))
    suite = suite_of(root, "IoTPnP.D2C")
    assert len(case_of(suite, "telemetry[part1.heat]")) == 0
    said = properties(suite)
    assert said["telemetry[part1.heat].outcome"] == "warning"
    assert said["telemetry[part1.heat].findings"] == "telemetry-not-seen"
    assert said["telemetry[part1.heat].element"] == "part1.heat"
    assert said["requirement"] == "IoTPnP.D2C"
    assert "IoTPnP.D2C: the device sends" in said["clause"]
    text = suite.findtext("system-out") or ""
    assert "telemetry[part1.heat]: warning\nTelemetry part1.heat was not seen" in text
    assert "not seen: part1.heat; window-elapsed" in text


def test_with_strict_a_warning_fails_its_case(tmp_path: Path) -> None:
    run = replayed(stories.bad(), tmp_path)
    run.settings = dataclasses.replace(run.settings, strict=True)
    root = parsed(run)
    failure = case_of(root, "telemetry[part1.heat]").find("failure")
    assert failure is not None
    assert failure.get("type") == "telemetry-not-seen"
    assert properties(suite_of(root, "IoTPnP.D2C"))["telemetry[part1.heat].outcome"] == "warning"
    assert faults(root) == []


def test_a_failure_has_its_words_and_its_evidence(tmp_path: Path) -> None:
    failure = case_of(parsed(replayed(stories.bad(), tmp_path)), "telemetry[flow]").find("failure")
    assert failure is not None
    assert failure.get("type") == "telemetry-invalid"
    text = failure.text or ""
    assert text.startswith(failure.get("message", "?"))
    assert "next step: Send the JSON form" in text
    assert 'entry 10 at 2.000 s, telemetry_received: {"flow": "wet"}' in text


def test_a_blocked_case_is_skipped_with_its_cause(tmp_path: Path) -> None:
    skipped = case_of(parsed(replayed(stories.blocked(), tmp_path)), "connects_to_hub").find("skipped")
    assert skipped is not None
    assert skipped.get("type") == "blocked"
    assert skipped.get("message", "").startswith("blocked: The device never registered with DPS")


def test_the_first_suite_has_the_facts_of_the_run(tmp_path: Path) -> None:
    run = replayed(verdicts.passed(), tmp_path)
    said = properties(next(parsed(run).iter("testsuite")))
    assert said["verdict"] == "passed"
    assert said["dut"] == "pump --serve"
    assert float(said["timing.finished"]) == run.finished
    assert said["cases.passed"] == str(sum(r.outcome.value == "passed" for r in run.results.values()))


def test_hostile_words_keep_it_well_formed_and_harmless(tmp_path: Path) -> None:
    tale = Tale().begun().connected()
    tale.telemetry(2.0, {"flow": f"{HOSTILE} ]]> \ud800 \x00 \x1b[2J \ufffe \U0001f600 ##vso[task.complete]"})
    tale.telemetry(2.1, ('{"flow": "' + "\\ud800" * 5000 + '"}').encode())
    tale.at(2.2, ev.ProtocolViolation(DEVICE, None, HOSTILE, "]]>", True))
    run = replayed(tale.ended(3.0), tmp_path)
    write_reports(run)
    assert run.folder.faults == []
    text = (tmp_path / "reports" / "junit.xml").read_text(encoding="utf-8")
    assert faults(ET.fromstring(text)) == []
    assert "\x1b" not in text
    assert "##vso[" not in text
    assert "\u202e" not in text


def test_a_secret_is_masked_before_it_is_cut_or_escaped(tmp_path: Path) -> None:
    key = "c2VjcmV0LWtleS1vZi10aGUtZGV2aWNlLTEyMzQ1Njc4OTA="
    tale = Tale().begun().connected()
    tale.telemetry(2.0, {"flow": "x" * 190 + f"SharedAccessKey={key}"})
    tale.telemetry(2.1, {"flow": "-----BEGIN PRIVATE KEY-----\nMIIabcdefgh"})
    run = replayed(tale.ended(3.0), tmp_path)
    write_reports(run)
    for name in ("junit.xml", "aics.json", "result.json"):
        text = (tmp_path / "reports" / name).read_text(encoding="utf-8")
        assert key[:12] not in text
        assert "MIIabcdefgh" not in text
    assert faults(ET.parse(tmp_path / "reports" / "junit.xml").getroot()) == []


def test_few_entries_are_quoted_and_each_in_short(tmp_path: Path) -> None:
    run = replayed(stories.bad(), tmp_path)
    lines = quoted(run, run.results["telemetry[flow]"]).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 10 more entries of journal.jsonl"
    assert all(len(line) < 320 for r in run.results.values() for line in quoted(run, r).splitlines())
    command = output(run, run.results["command[prime]"])
    assert "prime answered: 200" in command
