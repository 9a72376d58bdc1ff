"""Documents as JSON values: text or bytes from anywhere, strictly read, with every failure a finding that has a
place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

from harness.dtdl.parser.findings import Findings

Document = str | bytes | Mapping[str, object] | Sequence[object]
"""JSON text, UTF-8 bytes of it, or a document that is decoded already."""

_BYTE_ORDER_MARK = "\ufeff"


def to_text(document: Document, number: int, findings: Findings) -> str | None:
    """The JSON text of a document; None, with the reason reported, where there is none.

    A document that is decoded already is written out, so that one way of reading sees everything (and cycles are
    found).
    """
    if isinstance(document, bytes):
        return _decode(document, number, findings)
    if isinstance(document, str):
        if document.startswith(_BYTE_ORDER_MARK):
            detail = "it begins with a byte order mark"
            findings.add("invalidEncoding", detail=detail, document=number, line=1, column=1)
            return None
        return document
    try:
        return json.dumps(document, allow_nan=False, ensure_ascii=False)
    except RecursionError:
        detail = "it is nested too deeply"
    except (TypeError, ValueError) as error:
        detail = str(error)
    findings.add("invalidJson", detail=detail, document=number)
    return None


def _decode(raw: bytes, number: int, findings: Findings) -> str | None:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        detail = "it begins with a byte order mark"
        findings.add("invalidEncoding", detail=detail, document=number, line=1, column=1)
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        detail = f"byte {raw[error.start]:#04x} at line {line}, column {column} is not valid there"
        findings.add("invalidEncoding", detail=detail, document=number, line=line, column=column)
        return None


def to_value(text: str, number: int, findings: Findings) -> object:
    """The JSON value of the text; None, with the reason reported, where the text is not JSON."""
    repeated: list[str] = []

    def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            repeated.extend(_repeated(pairs))
        return members

    try:
        value: object = json.loads(text, object_pairs_hook=as_object, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        detail = f"{error.msg} at line {error.lineno}, column {error.colno}"
        findings.add("invalidJson", detail=detail, document=number, line=error.lineno, column=error.colno)
        return None
    except RecursionError:
        findings.add("invalidJson", detail="it is nested too deeply", document=number)
        return None
    except ValueError as error:
        findings.add("invalidJson", detail=str(error), document=number)
        return None
    for name in repeated:
        findings.add("duplicateMember", value=name, document=number)
    return value


def _repeated(pairs: list[tuple[str, object]]) -> list[str]:
    seen: set[str] = set()
    return [name for name, _ in pairs if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
