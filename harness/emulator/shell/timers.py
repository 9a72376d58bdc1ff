"""The event loop as the `Timers` of the cores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.mqtt import Timer


class LoopTimers:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.time = loop.time
        self._later = loop.call_later

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._later(seconds, callback)
