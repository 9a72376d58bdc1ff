"""Where in a JSON text a JSON pointer leads: findings carry pointers, authors want lines.

A parser that keeps positions would pay for them in every model; this looks one up when a finding is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],:]|[^\s{{}}\[\],:\"]+")
_BRACKET = re.compile(rf"{_STRING}|[{{}}\[\]]")


def line_of(text: str, pointer: str) -> int:
    """The line, counted from 1, of what a JSON pointer (RFC 6901) names: a member's name, or an array's element.

    Where the pointer leads to nothing, the line of the nearest thing around it. The text must be JSON.
    """
    tokens = _Tokens(text)
    place = tokens.skip_space()
    for step in pointer.split("/")[1:]:
        found = tokens.enter(_unescape(step))
        if found is None:
            break
        place = found
    return text.count("\n", 0, place) + 1


def repeated_members(text: str) -> Iterator[tuple[str, str, int]]:
    """The members that occur again in the same object: the pointer to the object, their name, and the line."""
    path: list[str | int] = []  # for each open bracket the name or index where the position is
    names: list[set[str] | None] = []
    expects_name = False
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in ("{", "["):
            names.append(set() if token == "{" else None)
            path.append("" if token == "{" else 0)
            expects_name = token == "{"
        elif token in ("}", "]"):
            names.pop()
            path.pop()
            expects_name = False
        elif token == "," and names[-1] is None:
            path[-1] = int(path[-1]) + 1
        elif token == ",":
            expects_name = True
        elif expects_name and (known := names[-1]) is not None:
            name = path[-1] = json.loads(token)
            if name in known:
                line += text.count("\n", counted, match.start())
                counted = match.start()
                yield _pointer(path[:-1]), name, line
            known.add(name)
            expects_name = False


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{escape(str(step))}" for step in path)


def escape(name: str) -> str:
    """A member's name as a JSON pointer writes it (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


class _Tokens:
    """A position in the text, always at the start of a value."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def skip_space(self) -> int:
        match = _TOKEN.search(self._text, self._at)
        self._at = match.start() if match else len(self._text)
        return self._at

    def enter(self, step: str) -> int | None:
        """Goes to a member of the object, or an element of the array, that begins here; says where it stands."""
        bracket = self._text[self._at : self._at + 1]
        if bracket not in ("{", "["):
            return None
        self._at += 1
        return self._member(step) if bracket == "{" else self._element(step)

    def _member(self, name: str) -> int | None:
        while (start := self.skip_space()) < len(self._text) and self._text[start] == '"':
            key = self._skip_value()
            self.skip_space()
            self._at += 1
            self.skip_space()
            if json.loads(key) == name:
                return start
            self._skip_value()
            self._skip_comma()
        return None

    def _element(self, index: str) -> int | None:
        left = int(index) if index.isdecimal() and len(index) < 10 else -1
        while (start := self.skip_space()) < len(self._text) and self._text[start] != "]":
            if left == 0:
                return start
            self._skip_value()
            self._skip_comma()
            left -= 1
        return None

    def _skip_value(self) -> str:
        """Steps over the value that begins here; returns its text."""
        start, depth = self._at, 0
        if self._text[start : start + 1] not in ("{", "["):
            match = _TOKEN.match(self._text, start)
            self._at = match.end() if match else len(self._text)
            return self._text[start : self._at]
        for match in _BRACKET.finditer(self._text, start):
            if match[0] in ("{", "["):
                depth += 1
            elif match[0] in ("}", "]"):
                depth -= 1
            if not depth:
                self._at = match.end()
                return self._text[start : self._at]
        self._at = len(self._text)
        return self._text[start:]

    def _skip_comma(self) -> None:
        if self._text.startswith(",", self.skip_space()):
            self._at += 1
