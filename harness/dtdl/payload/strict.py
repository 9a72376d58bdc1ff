"""Strict reading of one JSON text (RFC 8259), shared by payloads and model documents.

`json.loads` alone forgives what IoT Hub, IoT Central and the reference parser do not: it takes NaN, lets the last of
two equal names win, and turns a long run of brackets into a RecursionError. Microsoft's own monitor guesses at
encodings. Here a text is UTF-8 without byte order mark, its names unique in each object, its nesting bounded.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

from .text import pointer_of, quote

_MOST_FAULTS = 20


class NegativeZero(int):
    """The token `-0`: zero for signed integers, but not written with digits only as unsigned ones must be."""

    def __new__(cls) -> NegativeZero:
        return super().__new__(cls, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not strict JSON. `sentence` begins with its verb, so that the reader can say what was read
    ("The payload " or "The file " goes before it). `line` counts from 1; `pointer` is "" where none applies."""

    code: str
    line: int
    sentence: str
    expected: str
    actual: str
    pointer: str = ""


class NotStrict(Exception):
    """`faults` has at least one."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


def read(raw: bytes | str, max_depth: int) -> tuple[str, Any]:
    """The text and its value. Number tokens keep their kind: without fraction or exponent an int (`-0` a
    NegativeZero), else a float, infinite where the token exceeds double precision. Raises NotStrict only."""
    text = raw if isinstance(raw, str) else _text(raw)
    if text.startswith("\ufeff"):
        raise NotStrict(_byte_order_mark("UTF-8"))
    if text.count("[") + text.count("{") > max_depth:
        _check_depth(text, max_depth)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise NotStrict(_syntax(text, error)) from None
    except ValueError:
        raise NotStrict(_long_number(text)) from None
    if "\\u" in text and _SURROGATE.search(text):
        _check_surrogates(value)
    return text, value


def _decode(text: str) -> Any:
    decoder = _SIGNED_ZERO if "-0" in text and _NEGATIVE_ZERO.search(text) else _PLAIN
    try:
        return decoder.decode(text)
    except _NonFinite:
        raise NotStrict(_non_finite(text)) from None
    except _Repeated:
        pass
    try:
        marked = _MARKING.decode(text)
    except _NonFinite:
        raise NotStrict(_non_finite(text)) from None
    raise NotStrict(*islice(_repeated_names(text, marked), _MOST_FAULTS))


_MARKS = ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


def _text(raw: bytes) -> str:
    for mark, name in _MARKS:
        if raw.startswith(mark):
            raise NotStrict(_byte_order_mark(name))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02X} at offset {error.start}"
        sentence = f"is not UTF-8: {error.reason}, {found} (line {line}). Encode it as UTF-8."
        raise NotStrict(Fault("encoding", line, sentence, "UTF-8", found)) from None
    if "\0" in text[:4]:
        sentence = "begins with zero bytes, as UTF-16 and UTF-32 have them. Encode it as UTF-8."
        raise NotStrict(Fault("encoding", 1, sentence, "UTF-8", "zero bytes among the first four"))
    return text


def _byte_order_mark(encoding: str) -> Fault:
    move = "Write it without." if encoding == "UTF-8" else "Encode it as UTF-8, without byte order mark."
    sentence = f"begins with the byte order mark of {encoding}, which is not JSON. {move}"
    return Fault("byteOrderMark", 1, sentence, "UTF-8 without byte order mark", f"the byte order mark of {encoding}")


_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
"""Ends with the text where the closing quote is missing: never a second look at the same characters."""
_BRACKETS = re.compile(_STRING + r"|[\[{\]}]", re.DOTALL)
_CONSTANTS = re.compile(_STRING + r"|-?Infinity|NaN", re.DOTALL)
_NEGATIVE_ZERO = re.compile(r"-0(?![0-9.eE])")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _check_depth(text: str, most: int) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match.group()
        if mark in ("[", "{"):
            depth += 1
            if depth > most:
                line, place = _place(text, match.start())
                sentence = f"nests deeper than {most} levels at {place}; JSON readers stop there. Flatten it."
                raise NotStrict(Fault("depth", line, sentence, f"at most {most} levels", f"level {depth} at {place}"))
        elif mark in ("]", "}"):
            depth -= 1


def _check_surrogates(value: object) -> None:
    for pointer, text in _strings(value, ""):
        if any("\ud800" <= char <= "\udfff" for char in text):
            sentence = (
                f"has half a surrogate pair in a \\u escape at {pointer or 'its root'}, which stands for no character. "
                "Escape both halves, or write the character as UTF-8."
            )
            raise NotStrict(Fault("surrogate", 1, sentence, "whole characters", quote(text), pointer))


def _strings(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield pointer, name
            yield from _strings(item, pointer + pointer_of([name]))


def _syntax(text: str, error: json.JSONDecodeError) -> Fault:
    if not text.strip(" \t\n\r"):
        return Fault("empty", 1, "is empty; write one JSON value.", "one JSON text", "nothing")
    line, place = _place(text, error.pos)
    found = quote(text[error.pos : error.pos + 20]) if error.pos < len(text) else "the end of the text"
    reason = (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
    sentence = f"is not JSON: {reason} at {place}, where it has {found}."
    return Fault("syntax", line, sentence, "one JSON text (RFC 8259)", f"{found} at {place}")


def _long_number(text: str) -> Fault:
    """The one ValueError left: Python converts no integer of more than 4300 digits, for time's sake."""
    match = re.search(r"[0-9]{1000,}", text)
    line, place = _place(text, match.start() if match else 0)
    sentence = f"has a number of thousands of digits at {place}; no DTDL schema holds it."
    return Fault("numberTooLong", line, sentence, "a number in the range of its schema", f"a number at {place}")


def _non_finite(text: str) -> Fault:
    match = next(found for found in _CONSTANTS.finditer(text) if not found.group().startswith('"'))
    line, place = _place(text, match.start())
    sentence = f"has {match.group()} at {place}, which is not JSON. Leave out what has no finite number."
    return Fault("nonFinite", line, sentence, "a finite number", f"{match.group()} at {place}")


def _repeated_names(text: str, marked: object) -> Iterator[Fault]:
    for pointer, name in _marks(marked, ""):
        place = pointer + pointer_of([name])
        sentence = f"has the name {quote(name)} more than once in one object; readers differ in which they keep."
        yield Fault("duplicateName", 1, sentence, "unique names", quote(name), place)


def _marks(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Marked):
        for name in value.repeated:
            yield pointer, name
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _marks(item, pointer + pointer_of([name]))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _marks(item, f"{pointer}/{index}")


def _place(text: str, offset: int) -> tuple[int, str]:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return line, f"line {line}, column {column}"


class _Repeated(Exception):
    """Some object has a name twice."""


class _NonFinite(Exception):
    """NaN, Infinity or -Infinity stands where a number should."""


class _Marked(dict[str, Any]):
    """An object of the second reading, with the names that came more than once."""

    repeated: tuple[str, ...] = ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Repeated
    return members


def _marked(pairs: list[tuple[str, Any]]) -> _Marked:
    members = _Marked(pairs)
    if len(members) != len(pairs):
        members.repeated = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return members


def _refuse_constant(token: str) -> NoReturn:
    raise _NonFinite


def _integer(token: str) -> int:
    return NegativeZero() if token == "-0" else int(token)


_PLAIN = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
_SIGNED_ZERO = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_integer)
_MARKING = json.JSONDecoder(object_pairs_hook=_marked, parse_constant=_refuse_constant)
