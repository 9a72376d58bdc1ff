"""Reading a journal back, whatever became of it: cut off, damaged, of a newer version, or no journal at all.

What can be read is judged; what cannot is counted and said. An entry is found by its number, and evidence is cited by
it, so an entry that is missing leaves a gap (`EntryLost`) instead of moving the others up.
"""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import json
import math
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

from harness.record.events import KINDS, Entry, EntryLost
from harness.record.journal import VERSION, redacted
from harness.record.redact import Redactor

_LONGEST = 64 * 2**20
"""Bytes of a line: far more than the largest model or twin takes. What is longer is skipped unread."""
_WIDEST_GAP = 100_000
"""Entries that may be missing in a row; a number farther away is damage."""
_DEEPEST = 100
"""Levels of a line; what telemetry and twins may have is less."""
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_LINES_NAMED = 3
_KINDS_OF_FAULT = 20


class Unreadable(ValueError):
    """A line that is no entry; the text is a sentence without its end."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as read: its entries, numbered without gaps, and a sentence for each kind of damage."""

    entries: tuple[Entry, ...]
    faults: tuple[str, ...]


def read(path: Path, redactor: Redactor | None = None) -> Journal:
    """Read a journal, keeping whatever can be read, without the secrets. Raises OSError where there is no such file."""
    entries: list[Entry] = []
    damage = _Damage()
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            if not line.strip():
                continue
            try:
                entry = _decode(_text(line))
                lost = _missing_before(entry, entries)
            except Unreadable as e:
                whole = line.endswith(b"\n")
                damage.add(number, str(e) if whole else f"{e} (the line is cut off: the run ended here)")
                continue
            if lost:
                damage.lost += lost
                since = entries[-1] if entries else Entry(0, 0.0, EntryLost())
                entries += (Entry(since.n + i, since.t, EntryLost()) for i in range(1, lost + 1))
            entries.append(redacted(entry, redactor) if redactor is not None else entry)
    return Journal(tuple(entries), tuple(damage.sentences()))


def is_journal(path: Path) -> bool:
    """Whether anything at the file's beginning can be read as an entry. Raises OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file)):
            if number == 1000:
                break
            try:
                _decode(_text(line))
            except Unreadable:
                continue
            return True
    return False


def decode(line: str) -> Entry:
    """The entry of one line. Raises ValueError with a sentence where the line is not one."""
    return _decode(line)


class _Damage:
    """What could not be read: the same sentence once, with its lines."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        self.lost = 0

    def add(self, number: int, sentence: str) -> None:
        if sentence not in self._lines and len(self._lines) >= _KINDS_OF_FAULT:
            sentence = "other damage"
        self._lines.setdefault(sentence, []).append(number)

    def sentences(self) -> Iterator[str]:
        for sentence, numbers in self._lines.items():
            named = ", ".join(map(str, numbers[:_LINES_NAMED]))
            more = f" and {len(numbers) - _LINES_NAMED:,} more" if len(numbers) > _LINES_NAMED else ""
            yield f"line{'s' * (len(numbers) > 1)} {named}{more}: {sentence}"
        if self.lost:
            what = "1 entry is" if self.lost == 1 else f"{self.lost:,} entries are"
            yield f"{what} missing: what they would have shown was not judged"


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; of one that is too long only a piece, which is no entry."""
    while line := file.readline(_LONGEST):
        yield line
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            while (rest := file.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not text in UTF-8") from None


def _is_too_deep(line: str) -> bool:
    """Whether it nests deeper than what reads events by recursion could follow."""
    if line.count("{") + line.count("[") <= _DEEPEST:
        return False
    depths = itertools.accumulate((c in "{[") - (c in "}]") for c in _TEXTS.sub("", line))
    return max(depths, default=0) > _DEEPEST


def _decode(line: str) -> Entry:
    if _is_too_deep(line):
        raise Unreadable(f"not JSON that can be read: deeper than {_DEEPEST} levels")
    try:
        row = json.loads(line)
    except json.JSONDecodeError as e:
        raise Unreadable(f"not JSON: {e.msg}") from None
    except (ValueError, RecursionError):
        raise Unreadable("not JSON that can be read: too deep, or a number without an end") from None
    if not isinstance(row, dict) or not {"n", "t", "kind"} <= row.keys():
        raise Unreadable("not a journal line: n, t and kind are expected")
    n, t, kind = row["n"], row["t"], row["kind"]
    if type(n) is not int or n < 1 or type(t) not in (int, float) or not math.isfinite(t) or not isinstance(kind, str):
        raise Unreadable("not a journal line: n or t is no number, or kind no text")
    version = row.get("journal", VERSION)
    if kind not in KINDS:
        newer = f"format {version}, this pre-flight reads {VERSION}" if version != VERSION else "update the pre-flight"
        raise Unreadable(f"unknown kind of event {kind[:60]!r}: the journal is of a newer version ({newer})")
    values: dict[str, Any] = {}
    for name, reader, needed in _readers(kind):
        if name in row:
            try:
                values[name] = reader(row[name])
            except (TypeError, ValueError):
                raise Unreadable(f"{kind} is damaged: {name} is not what it should be") from None
        elif needed:
            raise Unreadable(f"{kind} is incomplete: {name} is missing")
    return Entry(n, float(t), KINDS[kind](**values))


def _missing_before(entry: Entry, entries: list[Entry]) -> int:
    """How many entries are missing between the last one and this."""
    last = entries[-1].n if entries else 0
    if entry.n <= last:
        raise Unreadable("an entry that was there already, or is out of order: not one journal, but several")
    if entry.n - last - 1 > _WIDEST_GAP:
        raise Unreadable("an entry whose number is far from its neighbours'")
    return entry.n - last - 1


Reader = Callable[[Any], Any]
"""Makes a field's value of its JSON. Raises TypeError or ValueError where it is of another type."""


@functools.cache
def _readers(kind: str) -> tuple[tuple[str, Reader, bool], ...]:
    """For each field of an event its name, its reader, and whether it has to be there."""
    cls: Any = KINDS[kind]
    hints = get_type_hints(cls)
    needed = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    return tuple((f.name, _reader(hints[f.name]), f.name in needed) for f in fields(cls))


def _reader(hint: Any) -> Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: value
    if hint is bytes:
        return _bytes
    if origin in (typing.Union, types.UnionType):
        return _either([_reader(one) for one in arguments])
    if origin is tuple:
        return _sequence(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_reader(arguments[1]))
    return _exactly(hint)


def _exactly(kind: type) -> Reader:
    wanted = (int, float) if kind is float else (kind,)

    def read(value: Any) -> Any:
        if type(value) not in wanted:
            raise TypeError
        return value

    return read


def _either(readers: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        for reader in readers:
            try:
                return reader(value)
            except (TypeError, ValueError):
                continue
        raise TypeError

    return read


def _sequence(arguments: tuple[Any, ...]) -> Reader:
    if arguments[-1] is ...:
        each = _reader(arguments[0])

        def read(value: Any) -> Any:
            if not isinstance(value, list):
                raise TypeError
            return tuple(each(one) for one in value)

        return read
    readers = [_reader(one) for one in arguments]

    def read_each(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(readers):
            raise TypeError
        return tuple(reader(one) for reader, one in zip(readers, value, strict=True))

    return read_each


def _mapping(each: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError
        return {name: each(inner) for name, inner in value.items()}

    return read


def _bytes(value: Any) -> bytes:
    match value:
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise ValueError from None
        case {"text": str(text)}:
            return text.encode("utf-8", "surrogatepass")
    raise TypeError
