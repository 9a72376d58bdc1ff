"""Documents as JSON values: text or bytes from anywhere, strictly read; every failure is a finding that has a place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

from harness.dtdl.locate import repeated_members
from harness.dtdl.parser.findings import Findings

Document = str | bytes | Mapping[str, object] | Sequence[object]
"""JSON text, UTF-8 bytes of it, or a document that is decoded already."""

_BYTE_ORDER_MARK = "\ufeff"
_TOO_DEEP = "it is nested too deeply"


def to_text(document: Document, number: int, findings: Findings) -> str | None:
    """The JSON text of a document; None, with the reason reported, where there is none.

    A document that is decoded already is written out, so that one way of reading sees everything (and circles are
    found).
    """
    if isinstance(document, bytes):
        return _decoded(document, number, findings)
    if isinstance(document, str):
        return _without_mark(document, number, findings)
    try:
        return json.dumps(document, allow_nan=False, ensure_ascii=False, default=_as_dict)
    except RecursionError:
        detail = _TOO_DEEP
    except (TypeError, ValueError) as error:
        detail = str(error)
    findings.add("invalidJson", detail=detail, document=number)
    return None


def _as_dict(value: object) -> dict[str, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"it holds a {type(value).__name__}, which JSON cannot express")


def _decoded(raw: bytes, number: int, findings: Findings) -> str | None:
    try:
        return _without_mark(raw.decode("utf-8"), number, findings)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        detail = f"byte {raw[error.start]:#04x} at line {line}, column {column} is not valid there"
        findings.add("invalidEncoding", detail=detail, document=number, line=line, column=column)
        return None


def _without_mark(text: str, number: int, findings: Findings) -> str | None:
    if text.startswith(_BYTE_ORDER_MARK):
        detail = "it begins with a byte order mark"
        findings.add("invalidEncoding", detail=detail, document=number, line=1, column=1)
        return None
    return text


def to_value(text: str, number: int, findings: Findings) -> object:
    """The JSON value of the text; None, with the reason reported, where the text is not JSON."""
    repeats = False

    def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal repeats
        members = dict(pairs)
        if len(members) != len(pairs):
            repeats = True
        return members

    try:
        value: object = json.loads(text, object_pairs_hook=as_object, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        detail = f"{error.msg} (line {error.lineno}, column {error.colno})"
        findings.add("invalidJson", detail=detail, document=number, line=error.lineno, column=error.colno)
        return None
    except RecursionError:
        findings.add("invalidJson", detail=_TOO_DEEP, document=number)
        return None
    except ValueError as error:
        findings.add("invalidJson", detail=str(error), document=number)
        return None
    for pointer, name, line in repeated_members(text) if repeats else ():
        findings.add("duplicateMember", value=name, pointer=pointer, document=number, line=line)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
