"""The journal: one JSON object a line, written as it happens, so that a crash loses nothing.

A line is `{"n": 7, "t": 1.204, "kind": "telemetry_received", ...}`, `t` in seconds since the run began.
Raw payloads are `{"text": "..."}` when they are UTF-8 and `{"base64": "..."}` when not, so that a reader
sees what was sent and nothing is lost. Reading a journal back is `harness.record.reading`.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_type_hints

from harness.record.events import KINDS, Entry
from harness.record.redact import Redactor

VERSION = 1
"""Of the journal's format; stands in the first line."""


def encode(entry: Entry) -> str:
    """One entry as one line of JSON, without the line end."""
    event = entry.event
    row: dict[str, Any] = {"n": entry.n, "t": round(entry.t, 6), "kind": event.kind}
    if entry.n == 1:
        row["journal"] = VERSION
    for name in _field_names(event.kind):
        value = getattr(event, name)
        if type(value) is bytes:
            value = _payload(value)
        elif type(value) is MappingProxyType:
            value = dict(value)
        row[name] = value
    return _JSON.encode(row)


def redacted(entry: Entry, redactor: Redactor) -> Entry:
    """The entry without its secrets; the same one where it has none."""
    event: Any = entry.event
    changed = {}
    for name in _free_fields(event.kind):
        value = getattr(event, name)
        cleaned = redactor.clean_value(value)
        if cleaned != value:
            changed[name] = cleaned
    return dataclasses.replace(entry, event=dataclasses.replace(event, **changed)) if changed else entry


def encode_safely(entry: Entry, redactor: Redactor) -> tuple[str, Entry]:
    """The line of an entry without its secrets, and the entry that the line is of."""
    line = encode(entry)
    if not redactor.suspects(line):
        return line, entry
    safe = redacted(entry, redactor)
    return (line, entry) if safe is entry else (encode(safe), safe)


class SafeEncoder:
    """`encode` without the secrets; `changed` holds the entries that had some, as they were written, by number."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.changed: dict[int, Entry] = {}

    def __call__(self, entry: Entry) -> str:
        line, written = encode_safely(entry, self._redactor)
        if written is not entry:
            self.changed[entry.n] = written
        return line


def _payload(value: bytes) -> dict[str, str]:
    try:
        return {"text": value.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


@functools.cache
def _field_names(kind: str) -> tuple[str, ...]:
    cls: Any = KINDS[kind]
    return tuple(f.name for f in dataclasses.fields(cls))


@functools.cache
def _free_fields(kind: str) -> tuple[str, ...]:
    """All but those that only hold a number."""
    cls: Any = KINDS[kind]
    numbers = (int, float, bool, int | None, float | None)
    return tuple(name for name, hint in get_type_hints(cls).items() if hint not in numbers and name != "kind")


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return _payload(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, default=_plain)
