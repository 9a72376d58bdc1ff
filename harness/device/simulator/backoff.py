"""How long a device waits between two tries: longer each time, and never quite as long as its neighbour.

Microsoft's guidance on device reconnections asks for exponential back-off with jitter, and for a new registration
after ten failures in a row.
"""

from __future__ import annotations

import random
from collections.abc import Callable

FAILURES_BEFORE_DPS = 10
"""Failures in a row after which a device asks DPS where its hub is."""

_JITTER = 0.5
"""A wait is longer than its step by up to this share."""
_DOUBLINGS = 4


class Backoff:
    """Waits that double from `base` seconds, four times at most, each longer by a random share."""

    def __init__(self, base: float, rng: Callable[[], float] = random.random) -> None:
        self._base = base
        self._rng = rng
        self.failures = 0

    def next(self) -> float:
        """Count a failure; the seconds to wait before the next try."""
        step = self._base * 2.0 ** min(self.failures, _DOUBLINGS)
        self.failures += 1
        return step * (1 + _JITTER * self._rng())

    def soon(self) -> float:
        """A moment, so that the devices of a fleet that lose their connection together do not return together."""
        return self._base * self._rng()

    def reset(self) -> None:
        """It worked: begin anew."""
        self.failures = 0

    @property
    def exhausted(self) -> bool:
        """Whether DPS should be asked."""
        return self.failures >= FAILURES_BEFORE_DPS
