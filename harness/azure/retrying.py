"""Calls that are throttled or find no network are made again, later and later, for a while.

IoT Hub and DPS say with 429 or 503 that they are busy, and sometimes (Retry-After) for how long.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

BUSY = (429, 503)
"""Statuses of a service that has not carried out what it was asked."""
_FIRST, _LONGEST = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class Again:
    """A failure that may pass; `after` are the seconds that the service asks to wait, None where it says nothing."""

    after: float | None = None


@dataclass(slots=True)
class Patience:
    """How long is tried: `seconds` from the first failure on. Nothing is tried again once `stop` is set."""

    seconds: float = 60.0
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    wait: Callable[[float], bool] | None = None
    """Waits so many seconds; true when it is over early. None waits for `stop`."""

    def carry_out(self, call: Callable[[], T], passing: Callable[[Exception], Again | None]) -> T:
        """What the call returns at last. Raises what it raised last, at once where `passing` answers None."""
        began: float | None = None
        pause = _FIRST
        while True:
            try:
                return call()
            except Exception as error:
                again = passing(error)
                if again is None:
                    raise
                now = self.clock()
                began = now if began is None else began
                # The random part keeps the runs of a fleet from coming back all at once.
                delay = pause * (0.5 + self.chance()) if again.after is None else again.after + self.chance()
                if now + delay - began > self.seconds or (self.wait or self.stop.wait)(delay):
                    raise
                pause = min(2 * pause, _LONGEST)


def seconds_of(retry_after: str | None) -> float | None:
    """A Retry-After in whole seconds; None for none, and for a date, which clocks may disagree on."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
