"""The standalone emulator as a source: the event stream of its control endpoint."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from harness.record.reading import decode
from harness.watch.source import Broken, Known, Seen

_ANSWER_SECONDS = 10.0
_LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a message has at most 256 KiB, so whatever is longer is no event."""


class ControlSource:
    """The emulator whose control endpoint has this URL.

    `notice` takes sentences about what could not be read but ends nothing.
    """

    def __init__(self, url: str, notice: Callable[[str], None] = lambda sentence: None) -> None:
        self.url = url.rstrip("/")
        self._notice = notice

    @property
    def name(self) -> str:
        return f"the emulator at {self.url}"

    @property
    def hint(self) -> str:
        return ""

    @property
    def lag(self) -> float:
        return 0.0

    async def known(self) -> list[Known]:
        async with self._session() as session:
            document = await self._get(session, "/twins")
        if not isinstance(document, list) or not all(isinstance(twin, dict) for twin in document):
            raise Broken(self._other())
        return [Known.by(twin) for twin in document]

    @asynccontextmanager
    async def listen(self, *, past: bool = False) -> AsyncIterator[AsyncIterator[Seen]]:
        async with self._session() as session:
            status = await self._get(session, "/status")
            seconds = status.get("seconds") if isinstance(status, dict) else None
            if not isinstance(seconds, (int, float)):
                raise Broken(self._other())
            began = time.time() - seconds
            try:
                response = await session.get(self.url + "/events", params={"after": "0"} if past else {})
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                raise Broken(self._unreachable(error)) from None
            async with response:
                if response.status != 200:
                    raise Broken(self._other())
                events = self._events(response, began)
                try:
                    yield events
                finally:
                    await events.aclose()

    async def _events(self, response: aiohttp.ClientResponse, began: float) -> Any:
        rest = b""
        unread: set[str] = set()
        while True:
            try:
                chunk = await response.content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise Broken(self._ended(f": {error}")) from None
            if not chunk:
                raise Broken(self._ended(""))
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise Broken(self._other())
            for line in lines:
                if not line:
                    continue
                seen = self._seen(line, began, unread)
                if seen is not None:
                    yield seen

    def _seen(self, line: bytes, began: float, unread: set[str]) -> Seen | None:
        try:
            text = line.decode()
            entry = decode(text)
        except ValueError as error:
            if b'"too_slow"' in line:
                raise Broken(
                    f"Events were lost: {self.name} sends them faster than they are shown. Filter less of it away "
                    "later and more of it here (a file takes lines faster than a terminal), and start again."
                ) from None
            if str(error) not in unread:
                unread.add(str(error))
                self._notice(f"A line of the stream was passed over: {error}.")
            return None
        return Seen(began + entry.t, entry)

    def _session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_ANSWER_SECONDS)
        return aiohttp.ClientSession(timeout=timeout)

    async def _get(self, session: aiohttp.ClientSession, path: str) -> Any:
        limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with session.get(self.url + path, timeout=limit) as response:
                if response.status != 200:
                    raise Broken(self._other())
                return json.loads(await response.read())
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise Broken(self._unreachable(error)) from None
        except ValueError:
            raise Broken(self._other()) from None

    def _unreachable(self, error: BaseException) -> str:
        reason = str(error) or f"no answer within {_ANSWER_SECONDS:g} s"
        return (
            f"No emulator can be reached at {self.url}: {reason}. Start `preflight emulator`, or give the address it "
            "calls control with --emulator."
        )

    def _other(self) -> str:
        return (
            f"What answers at {self.url} is not the control endpoint of an emulator of this version. Give the address "
            "that `preflight emulator` calls control."
        )

    def _ended(self, why: str) -> str:
        return f"The stream of {self.name} broke off{why}. What happened since was not seen; start the emulator again."
