"""A program on a screen of some width: a pseudo-terminal, and what stands on it when all was written."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROWS = 200


def on_a_screen(command: Sequence[str], folder: Path, environment: Mapping[str, str], width: int) -> tuple[int, str]:
    """Run it there; the exit code and what it wrote, with all that moves the cursor."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, width, 0, 0))
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    raw = b""
    try:
        while piece := os.read(ours, 65536):
            raw += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(60), raw.decode()


def seen(raw: str, width: int) -> list[str]:
    """The lines that stand on a screen of this width at the end, those that have scrolled away too."""
    import pyte

    screen: Any = pyte.HistoryScreen(width, ROWS, history=10_000)
    pyte.Stream(screen).feed(raw)
    above = ["".join(line[x].data for x in range(width)) for line in screen.history.top]
    return [line.rstrip() for line in (*above, *screen.display)]
