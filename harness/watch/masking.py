"""A source without secrets: what a command shows of it may be on somebody else's screen, or in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from harness.record.journal import redacted
from harness.record.redact import Redactor
from harness.watch.source import Known, Seen, Source


class Masked:
    """Another source, each event masked before anybody sees it."""

    def __init__(self, source: Source, redactor: Redactor) -> None:
        self._source = source
        self._redactor = redactor

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def hint(self) -> str:
        return self._source.hint

    @property
    def lag(self) -> float:
        return self._source.lag

    async def known(self) -> list[Known]:
        clean = self._redactor.clean_value
        return [
            replace(one, desired=clean(one.desired), reported=clean(one.reported)) for one in await self._source.known()
        ]

    @asynccontextmanager
    async def listen(self, *, past: bool = False) -> AsyncIterator[AsyncIterator[Seen]]:
        async with self._source.listen(past=past) as events:
            yield self._masked(events)

    async def _masked(self, events: AsyncIterator[Seen]) -> AsyncIterator[Seen]:
        async for seen in events:
            yield replace(seen, entry=redacted(seen.entry, self._redactor))
