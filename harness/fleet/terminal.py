"""The last words of a fleet on the terminal: a line for each device, and the verdict last."""

from __future__ import annotations

from typing import Any

from harness.fleet.summary import table
from harness.fleet.writing import Conclusion
from harness.verdict import Verdict

_COLOURS = {Verdict.PASSED: "green", Verdict.WARNINGS: "yellow", Verdict.FAILED: "red"}


def say(conclusion: Conclusion, terminal: Any) -> None:
    """Write them on pytest's terminal."""
    verdict = Verdict(conclusion.content["verdict"])
    terminal.ensure_newline()
    terminal.section("fleet", sep="=")
    for line in table(conclusion.content):
        terminal.write_line(line)
    terminal.write_line(f"reports: {conclusion.folder}")
    for fault in conclusion.faults:
        terminal.write_line(f"reports: {fault}", yellow=True)
    terminal.write_line(f"verdict: {verdict.phrase}", bold=True, **{_COLOURS[verdict]: True})
