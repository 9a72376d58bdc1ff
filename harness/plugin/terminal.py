"""The terminal while the run waits: lines said past pytest's capture, and live progress bars."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Terminal:
    """pytest's terminal, lent for a moment. `nodeid` is the test that pytest is at."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.nodeid: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether somebody is watching: bars are for terminals, not for pipes."""
        reporter = self._reporter
        return reporter is not None and bool(reporter.isatty)

    def say(self, text: str) -> None:
        """Show a line or several to the person at the terminal."""
        reporter = self._reporter
        if reporter is None:
            print(text)
            return
        with self.lent():
            reporter.write_line(text)
            reporter.flush()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Uncaptured, at the start of a line: the path that pytest has begun its line with is written again after."""
        reporter = self._reporter
        manager = self._config.pluginmanager.get_plugin("capturemanager")
        begun = self.nodeid is not None and getattr(reporter, "currentfspath", None) is not None
        with manager.global_and_fixture_disabled() if manager else contextlib.nullcontext():
            if begun and reporter.isatty:
                reporter.rewrite("", erase=True)
            elif reporter is not None:
                reporter.ensure_newline()
            yield
            if begun:
                reporter.currentfspath = None
                reporter.write_fspath_result(self.nodeid, "")

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

        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), Seen(), TimeLeft())
        bars = Progress(*columns, transient=True)
        if text.startswith("waiting"):
            bars.add_task(text, total=None)
        return bars
