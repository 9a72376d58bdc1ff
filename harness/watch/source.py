"""Where the events of devices come from while they happen: one protocol, so that a command asks nothing further."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.record.events import Entry


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as a source tells it: an entry of its record, and when it happened in seconds of Unix time."""

    time: float
    entry: Entry


@dataclass(frozen=True, slots=True)
class Known:
    """What the service knows of a device or module before anything comes: its twin.

    `desired` and `reported` are the twin's sections, with `$version` and without the metadata of values.
    """

    device_id: str
    module_id: str | None = None
    model_id: str | None = None
    connected: bool = False
    desired: Mapping[str, Any] = field(default_factory=dict)
    reported: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by(cls, twin: Mapping[str, Any]) -> Known:
        """What a twin says, in the service's shape."""
        sections = twin.get("properties") or {}
        return cls(
            device_id=str(twin.get("deviceId", "")),
            module_id=twin.get("moduleId") or None,
            model_id=twin.get("modelId") or None,
            connected=twin.get("connectionState") == "Connected",
            desired=_bare(sections.get("desired")),
            reported=_bare(sections.get("reported")),
        )


def _bare(section: Any) -> dict[str, Any]:
    return {name: value for name, value in (section or {}).items() if name != "$metadata"}


class Broken(Exception):
    """A source cannot be reached or ended of itself. The text is a sentence that says what to do."""


class Source(Protocol):
    """A service whose devices can be watched. Its methods raise Broken."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def hint(self) -> str:
        """What to look at when nothing comes, beside the device; empty for nothing."""

    @property
    def lag(self) -> float:
        """Seconds by which an event may be told late."""

    async def known(self) -> list[Known]:
        """The devices and modules that the service has now."""

    def listen(self, *, past: bool = False) -> AbstractAsyncContextManager[AsyncIterator[Seen]]:
        """The events from now on, in order; with `past` also those before that the service still holds.

        Once the context is entered nothing is missed. The iterator never ends: it raises Broken instead.
        """
