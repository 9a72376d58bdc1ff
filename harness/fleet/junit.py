"""One junit.xml of several: the suites of each device, under its name. The form is that of `harness.report.junit`."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from harness.fleet.reading import RESULT, MergeError, Report
from harness.report.text import in_xml
from harness.verdict import Outcome

JUNIT = "junit.xml"
_TAGS = {Outcome.FAILED: "failure", Outcome.ERROR: "error"}


def merged_junit(reports: Sequence[Report]) -> str:
    """The document as text, from each folder's junit.xml; where a folder has none, from its result.

    Raises MergeError for one that is not whole.
    """
    root = ET.Element("testsuites")
    for report in sorted(reports, key=lambda r: r.name.lower()):
        for suite in _suites(report):
            suite.set("name", f"{report.name}: {suite.get('name', 'pre-flight')}")
            suite.set("id", str(len(root)))
            for case in suite.iter("testcase"):
                case.set("classname", f"{report.name}.{case.get('classname', 'pre-flight')}")
            root.append(suite)
    ET.indent(root)
    text = in_xml(ET.tostring(root, encoding="unicode"))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suites(report: Report) -> list[ET.Element]:
    path = report.folder / JUNIT
    if report.result is None:
        return [_without_result(report)]
    return _read(path) if path.is_file() else [_from_result(report)]


def _read(path: Path) -> list[ET.Element]:
    try:
        root = ET.fromstring(path.read_bytes())
    except OSError as e:
        raise MergeError(f"{path} cannot be read: {e.strerror or e}.") from None
    except (ET.ParseError, ValueError, LookupError) as e:
        raise MergeError(
            f"{path} is not whole: {e}. Copy it again, or remove it: result.json has the cases too."
        ) from None
    suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
    if not suites:
        raise MergeError(f"{path} is no JUnit file: it has no testsuite.")
    return suites


def _from_result(report: Report) -> ET.Element:
    """The cases with their outcome; what was found stands in the report of the device."""
    result = report.result or {}
    seen = datetime.datetime.fromtimestamp((report.folder / RESULT).stat().st_mtime, datetime.timezone.utc)
    suite, cases = _suite(seen)
    for row in result["cases"]:
        outcome = Outcome(row["outcome"])
        case = ET.Element("testcase", classname=row["requirement"], name=row["id"], time="0.000")
        if outcome not in (Outcome.PASSED, Outcome.WARNING):
            said = str(row.get("reason") or "") or _found(report, row["requirement"], row.get("element"))
            _add(case, _TAGS.get(outcome, "skipped"), outcome.value, said or outcome.value)
        cases.append(case)
    return _counted(suite, cases)


def _without_result(report: Report) -> ET.Element:
    suite, cases = _suite(datetime.datetime.now(datetime.timezone.utc))
    case = ET.Element("testcase", classname="pre-flight", name="result", time="0.000")
    _add(case, "error", "no result", f"The run of {report.name} left no {RESULT}.")
    cases.append(case)
    return _counted(suite, cases)


def _suite(moment: datetime.datetime) -> tuple[ET.Element, list[ET.Element]]:
    attributes = {"name": "pre-flight", "package": "preflight", "hostname": "localhost", "time": "0.000"}
    suite = ET.Element("testsuite", attributes, timestamp=moment.strftime("%Y-%m-%dT%H:%M:%S"))
    ET.SubElement(suite, "properties")
    return suite, []


def _counted(suite: ET.Element, cases: list[ET.Element]) -> ET.Element:
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _found(report: Report, requirement: str, element: object) -> str:
    """What was found wrong with an element, by this requirement."""
    rows = (report.result or {})["findings"]
    return "\n".join(
        str(f.get("message", ""))
        for f in rows
        if f["severity"] == "error" and f.get("requirement") == requirement and f.get("element") == element
    )


def _add(case: ET.Element, tag: str, kind: str, text: str) -> None:
    ET.SubElement(case, tag, message=text.partition("\n")[0] or kind, type=kind).text = text
