"""junit.xml: one test case an item, a suite for each requirement; for CI and for a manual review.

There is no one JUnit format. This document keeps to what all allow that publish rules: the schema of Ant's JUnit task,
which Azure DevOps names, and the schema of Jenkins' xUnit plugin. Both let only a suite have properties and output, so
a suite carries those of its cases, under their names. (pytest's `--junit-xml` has the same at each test case, which
Jenkins' JUnit plugin, Azure DevOps and others read.)

JUnit knows no warning: a case that passed with warnings passes here too, and the property of its outcome and the
suite's output say so; with --strict it fails. What was not judged is skipped with its cause.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.checks.requirements import CLAUSES
from harness.record import events as ev
from harness.report.evidence import SKIPPED, fails, output, properties, quoted
from harness.report.text import case_text, in_xml, plain
from harness.report.times import moment
from harness.verdict import CaseResult, Outcome, Severity, worst

if TYPE_CHECKING:
    from harness.run import Run


def junit(run: Run, summary: Mapping[str, Any]) -> str:
    """The document as text. `summary` is result.json."""
    by_requirement: dict[str, list[CaseResult]] = {}
    for result in run.results.values():
        by_requirement.setdefault(result.requirement, []).append(result)
    root = ET.Element("testsuites")
    spans = _spans(run, by_requirement, summary["timing"]["finished"])
    for number, (requirement, results) in enumerate((by_requirement or {"pre-flight": []}).items()):
        suite = _suite(root, run, requirement, results, number)
        began, ended = spans.get(requirement, (0.0, summary["timing"]["finished"]))
        suite.set("timestamp", _timestamp(run, began))
        suite.set("time", f"{ended - began:.3f}")
        holder = ET.SubElement(suite, "properties")
        for name, value in _properties(run, summary, requirement, results, first=number == 0):
            ET.SubElement(holder, "property", name=in_xml(plain(name)), value=in_xml(plain(value)))
        for result in results:
            _case(suite, run, result)
        ET.SubElement(suite, "system-out").text = in_xml(_output(run, results))
        ET.SubElement(suite, "system-err").text = in_xml("\n".join(summary["harness_failures"]) if number == 0 else "")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, run: Run, name: str, results: Sequence[CaseResult], number: int) -> ET.Element:
    counts = {
        "tests": len(results),
        "failures": sum(fails(run, r) for r in results),
        "errors": sum(r.outcome is Outcome.ERROR for r in results),
        "skipped": sum(r.outcome in SKIPPED for r in results),
    }
    attributes = {"name": name, "package": "preflight", "id": str(number), "hostname": "localhost"}
    return ET.SubElement(root, "testsuite", {**attributes, **{k: str(v) for k, v in counts.items()}})


def _properties(
    run: Run, summary: Mapping[str, Any], requirement: str, results: Sequence[CaseResult], *, first: bool
) -> list[tuple[str, str]]:
    """Of the run (all of it in the first suite only), of the requirement, and of each case under the case's name."""
    found = [(name, str(summary[name] or "")) for name in ("verdict", "device_id", "model_id", "target")]
    if first:
        started = run.evidence.first(ev.RunStarted)
        found += [("device", run.settings.device)] if run.settings.device else []
        found.append(("dut", str((started[1].settings if started else {}).get("dut") or run.settings.dut or "")))
        found.append(("strict", "true" if run.settings.strict else "false"))
        found += [(f"cases.{outcome}", str(number)) for outcome, number in summary["counts"].items()]
        found += [(f"timing.{name}", "" if t is None else f"{t:.3f}") for name, t in summary["timing"].items()]
        found += [(f"version.{name}", version) for name, version in summary["versions"].items()]
    if results:
        found.append(("requirement", requirement))
        found.append(("clause", CLAUSES.get(requirement, "")))
        found.append(("outcome", worst(r.outcome for r in results).value))
    common = {("requirement", requirement), ("clause", CLAUSES.get(requirement, ""))}
    for result in results:
        found += [(f"{result.case}.{name}", v) for name, v in properties(result) if (name, v) not in common]
    return found


def _case(suite: ET.Element, run: Run, result: CaseResult) -> None:
    attributes = {
        "classname": result.requirement,
        "name": in_xml(plain(result.case)),
        "time": f"{_seconds(run, result):.3f}",
    }
    case = ET.SubElement(suite, "testcase", attributes)
    text = run.redactor.clean(case_text(result))
    headline = in_xml(text.partition("\n")[0])
    if fails(run, result):
        codes = [f.code for f in sorted(result.findings, key=lambda f: f.severity is not Severity.ERROR)]
        failure = ET.SubElement(case, "failure", message=headline, type=in_xml(plain(codes[0])))
        failure.text = in_xml("\n\n".join(filter(None, (text, quoted(run, result)))))
    elif result.outcome is Outcome.ERROR:
        ET.SubElement(case, "error", message=headline, type="harness").text = in_xml(text)
    elif result.outcome in SKIPPED:
        attributes = {"message": f"{result.outcome.value}: {headline}", "type": result.outcome.value}
        ET.SubElement(case, "skipped", attributes).text = in_xml(text)


def _output(run: Run, results: Sequence[CaseResult]) -> str:
    """What the cases would print, the bad news first: a reader may keep no more than the beginning."""
    order = {Outcome.ERROR: 0, Outcome.FAILED: 1, Outcome.WARNING: 2}
    said = []
    for result in sorted(results, key=lambda r: order.get(r.outcome, 3)):
        text = output(run, result)
        if text:
            said.append(f"{result.case}: {result.outcome.value}\n{text}")
    return "\n\n".join(said)


def _spans(run: Run, by_requirement: Mapping[str, list[CaseResult]], finished: float) -> dict[str, tuple[float, float]]:
    """A share of the run for each requirement, in seconds since it began: up to when the last of its cases was settled,
    from where another one's ended. Cases are judged side by side; only so do the suites' times add up to the run's.
    """
    entries = run.recorder.entries
    settled = {
        requirement: max((entries[r.decided - 1].t for r in results if r.decided), default=0.0)
        for requirement, results in by_requirement.items()
    }
    ordered = sorted(settled, key=settled.__getitem__)
    ends = [min(round(settled[r], 3), finished) for r in ordered[:-1]] + [finished]
    return dict(zip(ordered, zip([0.0, *ends], ends, strict=False), strict=True))


def _timestamp(run: Run, seconds: float) -> str:
    """UTC, as both schemas want it: without a fraction and without a zone."""
    found = moment(run, seconds)
    return f"{found:%Y-%m-%dT%H:%M:%S}" if found else "1970-01-01T00:00:00"


def _seconds(run: Run, result: CaseResult) -> float:
    """From the device's connection to the event that settled the case."""
    connected = run.evidence.connected
    if result.decided is None or connected is None:
        return 0.0
    entries = run.recorder.entries
    return max(0.0, entries[result.decided - 1].t - entries[connected[0] - 1].t)
