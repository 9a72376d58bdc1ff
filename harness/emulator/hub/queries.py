"""Queries over the hub's twins, page by page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.emulator import jsontext
from harness.emulator.errors import ServiceError
from harness.emulator.hub.querylang import Document, Query, parse
from harness.emulator.hub.queryvalues import AGGREGATES, UNDEFINED
from harness.emulator.hub.registry import Registry

DEFAULT_PAGE = 100
MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """`kind` is what Azure calls the rows: Twin, DeviceJob or Raw. `continuation` None ends the result."""

    rows: list[Any]
    kind: str
    continuation: str | None


def run(registry: Registry, text: Any, *, size: int = DEFAULT_PAGE, continuation: str | None = None) -> Page:
    """Answer a query. Raises ServiceError 400004 for a query, a page size or a continuation that is wrong."""
    if not isinstance(text, str):
        raise ServiceError(400004, "the body must have a query")
    if not 1 <= size <= MAX_PAGE:
        raise ServiceError(400004, f"x-ms-max-item-count must be 1 to {MAX_PAGE}")
    query = parse(text)
    begin = _read_continuation(continuation, text)
    rows = _rows(query, _documents(registry, query.source))
    if query.top is not None:
        rows = rows[: query.top]
    end = begin + size
    more = _write_continuation(end, text) if end < len(rows) else None
    whole = "DeviceJob" if query.source == "devices.jobs" else "Twin"
    return Page(rows[begin:end], "Raw" if query.items is not None or query.group_by else whole, more)


def _documents(registry: Registry, source: str) -> Iterable[Document]:
    if source == "devices.jobs":
        return ()
    identities = registry.devices() if source == "devices" else registry.modules()
    return (identity.twin_document() for identity in identities)


def _rows(query: Query, documents: Iterable[Document]) -> list[Any]:
    where = query.where
    selected = [one for one in documents if where is None or where(one) is True]
    if query.aggregates:
        return _groups(query, selected)
    if query.items is None:
        return selected
    return [_project(query, [one]) for one in selected]


def _groups(query: Query, documents: list[Document]) -> list[Any]:
    groups: dict[bytes, list[Document]] = {} if query.group_by else {b"": documents}
    for document in documents if query.group_by else ():
        values = [path(document) for path in query.group_by]
        key = jsontext.dump([[] if value is UNDEFINED else [value] for value in values])
        groups.setdefault(key, []).append(document)
    return [_project(query, group) for group in groups.values()]


def _project(query: Query, group: list[Document]) -> dict[str, Any]:
    """One row of a group of documents: aggregates over all of them, the rest from the first."""
    row: dict[str, Any] = {}
    for item in query.items or ():
        if item.aggregate is not None:
            values = [item.expression(one) if item.expression else True for one in group]
            value = AGGREGATES[item.aggregate](values)
        else:
            value = item.expression(group[0]) if item.expression and group else UNDEFINED
        if value is not UNDEFINED:
            row[item.name] = value
    return row


def _write_continuation(offset: int, text: str) -> str:
    return base64.b64encode(json.dumps([offset, _digest(text)]).encode()).decode()


def _read_continuation(token: str | None, text: str) -> int:
    if not token:
        return 0
    try:
        offset, digest = json.loads(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise ServiceError(400004, "the continuation token is not one of this hub's") from None
    if digest != _digest(text) or type(offset) is not int or offset < 0:
        raise ServiceError(400004, "the continuation token is of another query")
    return offset


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
