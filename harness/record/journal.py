"""The journal: one JSON object a line, written as it happens, so that a crash loses nothing.

A line is `{"n": 7, "t": 1.204, "kind": "telemetry_received", ...}`, `t` in seconds since the run began.
Raw payloads are `{"text": "..."}` when they are UTF-8 and `{"base64": "..."}` when not, so that a reader
sees what was sent and nothing is lost. A journal that ends in the middle of a line (the machine died) is
read up to there.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

from harness.record.events import KINDS, Entry

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


def decode(line: str) -> Entry:
    """The entry of one line. Raises ValueError with a sentence where the line is not one."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as e:
        raise ValueError(f"not JSON: {e.msg} at column {e.colno}") from None
    if not isinstance(row, dict) or not {"n", "t", "kind"} <= row.keys():
        raise ValueError("not a journal line: n, t and kind are expected")
    cls = KINDS.get(row["kind"])
    if cls is None:
        raise ValueError(f"unknown kind of event {row['kind']!r}: the journal is of a newer version")
    fields = _field_kinds(row["kind"])
    values = {name: _restore(row[name], kind) for name, kind in fields.items() if name in row}
    try:
        return Entry(int(row["n"]), float(row["t"]), cls(**values))
    except (TypeError, ValueError) as e:
        raise ValueError(f"{row['kind']} is incomplete: {e}") from None


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as read: its entries, and a sentence for each line that could not be read."""

    entries: tuple[Entry, ...]
    faults: tuple[str, ...]


def read(path: Path) -> Journal:
    """Read a journal, keeping whatever can be read. Raises OSError where there is no such file."""
    entries: list[Entry] = []
    faults: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                entries.append(decode(line))
            except ValueError as e:
                cut = "" if line.endswith("\n") else " (the line is cut off: the run ended here)"
                faults.append(f"line {number}: {e}{cut}")
    return Journal(tuple(entries), tuple(faults))


def _payload(value: bytes) -> dict[str, str]:
    try:
        return {"text": value.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


@functools.cache
def _field_names(kind: str) -> tuple[str, ...]:
    cls: Any = KINDS[kind]
    return tuple(f.name for f in dataclasses.fields(cls))


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return _payload(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, default=_plain)


@functools.cache
def _field_kinds(kind: str) -> dict[str, str]:
    cls: Any = KINDS[kind]
    hints = get_type_hints(cls)
    kinds = {bytes: "bytes"}
    names = [f.name for f in dataclasses.fields(cls)]
    return {n: kinds.get(hints[n]) or ("tuple" if str(hints[n]).startswith("tuple") else "plain") for n in names}


def _restore(value: Any, kind: str) -> Any:
    if kind == "bytes" and isinstance(value, dict):
        return base64.b64decode(value["base64"]) if "base64" in value else str(value.get("text", "")).encode("utf-8")
    if kind == "tuple" and isinstance(value, list):
        return tuple(tuple(v) if isinstance(v, list) else v for v in value)
    return value
