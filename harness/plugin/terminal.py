"""A live progress bar while the run waits, where the output is a terminal; nothing elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class TerminalProgress:
    """Draws one line for each thing awaited: what, a bar, seen of awaited, time left."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._ends: float | None = None

    @contextlib.contextmanager
    def phase(self, text: str) -> Iterator[None]:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not terminal.isatty or self._bars is not None:
            yield
            return
        from harness.plugin.state import STATE

        state = self._config.stash[STATE]
        with state.uncaptured(), line_lent(terminal, state.nodeid):
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
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
        from rich.text import Text

        outer = self

        class TimeLeft(ProgressColumn):
            def render(self, task: Any) -> Text:
                if outer._ends is None or task.finished:
                    return Text("")
                return Text(f"{max(0, outer._ends - time.monotonic()):.0f} s left", style="dim")

        class Seen(ProgressColumn):
            def render(self, task: Any) -> Text:
                return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}")

        bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=24),
            Seen(),
            TimeLeft(),
            console=Console(stderr=False),
            transient=True,
        )
        if text.startswith("waiting"):
            bars.add_task(text, total=None)
        return bars


@contextlib.contextmanager
def line_lent(terminal: Any, nodeid: str | None) -> Iterator[None]:
    """Lend the line that pytest has just begun with the path of a test file; it is begun again afterwards."""
    begun = nodeid is not None and getattr(terminal, "currentfspath", None) is not None
    if begun and terminal.isatty:
        terminal.rewrite("", erase=True)
    elif begun:
        terminal.ensure_newline()
    yield
    if begun:
        terminal.currentfspath = None
        terminal.write_fspath_result(nodeid, "")
