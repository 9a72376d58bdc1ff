"""The record of a run: events, the journal they are written to, and waiting for them."""

from harness.record.events import Entry, Event
from harness.record.recorder import Recorder

__all__ = ["Entry", "Event", "Recorder"]
