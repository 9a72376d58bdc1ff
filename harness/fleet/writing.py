"""Writes what the devices say together into one folder, of a fleet's own session or of folders that are merged."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.fleet.devices import Fleet
from harness.fleet.junit import JUNIT, merged_junit
from harness.fleet.page import page
from harness.fleet.reading import RESULT, MergeError, Report, read_report
from harness.fleet.summary import Summary, summarize
from harness.record.redact import Redactor
from harness.record.writer import ReportFolder
from harness.settings import Settings


def write(summary: Mapping[str, Any], reports: Sequence[Report], folder: Path) -> list[str]:
    """Write fleet.json, fleet.html and junit.xml; a sentence for each that could not be written. Raises MergeError."""
    texts = {
        "fleet.json": json.dumps(summary, indent=2, ensure_ascii=False) + "\n",
        "fleet.html": page(summary, folder),
        JUNIT: merged_junit(reports),
    }
    place = ReportFolder(folder, Redactor())
    place.prepare(())
    for name, text in texts.items():
        place.write(name, text)
    return place.faults


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The summary of a session, the folder it was written to, and a sentence for each thing that went wrong then."""

    content: Summary
    folder: Path
    faults: list[str]


def conclude(fleet: Fleet, chosen: Sequence[Settings], judged: Collection[str | None]) -> Conclusion:
    """Sum up a session in which tests of these devices were chosen, and those named in `judged` came to a verdict.

    What an earlier session left of a device that did not is removed, so that it is not taken for this one's.
    """
    reports = [_report(settings, settings.device in judged) for settings in chosen]
    content = summarize(reports, fleet.reports)
    try:
        faults = write(content, reports, fleet.reports)
    except MergeError as e:
        faults = [str(e)]
    return Conclusion(content, fleet.reports, faults)


def _report(settings: Settings, judged: bool) -> Report:
    name = settings.device or ""
    if not judged:
        ReportFolder(settings.reports, Redactor()).prepare((RESULT, JUNIT))
        return Report(name, None, settings.reports)
    try:
        return read_report(settings.reports / RESULT)
    except MergeError:
        return Report(name, None, settings.reports)
