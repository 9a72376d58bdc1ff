"""The cover page: the verdict, what a reviewer must still judge, and what lies in the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.bundle.manifest import STATEMENT

_DESCRIPTIONS = {
    "report.html": "the report for people: verdict, findings, logs, plots",
    "result.json": "the same for programs",
    "junit.xml": "the same for CI systems",
    "aics.json": "the same in the shape of an AICS test run",
    "journal.jsonl": "the record: everything that was seen, in order; `pytest --replay` judges it again",
    "device.log": "what the device's program printed",
    "settings.json": "the settings in force",
    "environment.json": "versions of what judged the run",
    "sources.json": "where each interface of the model was found",
}


def cover(result: Mapping[str, Any], about: Mapping[str, Any], members: Sequence[str]) -> str:
    """The page as HTML. `result` is result.json; `members` are the names of the bundle's files."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    files = [(name, _DESCRIPTIONS.get(name.rpartition("/")[2], "")) for name in members if name != "cover.html"]
    findings = result.get("findings", [])
    cases = result.get("cases", [])
    return environment.get_template("cover.html").render(
        about=about,
        verdict=str(about["verdict"]).replace("-", " "),
        statement=STATEMENT,
        requirements=result.get("requirements", []),
        failures=[f for f in findings if f.get("severity") == "error"],
        warnings=[f for f in findings if f.get("severity") == "warning"],
        unseen=[c for c in cases if c.get("outcome") in ("not observable", "blocked", "error")],
        manual=result.get("manual", []),
        files=files,
    )
