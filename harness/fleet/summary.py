"""What the results of several devices say together: fleet.json, and a table for the terminal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.fleet.reading import Report, version_of
from harness.report.text import plain
from harness.verdict import Outcome, Severity, Verdict, worst

Summary = dict[str, Any]

_WORST_FIRST = (Verdict.FAILED, Verdict.WARNINGS, Verdict.PASSED)


def worst_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several devices. No device is no pass."""
    return next((v for v in _WORST_FIRST if v in verdicts), Verdict.FAILED)


def summarize(reports: Sequence[Report], folder: Path) -> Summary:
    """fleet.json, to be written into `folder`, which the paths in it start from. Devices are sorted by name.

    A device whose run left no result has failed, and its `model_id` and the like are null.
    """
    ordered = sorted(reports, key=lambda r: r.name.lower())
    results = [r.result for r in ordered if r.result is not None]
    outcomes: dict[str, list[Outcome]] = {}
    for result in results:
        for row in result["requirements"]:
            outcomes.setdefault(row["id"], []).append(Outcome(row["outcome"]))
    return {
        "verdict": worst_verdict([r.verdict for r in ordered]).value,
        "devices": [_device(report, folder) for report in ordered],
        "requirements": [{"id": id_, "outcome": worst(seen).value} for id_, seen in sorted(outcomes.items())],
        "version": version_of(results[0]) if results else None,
    }


def table(summary: Mapping[str, Any]) -> list[str]:
    """The devices as lines of a table, headings first."""
    rows = [("device", "verdict", "cases", "model", "reports")]
    rows += [
        (
            device["name"],
            said(device),
            counted(device["cases"]),
            device["model_id"] or "-",
            device["reports"] or "-",
        )
        for device in summary["devices"]
    ]
    rows = [tuple(plain(" ".join(cell.split())) for cell in row) for row in rows]  # type: ignore[misc]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def said(device: Mapping[str, Any]) -> str:
    """The verdict of one device in words."""
    return str(device["verdict"]).replace("-", " ") if device["judged"] else "failed: no result"


def counted(cases: Mapping[str, int]) -> str:
    """How many cases had which outcome."""
    return ", ".join(f"{number} {outcome}" for outcome, number in cases.items()) or "none judged"


def _device(report: Report, folder: Path) -> dict[str, Any]:
    result = report.result or {}
    cases = Counter(row["outcome"] for row in result.get("cases", ()))
    severities = Counter(row["severity"] for row in result.get("findings", ()))
    timing = result.get("timing")
    return {
        "name": report.name,
        "verdict": report.verdict.value,
        "judged": report.result is not None,
        "model_id": result.get("model_id"),
        "device_id": result.get("device_id"),
        "target": result.get("target"),
        "cases": {o.value: cases[o.value] for o in Outcome if cases[o.value]},
        "findings": {s.value: severities[s.value] for s in Severity},
        "requirements": result.get("requirements", []),
        "seconds": timing.get("finished") if isinstance(timing, Mapping) else None,
        "reports": _relative(report.folder, folder) if report.result is not None else None,
    }


def _relative(path: Path, folder: Path) -> str:
    """How to get from the summary to a device's reports; another drive of Windows has no such way."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.resolve().as_posix()
