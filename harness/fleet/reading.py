"""Finds and reads the report folders that are to be merged.

They come from other machines, so everything about them is doubted: what is not the result of a run is said by
its path, and nothing is merged then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.verdict import Outcome, Verdict

RESULT = "result.json"
_VERDICTS = {v.value for v in Verdict}
_OUTCOMES = {o.value for o in Outcome}


class MergeError(Exception):
    """What was given cannot be merged. The text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one device's run left: its name, result.json (None where there is none), and the folder it lies in."""

    name: str
    result: Mapping[str, Any] | None
    folder: Path

    @property
    def verdict(self) -> Verdict:
        """A run without a result is no pass."""
        return Verdict(self.result["verdict"]) if self.result else Verdict.FAILED


def read_reports(places: Iterable[Path], expected: Iterable[str] = ()) -> list[Report]:
    """The reports of all devices found at these places, in their order, then those `expected` by name and not found.

    A place is a result.json, the folder of one, or a folder with such folders in it. Raises MergeError.
    """
    found: dict[str, Report] = {}
    for path in (file for place in places for file in _results(place)):
        report = read_report(path)
        before = found.setdefault(report.name.lower(), report)
        if before is not report:
            raise MergeError(
                f"{before.folder / RESULT} and {path} are both results of {before.name}. Leave one out; a device that "
                "has no name in its result is called by its folder."
            )
    for name in expected:
        found.setdefault(name.lower(), Report(name, None, Path()))
    _one_version(found.values())
    return list(found.values())


def read_report(path: Path) -> Report:
    """One result.json. Raises MergeError."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise MergeError(f"{path} cannot be read: {e.strerror or e}.") from None
    except (ValueError, RecursionError):
        raise MergeError(
            f"{path} is not whole: it is not JSON. Copy it again, or judge its run again with `pytest --replay JOURNAL "
            "--reports DIR`."
        ) from None
    problem = _problem(result)
    if problem:
        raise MergeError(f"{path} is not the result of a run: {problem}.")
    named = result.get("device")
    return Report(named if isinstance(named, str) and named else path.resolve().parent.name, result, path.parent)


def _results(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.exists():
        raise MergeError(f"There is no {place}.")
    if (place / RESULT).is_file():
        return [place / RESULT]
    below = sorted(place.rglob(RESULT))
    if not below:
        raise MergeError(
            f"There is no {RESULT} in {place}: the run ended before its reports were written, or this is another "
            "folder. A device whose run left nothing is reported as failed with --expect NAME."
        )
    return below


def _problem(result: Any) -> str:
    """What is wrong with the shape, as far as it is read here; empty where nothing is."""
    if not isinstance(result, dict):
        return "it holds no object"
    if result.get("verdict") not in _VERDICTS:
        return "its verdict is none that is known"
    if not isinstance(result.get("versions"), dict):
        return "it names no versions"
    for table, keys in (("requirements", ("id",)), ("cases", ("id", "requirement")), ("findings", ("severity",))):
        rows = result.get(table)
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in rows
        ):
            return f"its {table} are not what they should be"
        if table != "findings" and not all(row.get("outcome") in _OUTCOMES for row in rows):
            return f"its {table} have an outcome that is not known"
    return ""


def version_of(result: Mapping[str, Any]) -> str:
    """The version of the harness that judged."""
    return str(result["versions"].get("pnp-preflight", "unknown"))


def _one_version(reports: Iterable[Report]) -> None:
    versions: dict[str, str] = {}
    for report in reports:
        if report.result is not None:
            versions.setdefault(version_of(report.result), report.name)
    if len(versions) > 1:
        judged = ", ".join(f"{name} by {version}" for version, name in versions.items())
        raise MergeError(
            f"Different versions of pnp-preflight judged: {judged}. Their rules may differ. Judge all by one: "
            "`pytest --replay JOURNAL --reports DIR`."
        )
