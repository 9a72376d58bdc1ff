"""Findings as a person or a program reads them: live and then counted, as JSON, as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.verdict import Severity
from harness.watch.content import clip, harmless
from harness.watch.ledger import Ledger, Row
from harness.watch.showing import clock, print_folded, timestamp

COLUMNS = (
    "severity",
    "code",
    "device",
    "model",
    "element",
    "message",
    "expected",
    "actual",
    "count",
    "first",
    "last",
    "events",
    "requirement",
    "remedy",
)
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDENT = 14
_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would calculate at the beginning of a cell."""


class Output(Protocol):
    """One way to print findings: each as it is `found` first, and all at the `end`."""

    def found(self, row: Row) -> None: ...

    def end(self, ledger: Ledger) -> None: ...


class Live:
    """For a person: each finding when it is first seen; at the end those that came again, counted."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def found(self, row: Row) -> None:
        one = row.finding
        head = Text(clock(row.first), style="dim").append("  ")
        head.append(_NAMES[one.severity].ljust(7), _STYLES[one.severity]).append("  ")
        if row.device:
            head.append(f"{_short(row.device)}  ", "bold")
        if one.element:
            head.append(f"{_short(one.element, 60)}  ", "bold")
        head.append(one.code, "dim")
        self._print(head)
        self._print(Text(" " * _INDENT + harmless(one.message)))
        if one.remedy:
            self._print(Text(" " * _INDENT + "next step: " + harmless(one.remedy), style="dim"))

    def end(self, ledger: Ledger) -> None:
        again = [row for row in ledger.rows if row.count > 1]
        if not again:
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("seen", justify="right", no_wrap=True)
        table.add_column("severity", no_wrap=True)
        table.add_column("device", overflow="fold")
        table.add_column("element", overflow="fold")
        table.add_column("finding", overflow="fold")
        for row in again:
            one = row.finding
            cells = (f"{row.count} times", _NAMES[one.severity], _short(row.device), _short(one.element, 60), one.code)
            table.add_row(*(Text(cell) for cell in cells))
        self._console.print()
        self._console.print(table)
        self._console.print()

    def _print(self, line: Text) -> None:
        print_folded(line, self._console, _INDENT)


class Json:
    """For a program: one array at the end, `[]` where nothing was found."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def found(self, row: Row) -> None:
        pass

    def end(self, ledger: Ledger) -> None:
        text = json.dumps([document(row) for row in ledger.rows], indent=2)
        self._console.file.write(text.replace("\x7f", "\\u007f") + "\n")
        self._console.file.flush()


class Csv:
    """For a spreadsheet: a header and a row a finding, at the end; nothing in it is a formula."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def found(self, row: Row) -> None:
        pass

    def end(self, ledger: Ledger) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in ledger.rows:
            values = document(row) | {"events": " ".join(map(str, row.events))}
            writer.writerow(_cell(values[name]) for name in COLUMNS)
        self._console.file.write(text.getvalue())
        self._console.file.flush()


def document(row: Row) -> dict[str, Any]:
    """A finding as JSON, with the names of COLUMNS."""
    one = row.finding
    return {
        "severity": one.severity.value,
        "code": one.code,
        "device": row.device or None,
        "model": row.model_id,
        "element": one.element or None,
        "message": one.message,
        "expected": one.expected,
        "actual": one.actual,
        "count": row.count,
        "first": timestamp(row.first),
        "last": timestamp(row.last),
        "events": row.events,
        "requirement": one.requirement,
        "remedy": one.remedy,
    }


OUTPUTS: dict[str, type[Live] | type[Json] | type[Csv]] = {"table": Live, "json": Json, "csv": Csv}


def _short(text: str, most: int = 40) -> str:
    return harmless(clip(text, most))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = harmless(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
