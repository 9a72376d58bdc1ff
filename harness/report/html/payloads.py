"""A payload as it was received: JSON laid out, else text, else a hex dump; long ones shortened."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.dtdl import decode

SHOWN = 3000
"""Characters of a payload; the whole is in journal.jsonl."""
_LAID_OUT = 20_000
"""Bytes up to which JSON is laid out; longer text is shown as it begins."""
_HEX = 512
_WIDTH = 92
_DEEPEST = 60
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Shown:
    """`form` is JSON, text, hex or empty; `note` says what is wrong with it or what is left out."""

    form: str
    text: str
    size: int
    note: str = ""


def shown(raw: bytes, clean: Callable[[str], str], most: int = SHOWN) -> Shown:
    """Never raises, whatever the bytes. `clean` masks secrets, before anything is cut."""
    if not raw:
        return Shown("empty", "", 0)
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        rest = _rest(len(raw)) if len(raw) > _HEX else ""
        return Shown("hex", hex_dump(raw[: min(_HEX, most)]), len(raw), f"Not UTF-8 at byte {e.start}.{rest}")
    problem = _problem(raw) if len(raw) <= _LAID_OUT else ""
    form = "text" if problem or text.lstrip()[:1] not in '{["-0123456789tfn' else "JSON"
    text = clean(text[: 4 * _LAID_OUT])
    if form == "JSON" and len(raw) <= _LAID_OUT:
        text = laid_out(text)
    note = f"Not JSON: {problem}" if problem else ""
    if len(text) > most:
        text, note = text[:most] + "…", f"{note}{_rest(len(raw))}".strip()
    return Shown(form, text, len(raw), note)


def of_value(value: Any, clean: Callable[[str], str], most: int = SHOWN) -> Shown:
    """The same for a value that was JSON on its way."""
    return shown(compact(value).encode("utf-8", "backslashreplace"), clean, most)


def compact(value: Any) -> str:
    """A JSON value on one line."""
    return json.dumps(value, ensure_ascii=False, default=lambda v: dict(v) if hasattr(v, "keys") else str(v))


def laid_out(text: str) -> str:
    """Valid JSON with line ends and indentation; every name, number and string stays as it was written."""
    tokens = _TOKEN.findall(text)
    lines: list[str] = []
    _lay(tokens, lines)
    return "\n".join(lines) or text


def hex_dump(raw: bytes) -> str:
    """Sixteen bytes a line: offset, hex, and the characters of ASCII."""
    rows = []
    for at in range(0, len(raw), 16):
        part = raw[at : at + 16]
        characters = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        rows.append(f"{at:06x}  {part.hex(' '):<47}  {characters}")
    return "\n".join(rows)


def _problem(raw: bytes) -> str:
    problems = decode(raw)[1]
    return problems[0].message if problems else ""


def _rest(size: int) -> str:
    return f" Shortened: {size:,} bytes in all, whole in journal.jsonl."


def _lay(tokens: list[str], lines: list[str]) -> None:
    """One pass: a container that fits on a line stays on it."""
    ends = _ends(tokens)
    depth, line, at = 0, "", 0
    while at < len(tokens):
        token = tokens[at]
        if token in ("{", "["):
            flat = _flat(tokens[at : ends.get(at, at) + 1], _WIDTH - 2 * depth - len(line))
            if flat is not None:
                line, at = line + flat, ends[at] + 1
                continue
            lines.append("  " * min(depth, _DEEPEST) + line + token)
            depth, line = depth + 1, ""
        elif token in ("}", "]"):
            if line:
                lines.append("  " * min(depth, _DEEPEST) + line)
            depth, line = depth - 1, token
        elif token == ",":
            lines.append("  " * min(depth, _DEEPEST) + line + ",")
            line = ""
        else:
            line += ": " if token == ":" else token
        at += 1
    if line:
        lines.append("  " * min(depth, _DEEPEST) + line)


def _ends(tokens: list[str]) -> dict[int, int]:
    """Where each container ends, by where it begins."""
    found, open_ = {}, []
    for at, token in enumerate(tokens):
        if token in ("{", "["):
            open_.append(at)
        elif token in ("}", "]") and open_:
            found[open_.pop()] = at
    return found


def _flat(tokens: list[str], room: int) -> str | None:
    if len(tokens) > room or len(tokens) < 2:
        return None
    spaced = {",": ", ", ":": ": "}
    text = "".join(spaced.get(t, t) for t in tokens)
    return text if len(text) <= room else None
