"""The model that the device announced: found, or rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class ModelResolved(Event):
    """`documents` are the interfaces by DTMI as they were read, `sources` where each was found."""

    model_id: str
    location: str
    documents: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)


@event
@dataclass(frozen=True, slots=True)
class ModelRejected(Event):
    """`reason` is not-found, invalid or not-an-interface; `problems` are sentences, `tried` the places."""

    model_id: str
    reason: str
    problems: tuple[str, ...]
    tried: tuple[str, ...] = ()
