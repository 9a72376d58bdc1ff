"""What pytest's own reports get of a case: the evidence as a section of its report, and as system-out in `--junit-xml`.

Properties, failure texts and skip reasons need nothing of the kind: they are on the test (`Case.holds`).
"""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Generator
from typing import Any

import pytest

EVIDENCE = pytest.StashKey[str]()
"""Of an item: the entries of the record that its case rests on, in words."""
SECTION = "pre-flight evidence"


class Reports:
    """Hooks that need the session's configuration."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        evidence = item.stash.get(EVIDENCE, "")
        if call.when == "call" and evidence:
            report.sections.append((SECTION, evidence))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, content in report.sections:
            if name == SECTION and report.when == "call":
                self._system_out(report, content)

    def _system_out(self, report: pytest.TestReport, content: str) -> None:
        """pytest writes none unless its ini file asks for what tests printed, which this is not."""
        with contextlib.suppress(ImportError):
            from _pytest.junitxml import xml_key

            xml: Any = self._config.stash.get(xml_key, None)
            if xml is not None:
                element = ET.Element("system-out")
                element.text = content
                xml.node_reporter(report).append(element)
