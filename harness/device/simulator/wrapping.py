"""What faults of the behavior are made of: wrappers that change one thing and pass the rest on.

A factory takes a function that edits one kind of thing and gives the maker of a wrapper; so a fault is a line of a
table (`telemetry_faults`, `twin_faults`, `command_faults`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeGuard

from harness.dtdl import Capability

from .behavior import MARKER, Behavior, Key, Message, Patch, Reply, command_name
from .limits import encode

OMIT = object()
"""What an edit returns for a value that is to be left out."""

Edit = Callable[[Key, object], object]
"""Gives a property, a telemetry or an acknowledgement another value."""

Make = Callable[[Behavior, Capability | None], Behavior]
"""Wraps a behavior; the capability is the one that the fault's path names."""


class Wrapper:
    """A behavior that passes everything on: what a fault does not override stays good."""

    def __init__(self, inner: Behavior, target: Capability | None = None) -> None:
        self.inner = inner
        self.target = target

    @property
    def key(self) -> Key | None:
        return None if self.target is None else (self.target.component, self.target.name)

    @property
    def method(self) -> str | None:
        """The target as a direct method."""
        return None if self.target is None else command_name(self.target)

    def telemetry(self) -> list[Message]:
        return self.inner.telemetry()

    def initial_report(self, desired: Mapping[str, object]) -> Patch:
        return self.report(self.inner.initial_report(desired))

    def on_desired(self, desired: object) -> Patch:
        return self.report(self.inner.on_desired(desired))

    def on_command(self, name: str, payload: object) -> Reply | None:
        return self.inner.on_command(name, payload)

    def report(self, patch: Patch) -> Patch:
        """Every patch of reported properties passes here on its way out."""
        return patch


# --- factories ---------------------------------------------------------------------------------------


def messages(edit: Callable[[Message], Iterable[Message]]) -> Make:
    """Each message is replaced by those that `edit` makes of it."""

    class Made(Wrapper):
        def telemetry(self) -> list[Message]:
            return [made for message in self.inner.telemetry() for made in edit(message)]

    return Made


def telemetry_value(edit: Callable[[object], object]) -> Make:
    """The telemetry that is the target has another value."""

    class Made(Wrapper):
        def telemetry(self) -> list[Message]:
            ours = self.key
            edited = edit_messages(self.inner.telemetry(), lambda key, v: edit(v) if key == ours else v)
            return [message for message in edited if message.values]

    return Made


def reports(edit: Callable[[Patch], Patch]) -> Make:
    """Every patch is another one."""

    class Made(Wrapper):
        def report(self, patch: Patch) -> Patch:
            return edit(patch) if patch else patch

    return Made


def property_value(edit: Callable[[object], object]) -> Make:
    """The property that is the target is always reported otherwise; `edit` gets its envelope where it has one."""

    class Made(Wrapper):
        def report(self, patch: Patch) -> Patch:
            ours = self.key
            return edit_patch(patch, lambda key, v: edit(v) if key == ours else v)

    return Made


def first_report(edit: Callable[[Patch], Patch]) -> Make:
    """What is reported at the start is another patch."""

    class Made(Wrapper):
        def initial_report(self, desired: Mapping[str, object]) -> Patch:
            return edit(self.inner.initial_report(desired))

    return Made


def initial_value(edit: Callable[[dict[str, object]], object]) -> Make:
    """The writable property that is the target starts with another envelope."""

    class Made(Wrapper):
        def initial_report(self, desired: Mapping[str, object]) -> Patch:
            ours = self.key
            patch = self.inner.initial_report(desired)
            return edit_patch(patch, lambda key, v: edit(dict(v)) if key == ours and is_envelope(v) else v)

    return Made


def acknowledgement(edit: Callable[[dict[str, object]], object]) -> Make:
    """Desired changes of the target are answered with another envelope (OMIT: with none)."""

    class Made(Wrapper):
        def on_desired(self, desired: object) -> Patch:
            ours = self.key
            patch = self.inner.on_desired(desired)
            return edit_patch(patch, lambda key, v: edit(dict(v)) if key == ours and is_envelope(v) else v)

    return Made


def answers(edit: Callable[[Mapping[str, object], Callable[[object], Patch]], Patch]) -> Make:
    """Desired patches are dealt with by `edit`: it gets the patch, and the good device to ask about (another) one."""

    class Made(Wrapper):
        def on_desired(self, desired: object) -> Patch:
            return edit(desired, self.inner.on_desired) if isinstance(desired, Mapping) else {}

    return Made


def command(edit: Callable[[object, Callable[[], Reply | None]], Reply | None]) -> Make:
    """The command that is the target (every one, where none is) is answered by `edit`: it gets the request's payload,
    and the good device to ask for its reply. None is no answer at all."""

    class Made(Wrapper):
        def on_command(self, name: str, payload: object) -> Reply | None:
            def good() -> Reply | None:
                return self.inner.on_command(name, payload)

            return edit(payload, good) if self.method in (None, name) else good()

    return Made


# --- tools -------------------------------------------------------------------------------------------


def mistyped(value: object) -> object:
    """`value` as another JSON type: text becomes a number, everything else text (as 21.5 → "21.5")."""
    return 4711 if isinstance(value, str) else encode(value).decode()


def is_envelope(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping) and {"value", "ac", "av"} <= value.keys()


def edit_messages(found: Iterable[Message], edit: Edit) -> list[Message]:
    return [replace(m, values=_edited(m.component, m.values, edit)) for m in found]


def edit_patch(patch: Patch, edit: Edit) -> Patch:
    """The patch with every property edited; a component of which nothing is left goes as well."""
    edited: Patch = {}
    for name, value in patch.items():
        if isinstance(value, Mapping) and value.get(MARKER) == "c":
            rest = {n: v for n, v in value.items() if n != MARKER}
            section = _edited(name, rest, edit)
            edited |= {name: {MARKER: "c", **section}} if section else {}
        else:
            edited |= _edited(None, {name: value}, edit)
    return edited


def edit_components(patch: Patch, edit: Callable[[dict[str, object]], object]) -> Patch:
    """The patch with every component edited, its marker included."""
    return {n: edit(dict(v)) if isinstance(v, Mapping) and v.get(MARKER) == "c" else v for n, v in patch.items()}


def _edited(component: str | None, values: Mapping[str, object], edit: Edit) -> dict[str, object]:
    edited = {name: edit((component, name), value) for name, value in values.items()}
    return {name: value for name, value in edited.items() if value is not OMIT}
