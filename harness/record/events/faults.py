"""Faults that the emulator played on order."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class FaultPlayed(Event):
    """A fault plan struck: the emulator misbehaved on purpose, so what follows is its doing.

    `at` and `do` are the plan's words. `identity` is the registration id, device id or device/module, empty for
    a TLS handshake. `occurrence` is the how-manieth of these moments it was, 0 for what an earlier fault left
    behind (a device the hub no longer knows).
    """

    identity: str
    at: str
    do: str
    occurrence: int
    detail: str = ""
