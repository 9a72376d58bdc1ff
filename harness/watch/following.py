"""Reading a source until something ends it: enough was seen, nothing came for long, or the time is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum

from harness.watch.source import Known, Seen, Source


class Taken(Enum):
    """What became of an event. The idle time counts from the last that was USED; ENOUGH ends the reading."""

    USED = "used"
    PASSED_OVER = "passed over"
    ENOUGH = "enough"


class Ended(Enum):
    ENOUGH = "enough"
    IDLE = "idle"
    TIME_OVER = "time over"


async def follow(
    source: Source,
    take: Callable[[Seen], Awaitable[Taken]],
    *,
    listening: Callable[[Sequence[Known]], Awaitable[None]],
    past: bool = False,
    idle: float | None = None,
    duration: float | None = None,
) -> Ended:
    """Read until `take` has enough, or for `idle` seconds nothing was used, or `duration` seconds are over.

    `listening` is awaited when nothing can be missed any more, with what the source knew then. None is no limit.
    Raises Broken.
    """
    async with source.listen(past=past) as events:
        await listening(await source.known())
        loop = asyncio.get_running_loop()
        began = loop.time()
        last_used = began

        async def read() -> None:
            nonlocal last_used
            async for seen in events:
                taken = await take(seen)
                if taken is not Taken.PASSED_OVER:
                    last_used = loop.time()
                if taken is Taken.ENOUGH:
                    return

        reading = asyncio.ensure_future(read())
        try:
            while True:
                ends = [(last_used + idle, Ended.IDLE)] if idle is not None else []
                ends += [(began + duration, Ended.TIME_OVER)] if duration is not None else []
                end, reason = min(ends, key=lambda pair: pair[0], default=(None, Ended.ENOUGH))
                left = None if end is None else end - loop.time()
                if left is not None and left <= 0:
                    return reason
                await asyncio.wait({reading}, timeout=left)
                if reading.done():
                    reading.result()
                    return Ended.ENOUGH
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading
