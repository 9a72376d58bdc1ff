"""A sub-command at work: what it writes, line by line, and how it ends.

`Command` is a process, as a person has it. `Inline` runs in a thread of the test, which is quicker; only signals need
the former.
"""

from __future__ import annotations

import contextlib
import io
import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from harness.cli import main

DEADLINE = 30.0


class Watched:
    """The lines of a running command."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self._queues: dict[str, queue.Queue[str | None]] = {"out": queue.Queue(), "err": queue.Queue()}

    def line(self, of: str = "out") -> str:
        """The next line of `out` or `err`."""
        line = self._queues[of].get(timeout=DEADLINE)
        if line is None:
            self._queues[of].put(None)
            raise AssertionError(f"it ended with {self.finish()}: {self.err}")
        (self.out if of == "out" else self.err).append(line)
        return line

    def finish(self) -> int:
        """The exit code; `out` and `err` then have all lines."""
        code = self._code()
        for name, lines in (("out", self.out), ("err", self.err)):
            while (line := self._queues[name].get(timeout=DEADLINE)) is not None:
                lines.append(line)
            self._queues[name].put(None)
        assert "Traceback" not in "".join(self.err), "".join(self.err)
        return code

    def text(self) -> str:
        return "".join(self.out)

    def objects(self) -> list[dict[str, Any]]:
        """The lines of the output as JSON."""
        return [json.loads(line) for line in self.out]

    def _listening(self) -> None:
        while "Listening to" not in self.line("err"):
            continue

    def _code(self) -> int:
        raise NotImplementedError


class Inline(Watched):
    """`preflight` with these arguments in a thread. What else is printed meanwhile is taken for its own."""

    def __init__(self, *arguments: str) -> None:
        super().__init__()
        self._ended: queue.Queue[int] = queue.Queue()
        self._thread = threading.Thread(target=self._run, args=(arguments,), daemon=True)
        self._thread.start()

    def _run(self, arguments: tuple[str, ...]) -> None:
        out, err = _Lines(self._queues["out"]), _Lines(self._queues["err"])
        code = -1
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(arguments)
        finally:
            self._ended.put(code)
            out.close()
            err.close()

    def listening(self) -> Inline:
        """Returns when it misses nothing any more."""
        self._listening()
        return self

    def _code(self) -> int:
        code = self._ended.get(timeout=DEADLINE)
        self._ended.put(code)
        return code


class _Lines(io.TextIOBase):
    """A stream that passes lines on."""

    def __init__(self, lines: queue.Queue[str | None]) -> None:
        super().__init__()
        self._lines = lines
        self._rest = ""

    def write(self, text: str, /) -> int:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._lines.put(line + "\n")
        return len(text)

    def close(self) -> None:
        if not self.closed:
            self._lines.put(None)
        super().close()


class Command(Watched):
    """`preflight` with these arguments as a process, in this folder."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        super().__init__()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for name, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
            threading.Thread(target=self._read, args=(stream, name), daemon=True).start()

    def _read(self, stream: IO[str], name: str) -> None:
        for line in stream:
            self._queues[name].put(line)
        self._queues[name].put(None)

    def listening(self) -> Command:
        """Returns when it misses nothing any more."""
        self._listening()
        return self

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.finish()

    def kill(self) -> None:
        """End it whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _code(self) -> int:
        return self.process.wait(DEADLINE)
