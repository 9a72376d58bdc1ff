"""Events on the screen, a line each and wrapped so that the columns stay readable, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.record import events as ev
from harness.watch.content import clip, harmless, read
from harness.watch.kinds import identity_of, kind_of
from harness.watch.source import Seen
from harness.watch.wording import is_trouble, properties, properties_text, words

_WIDEST_DEVICE = 24
_KIND_WIDTH = 10
_INDENT = 14
"""Of further lines: below what follows the time."""
_STYLES = {"telemetry": "green", "reported": "cyan", "desired": "magenta", "commands": "blue", "dps": "dim"}
_OWN = ("device_id", "module_id", "registration_id", "payload", "system", "properties")
"""Fields that the line of JSON has under another name."""


class Screen(Console):
    """Standard output, whoever reads it; a reader that went away ends the command as with any other."""

    def __init__(self, **more: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **more)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def clock(seconds: float) -> str:
    """Local time of day to the millisecond."""
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S.%f")[:-3]


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Lines:
    """Prints events for a person. The device's column is as wide as the longest id so far."""

    def __init__(self, console: Console, *, show_properties: bool = False, one_device: bool = False) -> None:
        self._console = console
        self._show_properties = show_properties
        self._one_device = one_device
        self._width = 0

    def __call__(self, seen: Seen) -> None:
        event = seen.entry.event
        component, what = words(event)
        line = Text(clock(seen.time), style="dim")
        if not self._one_device:
            line.append("  ").append(self._device(event), "bold")
        kind = kind_of(event)
        line.append("  ").append(kind.ljust(_KIND_WIDTH), "red" if is_trouble(event) else _STYLES.get(kind, ""))
        line.append("  ")
        if component:
            line.append(f"{component}  ", "bold")
        line.append(what)
        self._print(line)
        more = properties_text(event) if self._show_properties else ""
        if more:
            self._print(Text(" " * _INDENT + more, style="dim"))

    def _device(self, event: ev.Event) -> str:
        device, module = identity_of(event)
        name = harmless(clip(f"{device}/{module}" if module else device or "-", _WIDEST_DEVICE))
        self._width = max(self._width, len(name))
        return name.ljust(self._width)

    def _print(self, line: Text) -> None:
        print_folded(line, self._console, _INDENT)


def print_folded(line: Text, console: Console, indent: int) -> None:
    """Print a line folded to the screen; whatever is no screen gets it whole."""
    if not console.is_terminal:
        console.file.write(f"{line.plain}\n")
        console.file.flush()
        return
    for part in wrapped(line, console, indent):
        console.print(part, soft_wrap=True)


def wrapped(line: Text, console: Console, indent: int) -> list[Text]:
    """A line folded to the screen's width at words where it can be; further lines are indented."""
    width = max(console.width, indent + 20)
    first, *rest = line.wrap(console, width, overflow="fold") or [line]
    if not rest:
        return [line]
    kept = line[len(first.plain) :]
    kept = kept[len(kept.plain) - len(kept.plain.lstrip()) :]
    parts = [first, *(Text(" " * indent) + part for part in kept.wrap(console, width - indent, overflow="fold"))]
    for part in parts:
        part.rstrip()
    return parts


class JsonLines:
    """Prints events for a program: one object a line, all in ASCII, so that no terminal is moved by it either."""

    def __init__(self, console: Console, *, show_properties: bool = False) -> None:
        self._console = console
        self._show_properties = show_properties

    def __call__(self, seen: Seen) -> None:
        text = json.dumps(document(seen, show_properties=self._show_properties), default=_plain)
        self._console.file.write(text.replace("\x7f", "\\u007f") + "\n")
        self._console.file.flush()


def document(seen: Seen, *, show_properties: bool = False) -> dict[str, Any]:
    """An event as JSON: what it is and whose, then its own fields, the payload read (`content.Content.document`)."""
    event: Any = seen.entry.event
    device, module = identity_of(event)
    row: dict[str, Any] = {
        "time": timestamp(seen.time),
        "n": seen.entry.n,
        "kind": kind_of(event),
        "event": event.kind,
        "device": device or None,
        "module": module,
    }
    names = [field.name for field in dataclasses.fields(event)]
    row |= {name: getattr(event, name) for name in names if name not in _OWN}
    if "payload" in names:
        row |= read(event.payload).document()
    if show_properties and (carried := properties(event)):
        row["properties"] = carried
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
