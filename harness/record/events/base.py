"""What an event is, and the register of its kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

KINDS: dict[str, type[Event]] = {}
"""Every event class by its kind, for reading a journal back."""


class Event:
    """Base of all events. `kind` is the name an event has in the journal."""

    __slots__ = ()
    kind: ClassVar[str]


E = TypeVar("E", bound=type[Event])


def event(cls: E) -> E:
    """Register an event class under its name in snake case."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")
    cls.kind = name
    KINDS[name] = cls
    return cls


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: the event, its number (from 1) and its time in seconds since the run began."""

    n: int
    t: float
    event: Event
