"""The terminal while the run waits: lines said past pytest's capture, and live progress bars."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import TerminalRepr

from harness.plugin.distributed import is_worker

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter
    from rich.progress import Progress, TaskID

_BAR = 24
_NARROW = 70
"""Columns of a terminal below which the bars are short, so that the words are whole."""


class Words(TerminalRepr):
    """A failure in the words of the report, folded where somebody looks on. `str` of it is whole, for other reports."""

    def __init__(self, text: str, crash: object) -> None:
        self.text = text
        self.reprcrash = crash

    def __str__(self) -> str:
        return self.text

    def toterminal(self, tw: TerminalWriter) -> None:
        from harness.report.folding import folded, width_of_writer

        for line in folded(self.text, width_of_writer(tw)).split("\n"):
            tw.line(line)


class Terminal:
    """pytest's terminal, lent for a moment. `nodeid` is the test that pytest is at."""

    def __init__(self, config: pytest.Config, clean: Callable[[str], str]) -> None:
        self._config = config
        self._clean = clean
        self.nodeid: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether somebody is watching: bars are for terminals, not for pipes."""
        reporter = self._reporter
        return reporter is not None and bool(reporter.isatty)

    def say(self, text: str) -> None:
        """Show a line or several to the person at the terminal."""
        from harness.report.folding import folded, width_of
        from harness.report.text import plain

        reporter = self._reporter
        text = plain(self._clean(text))
        if reporter is None or is_worker(self._config):  # a worker's standard output nobody sees
            with self.lent():
                print(text, file=sys.stderr, flush=True)
            return
        with self.lent():
            reporter.write_line(folded(text, width_of(reporter)))
            reporter.flush()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Uncaptured, at the start of a line: what pytest has begun its line with is written again after."""
        reporter = self._reporter
        manager = self._config.pluginmanager.get_plugin("capturemanager")
        begun = getattr(reporter, "currentfspath", None) if self.nodeid is not None else None
        with manager.global_and_fixture_disabled() if manager else contextlib.nullcontext():
            if begun is not None and reporter.isatty:
                reporter.rewrite("", erase=True)
                reporter.rewrite("")  # to the line's start
            elif reporter is not None:
                reporter.ensure_newline()
            yield
            if begun is not None:
                reporter.currentfspath = begun
                reporter._tw._current_line = ""  # by which it finds the column for its percentages
                reporter.write(self._beginning(begun), flush=True)

    def _beginning(self, begun: Any) -> str:
        """Of pytest's line: the path of a file, or with -v a text that names the test."""
        if isinstance(begun, str):
            return begun
        with contextlib.suppress(ValueError, AttributeError):
            return f"{begun.relative_to(self._reporter.startpath)} "
        return f"{begun} "

    @property
    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")


class TerminalProgress:
    """Draws one line for each thing awaited: what, a bar, seen of awaited, time left. Nothing in a pipe."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._ends: float | None = None

    @contextlib.contextmanager
    def phase(self, text: str) -> Iterator[None]:
        if not self._terminal.is_live or self._bars is not None:
            yield
            return
        with self._terminal.lent():
            self._bars = self._make(text)
            try:
                with self._bars:
                    yield
            finally:
                self._bars = None
                self._tasks.clear()

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        self._ends = time.monotonic() + seconds
        try:
            yield
        finally:
            self._ends = None

    def update(self, what: str, seen: int, awaited: int) -> None:
        if self._bars is None or not awaited:
            return
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=awaited)
        self._bars.update(self._tasks[what], completed=seen)

    def _make(self, text: str) -> Progress:
        from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
        from rich.table import Column
        from rich.text import Text

        outer = self

        class Seen(ProgressColumn):
            def render(self, task: Any) -> Text:
                return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}")

        class TimeLeft(ProgressColumn):
            def render(self, task: Any) -> Text:
                if outer._ends is None or task.finished:
                    return Text("")
                return Text(f"{max(0, outer._ends - time.monotonic()):.0f} s left", style="dim")

        what = TextColumn("  {task.description}", markup=False, table_column=Column(overflow="fold"))
        bars = Progress(transient=True)
        width = bars.console.width
        bars.columns = (
            what,
            BarColumn(_BAR if width >= _NARROW else max(4, width // 8)),
            Seen(table_column=Column(no_wrap=True)),
            TimeLeft(table_column=Column(no_wrap=True)),
        )
        if not text.startswith("exercising"):  # whose own lines come with what is awaited
            bars.add_task(text, total=None)
        return bars
