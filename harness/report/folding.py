"""Lines folded to a terminal's width at words, where a person looks on; in a pipe they stay whole, for programs."""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len

_NARROWEST = 20
_LABEL = re.compile(r"\s+[a-z][a-z ]{0,12}:\s*")
"""Of a row of a finding: what the row says stands beside it, on every line."""


def width_of(terminal: Any) -> int | None:
    """Columns of a terminal reporter of pytest's; None where nobody looks on."""
    return width_of_writer(getattr(terminal, "_tw", None))


def width_of_writer(writer: Any) -> int | None:
    """The same of a terminal writer of pytest's."""
    file = getattr(writer, "_file", None)
    if file is None or not file.isatty():
        return None
    return max(_NARROWEST, int(writer.fullwidth))


def folded(text: str, width: int | None, indent: str = "") -> str:
    """The text with lines of at most `width` columns; further parts of a line stand below its beginning.

    A word that is wider than that, a path most often, stays in one piece, so that it can be copied.
    """
    if width is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _parts(line, width, indent))


def _parts(line: str, width: int, indent: str) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    below = indent or " " * _indent(line, width)
    parts: list[str] = []
    current = ""
    for word in re.findall(r"\s*\S+", line):
        if cell_len(current + word) <= width or not current.strip():
            current += word
        else:
            parts.append(current)
            current = below + word.lstrip()
    return [*parts, current]


def _indent(line: str, width: int) -> int:
    label = _LABEL.match(line)
    if label and label.end() <= width // 3:
        return label.end()
    return len(line) - len(line.lstrip())
