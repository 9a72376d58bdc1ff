"""Secrets in what pytest itself writes of a test: failure texts, captured output, its own `--junit-xml`.

A report is masked where it is made, so that every reader of it (the terminal, JUnit XML, xdist) gets it masked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Clean = Callable[[str], str]


def mask(report: pytest.TestReport | pytest.CollectReport, clean: Clean) -> None:
    """Mask the report in place. One that holds a secret loses the colours and links of its traceback."""
    report.longrepr = _longrepr(report, clean)
    report.sections = [(name, clean(text)) for name, text in report.sections]
    properties = getattr(report, "user_properties", None)
    if properties:
        report.user_properties = [(name, _value(value, clean)) for name, value in properties]  # type: ignore[union-attr]


def _longrepr(report: pytest.TestReport | pytest.CollectReport, clean: Clean) -> Any:
    found: Any = report.longrepr
    if isinstance(found, tuple):  # where a test was skipped, and why
        return tuple(_value(value, clean) for value in found)
    if found is None:
        return None
    text = report.longreprtext
    cleaned = clean(text)
    crash = getattr(getattr(found, "reprcrash", None), "message", "")
    if cleaned == text and clean(crash) == crash:
        return found
    return cleaned


def _value(value: Any, clean: Clean) -> Any:
    return clean(value) if isinstance(value, str) else value
