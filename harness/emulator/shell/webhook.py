"""Posts to the webhook of a custom allocation: with a deadline, and never further than it was told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
from yarl import URL

from harness.emulator.dps.webhook import MAX_ANSWER, Answered
from harness.emulator.options import EmulatorError, EmulatorOptions

_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}


def trust(own_ca: Path, further: str | None) -> ssl.SSLContext:
    """A context that trusts the system's CAs, the emulator's own, and those in a PEM file. Raises EmulatorError."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(own_ca)
        if further is not None:
            context.load_verify_locations(further)
    except (OSError, ssl.SSLError) as error:
        raise EmulatorError(f"webhook_ca: the CA certificates in {further or own_ca} cannot be used: {error}") from None
    return context


class WebhookClient:
    """A `harness.emulator.dps.webhook.Post` on the running loop."""

    def __init__(self, options: EmulatorOptions, own_ca: Path) -> None:
        self._options = options
        self._own_ca = own_ca
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, url: str, body: bytes, done: Callable[[Answered], None]) -> Callable[[], None]:
        task = asyncio.ensure_future(self._post(url, body, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

        def end() -> None:
            task.cancel()

        return end

    async def close(self) -> None:
        """End all calls."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: str, body: bytes, done: Callable[[Answered], None]) -> None:
        try:
            answered = await asyncio.wait_for(self._exchange(url, body), self._options.webhook_seconds)
        except (asyncio.TimeoutError, TimeoutError):
            answered = Answered(None, detail=f"no answer within {self._options.webhook_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError, EmulatorError) as error:
            answered = Answered(None, detail=f"not reached: {type(error).__name__}: {error}".partition("?")[0])
        done(answered)

    async def _exchange(self, url: str, body: bytes) -> Answered:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=trust(self._own_ca, self._options.webhook_ca), force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, headers=_HEADERS, trust_env=False)
        async with self._session.post(URL(url, encoded=True), data=body, allow_redirects=False) as response:
            read = bytearray()
            with contextlib.suppress(aiohttp.ClientPayloadError):
                while len(read) <= MAX_ANSWER and (piece := await response.content.readany()):
                    read += piece
            return Answered(response.status, bytes(read))
