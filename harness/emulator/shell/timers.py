"""The event loop as the `Timers` of the cores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from harness.mqtt import Timer


class LoopTimers:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # What asyncio's own `loop.time` returns, asked for with each packet, at the price of one call.
        self.time = time.monotonic
        self._later = loop.call_later

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._later(seconds, callback)
