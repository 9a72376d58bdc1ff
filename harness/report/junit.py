"""junit.xml: one test case an item, for CI and for a manual review.

JUnit knows no warning: a case that passed with warnings passes here too, says so in its output, and the
suite's property `verdict` carries the difference. A blocked case is skipped with its cause.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.checks import CHECKS
from harness.record import events as ev
from harness.report.text import case_text
from harness.verdict import CaseResult, Outcome

if TYPE_CHECKING:
    from harness.run import Run

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = (Outcome.BLOCKED, Outcome.NOT_OBSERVABLE, Outcome.NOT_CHOSEN)


def junit(run: Run, summary: Mapping[str, Any]) -> str:
    """The document as text."""
    results = list(run.results.values())
    counts: dict[str, int] = {
        "tests": len(results),
        "failures": sum(r.outcome is Outcome.FAILED for r in results),
        "errors": sum(r.outcome is Outcome.ERROR for r in results),
        "skipped": sum(r.outcome in _SKIPPED for r in results),
    }
    attributes = {"name": "pnp-preflight", **{k: str(v) for k, v in counts.items()}}
    attributes["time"] = f"{summary['timing']['finished']:.3f}"
    root = ET.Element("testsuites", attributes)
    suite = ET.SubElement(root, "testsuite", attributes)
    started = run.evidence.first(ev.RunStarted)
    if started:
        suite.set("timestamp", started[1].started)
    _properties(suite, run, summary)
    for result in results:
        _case(suite, run, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ET.Element, run: Run, summary: Mapping[str, Any]) -> None:
    holder = ET.SubElement(suite, "properties")
    values = {
        "device": run.settings.dut,
        "device_id": summary["device_id"],
        "model_id": summary["model_id"],
        "target": summary["target"],
        "verdict": summary["verdict"],
        **{f"version.{name}": version for name, version in summary["versions"].items()},
    }
    for name, value in values.items():
        ET.SubElement(holder, "property", name=name, value=_clean(str(value or "")))


def _case(suite: ET.Element, run: Run, result: CaseResult) -> None:
    module = CHECKS[result.case.partition("[")[0]].judge.__module__.rpartition(".")[2]
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"preflight.{module}",
        name=_clean(result.case),
        time=f"{_seconds(run, result):.3f}",
    )
    text = _clean(case_text(result))
    headline = text.partition("\n")[0]
    if result.outcome is Outcome.FAILED:
        ET.SubElement(case, "failure", message=headline, type=result.findings[0].code).text = text
    elif result.outcome is Outcome.ERROR:
        ET.SubElement(case, "error", message=headline, type="harness").text = text
    elif result.outcome in _SKIPPED:
        ET.SubElement(case, "skipped", message=f"{result.outcome.value}: {headline}")
    elif text:
        ET.SubElement(case, "system-out").text = f"{result.outcome.value}: {text}"


def _seconds(run: Run, result: CaseResult) -> float:
    """From the device's connection to the event that settled the case."""
    connected = run.evidence.connected
    if result.decided is None or connected is None:
        return 0.0
    entries = run.recorder.entries
    return max(0.0, entries[result.decided - 1].t - entries[connected[0] - 1].t)


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids; a device chooses names and payloads freely."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
