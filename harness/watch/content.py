"""Payloads and other words of strangers, for a screen: read as what they are, and harmless.

A device may send what moves the cursor, turns the reading direction or fills the screen. Nothing of it gets out of
here but characters that are seen and take their place.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from harness.dtdl import decode

SHOWN = 600
"""Characters of a payload that a person is shown; a program gets all."""
_HEX_SHOWN = 128


class Content(NamedTuple):
    """A payload read: JSON (`value`), else `text` where it is UTF-8, else `hex`; `problem` says why it is not JSON."""

    value: Any = None
    text: str | None = None
    hex: str | None = None
    problem: str = ""
    empty: bool = False

    def document(self) -> dict[str, Any]:
        """For a program: `payload`, or else `payloadText` or `payloadHex` with `payloadProblem`."""
        if self.empty:
            return {"payload": None, "payloadProblem": "empty"}
        if self.hex is not None:
            return {"payloadHex": self.hex, "payloadProblem": self.problem}
        if self.problem:
            return {"payloadText": self.text, "payloadProblem": self.problem}
        return {"payload": self.value}


def read(raw: bytes) -> Content:
    """Never raises."""
    if not raw:
        return Content(empty=True)
    value, problems = decode(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Content(hex=raw.hex(), problem=problems[0].message if problems else "not UTF-8")
    if problems:
        return Content(text=text, problem=problems[0].message)
    return Content(value=value, text=text)


def shown(raw: bytes) -> str:
    """A payload on one line, harmless and not too long."""
    content = read(raw)
    if content.empty:
        return "(empty)"
    if content.hex is not None:
        return clip(content.hex, _HEX_SHOWN, len(raw)) + f"  (hex: {harmless(clip(content.problem, 200))})"
    assert content.text is not None
    text = content.text.strip()
    if content.problem:
        return clip(harmless(text[: SHOWN + 1]), SHOWN, len(raw)) + f"  (text: {harmless(clip(content.problem, 200))})"
    if "\n" in text:
        text = compact(content.value)
    return clip(harmless(text[: SHOWN + 1]), SHOWN, len(raw))


def compact(value: Any) -> str:
    """A JSON value on one line, as it is written by hand."""
    return json.dumps(value, ensure_ascii=False, default=str)


def harmless(text: str) -> str:
    """The text with everything that is not a plain visible character or a space written as in JSON, `\\u001b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return short or (f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}")


def clip(text: str, most: int, size: int | None = None) -> str:
    """The text, or its beginning and how many bytes there are."""
    if len(text) <= most:
        return text
    return text[:most] + "…" + (f" ({size:,} bytes in all; --json has them)" if size is not None else "")
