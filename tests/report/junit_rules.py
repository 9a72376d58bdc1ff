"""What publishes rules for JUnit XML, and what readers need: as tables, for tests.

Two schemas are published that are in use: windyroad/JUnit-Schema (JUnit.xsd, of Ant's JUnit task), which Azure DevOps'
PublishTestResults names, and junit-10.xsd of Jenkins' xUnit plugin, which that plugin refuses files by. Readers that
have none are Azure Pipelines' agent (JunitResultReader), Jenkins' JUnit plugin (SuiteResult, CaseResult), and the
actions dorny/test-reporter (java-junit), EnricoMi/publish-unit-test-result and mikepenz/action-junit-report.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_ANY = re.compile(r"[\s\S]*")
_NAMED = re.compile(r"[\s\S]*\S[\s\S]*")
_WHOLE = re.compile(r"\d+")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SUREFIRE = re.compile(r"((\d{0,3},)*\d{3}|\d{0,3})*(\.\d*)?")


@dataclass(frozen=True)
class Element:
    """`required` and `optional` attributes with their patterns; `children` with how often each may be there."""

    required: dict[str, re.Pattern[str]] = field(default_factory=dict)
    optional: dict[str, re.Pattern[str]] = field(default_factory=dict)
    children: dict[str, tuple[int, int]] = field(default_factory=dict)
    in_order: bool = False
    at_most: int = 10**9
    """Of all children together."""
    has_text: bool = False


_PROPERTY = Element({"name": _NAMED, "value": _ANY})
_PROPERTIES = Element(children={"property": (0, 10**9)})
_OUTPUT = Element(has_text=True)
_MANY = (0, 10**9)

ANT = {
    "testsuites": Element(children={"testsuite": _MANY}),
    "testsuite": Element(
        {
            "name": _NAMED,
            "package": _ANY,
            "id": _WHOLE,
            "hostname": _NAMED,
            "timestamp": _UTC,
            "tests": _WHOLE,
            "failures": _WHOLE,
            "errors": _WHOLE,
            "time": _DECIMAL,
        },
        {"skipped": _WHOLE},
        {"properties": (1, 1), "testcase": _MANY, "system-out": (1, 1), "system-err": (1, 1)},
        in_order=True,
    ),
    "properties": _PROPERTIES,
    "property": _PROPERTY,
    "testcase": Element(
        {"name": _ANY, "classname": _ANY, "time": _DECIMAL},
        children={"skipped": (0, 1), "error": (0, 1), "failure": (0, 1)},
        at_most=1,
    ),
    "failure": Element({"type": _ANY}, {"message": _ANY}, has_text=True),
    "error": Element({"type": _ANY}, {"message": _ANY}, has_text=True),
    "skipped": Element(optional={"type": _ANY, "message": _ANY}, has_text=True),
    "system-out": _OUTPUT,
    "system-err": _OUTPUT,
}
_RESULT = Element(optional={"type": _ANY, "message": _ANY}, has_text=True)
_SUITE = ("group", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url")
JENKINS = {
    "testsuites": Element(
        optional={"name": _ANY, "time": _SUREFIRE, "tests": _ANY, "failures": _ANY, "errors": _ANY},
        children={"testsuite": _MANY},
    ),
    "testsuite": Element(
        {"name": _ANY, "tests": _ANY, "failures": _ANY, "errors": _ANY},
        {"time": _SUREFIRE, **dict.fromkeys(_SUITE, _ANY)},
        dict.fromkeys(("testsuite", "properties", "testcase", "system-out", "system-err"), _MANY),
    ),
    "properties": _PROPERTIES,
    "property": Element({"name": _ANY, "value": _ANY}),
    "testcase": Element(
        {"name": _ANY},
        dict.fromkeys(("time", "classname", "group"), _ANY),
        dict.fromkeys(("skipped", "error", "failure", "system-out", "system-err"), _MANY),
    ),
    "failure": _RESULT,
    "error": _RESULT,
    "skipped": _RESULT,
    "system-out": _OUTPUT,
    "system-err": _OUTPUT,
}
SCHEMAS = {"Ant, Azure DevOps": ANT, "Jenkins xUnit plugin": JENKINS}


def faults(root: ET.Element) -> list[str]:
    """Everything that one of the schemas or readers would stumble over."""
    found = [f"{name}: {fault}" for name, schema in SCHEMAS.items() for fault in _against(root, schema)]
    return found + list(_for_readers(root))


def _against(element: ET.Element, schema: dict[str, Element]) -> Iterator[str]:
    rule = schema[element.tag]
    known = rule.required | rule.optional
    yield from (f"<{element.tag}> lacks {name}" for name in rule.required if name not in element.attrib)
    for name, value in element.attrib.items():
        if name not in known:
            yield f"<{element.tag}> has {name}"
        elif not known[name].fullmatch(value):
            yield f"<{element.tag} {name}={value!r}>"
    tags = [child.tag for child in element]
    counts = Counter(tags)
    yield from (f"<{element.tag}> holds <{tag}>" for tag in counts if tag not in rule.children)
    for tag, (least, most) in rule.children.items():
        if not least <= counts[tag] <= most:
            yield f"<{element.tag}> holds {counts[tag]} <{tag}>"
    if len(tags) > rule.at_most:
        yield f"<{element.tag}> holds {len(tags)} elements"
    order = list(rule.children)
    if rule.in_order and [order.index(t) for t in tags] != sorted(order.index(t) for t in tags):
        yield f"<{element.tag}> holds {tags} in another order"
    if not rule.has_text and (element.text or "").strip():
        yield f"<{element.tag}> holds text"
    for child in element:
        if child.tag in schema:
            yield from _against(child, schema)


def _for_readers(root: ET.Element) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for number, suite in enumerate(root.iter("testsuite")):
        cases = suite.findall("testcase")
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            if int(suite.get(attribute, "0")) != sum(c.find(tag) is not None for c in cases):
                yield f"suite {number}: {attribute} is not the number of <{tag}>"
        if int(suite.get("tests", "0")) != len(cases):
            yield f"suite {number}: tests is not the number of cases"
        if suite.get("id") != str(number):  # Ant counts them from 0
            yield f"suite {number} has the id {suite.get('id')}"
        for case in cases:
            name = (case.get("classname", ""), case.get("name", ""))
            if not all(name) or name in seen:  # Azure drops a case without a name; mikepenz takes doubles for retries
                yield f"the name {name} is empty, or not the only one"
            seen.add(name)
            for element in case:
                if not element.get("message", "").strip() or not (element.text or "").strip():
                    yield f"{name}: nothing to show of a <{element.tag}>"
