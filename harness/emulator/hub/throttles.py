"""Throttling of single devices, off unless ordered: a bucket of one second's allowance that fills steadily.

Azure throttles a whole hub, and lets bursts pass; here it is a device that is to be tried, so each has its own.
"""

from __future__ import annotations

from harness.emulator.context import Context
from harness.emulator.hub.registry import Identity


class Bucket:
    """`rate` a second; at most the larger of one and one second's allowance at once."""

    __slots__ = ("_filled", "_level", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._level = max(rate, 1.0)
        self._filled = now

    def take(self, now: float) -> bool:
        """Take one; False when the bucket is empty."""
        self._level = min(self._level + (now - self._filled) * self._rate, max(self._rate, 1.0))
        self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Throttles:
    """The buckets of all devices of a hub."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def telemetry(self, identity: Identity) -> bool:
        """Whether one more message is within the limit."""
        rate = self._context.options.telemetry_rate
        return rate is None or self._take("telemetry", rate, identity)

    def twin(self, identity: Identity) -> bool:
        """Whether one more twin operation is within the limit."""
        rate = self._context.options.twin_rate
        return rate is None or self._take("twin", rate, identity)

    def clear(self) -> None:
        """Fill every bucket again."""
        self._buckets.clear()

    def _take(self, what: str, rate: float, identity: Identity) -> bool:
        now = self._context.timers.time()
        key = (what, identity.name)
        if key not in self._buckets:
            self._buckets[key] = Bucket(rate, now)
        return self._buckets[key].take(now)
