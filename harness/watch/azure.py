"""A hub in Azure as a source: messages from its built-in endpoint, changes of properties from its twins.

What a hub does not tell a service cannot be seen here: commands, provisioning, messages to devices, refused patches. A
change of a twin is told by `$version` and the hub's own times; the clock of this computer is not asked.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.azure.connection_strings import EventHubConnection, HubConnection
from harness.azure.errors import ReaderError
from harness.azure.redirect import AMQP_PORT
from harness.azure.telemetry import NOW, START, Delivered, EventStream
from harness.azure.twin_events import Twin, changes
from harness.record import events as ev
from harness.record.events import Entry
from harness.watch.source import Broken, Known, Seen

KINDS = frozenset({"telemetry", "reported", "desired", "connection"})
"""What of `harness.watch.kinds` can be seen of a hub in Azure."""
TWIN_KINDS = KINDS - {"telemetry"}
"""What of it is read from twins."""

_PATIENCE = 60.0
"""Seconds for which the endpoint may be away before the watch ends."""
_FAILURES = 5
"""Reads of the twins that may fail one after the other."""
_READ_SECONDS = 5.0
"""What a read of the twins may take without being called slow."""
_BACKLOG = 50_000
"""Events that may wait to be shown."""

Identity = tuple[str, str | None]


class AzureSource:
    """The hub `hub`, whose messages come from `event_hub` and whose twins `read` returns; it may block, raises Broken.

    `notice` takes sentences about what ends nothing. `poll` is the time between two reads of the twins, in seconds;
    0 reads them once. `device_id` is the one device whose messages are wanted, if it is one.
    """

    def __init__(
        self,
        hub: str,
        event_hub: EventHubConnection | HubConnection,
        read: Callable[[], list[dict[str, Any]]],
        *,
        poll: float = 10.0,
        consumer_group: str = "$Default",
        ca_path: Path | None = None,
        device_id: str | None = None,
        amqp_port: int = AMQP_PORT,
        notice: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._hub = hub
        self._event_hub = event_hub
        self._read = read
        self._poll = poll
        self._group = consumer_group
        self._ca_path = ca_path
        self._device_id = device_id
        self._amqp_port = amqp_port
        self._notice = notice
        self._twins: dict[Identity, Twin] | None = None

    @property
    def name(self) -> str:
        return f"the hub {self._hub}"

    @property
    def hint(self) -> str:
        return (
            "A hub whose messages are routed sends none to its built-in endpoint, unless a route leads to `events`; "
            "routes and the fallback route are on its page, Message routing."
        )

    @property
    def lag(self) -> float:
        """A change is told when the twin is read next, and reading takes a while."""
        return self._poll + _READ_SECONDS if self._poll else 0.0

    async def known(self) -> list[Known]:
        """As of the last read, for which a watch that began is told everything since."""
        twins = self._twins if self._twins is not None else _by_identity(await asyncio.to_thread(self._read))
        return [Known.by(twin) for twin in twins.values()]

    @asynccontextmanager
    async def listen(self, *, past: bool = False) -> AsyncIterator[AsyncIterator[Seen]]:
        watch = _Watch(self._notice)
        stream = EventStream(
            self._event_hub,
            on_message=watch.message,
            on_trouble=watch.trouble,
            consumer_group=self._group,
            ca_path=self._ca_path,
            device_id=self._device_id,
            since=START if past else NOW,
            amqp_port=self._amqp_port,
        )
        try:
            await stream.start()
        except ReaderError as error:
            raise Broken(str(error)) from None
        polling: asyncio.Task[None] | None = None
        try:
            self._twins = _by_identity(await asyncio.to_thread(self._read))
            if past:
                for twin in self._twins.values():
                    watch.changes(changes(None, twin))
            if self._poll:
                polling = asyncio.ensure_future(self._follow(watch))
            events = watch.events()
            try:
                yield events
            finally:
                await events.aclose()
        finally:
            self._twins = None
            if polling is not None:
                polling.cancel()
                await asyncio.wait({polling})
            await stream.stop()

    async def _follow(self, watch: _Watch) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._poll)  # a hub tells nobody that a twin changed, but for routes it would need
            try:
                now = _by_identity(await asyncio.to_thread(self._read))
            except Broken as error:
                failures += 1
                if failures == 1:
                    self._notice(f"The twins could not be read; it is tried again. {error}")
                if failures == _FAILURES:
                    watch.end(error)
                    return
                continue
            if failures:
                self._notice("The twins can be read again.")
            failures = 0
            before = self._twins or {}
            self._twins = now
            for identity, twin in now.items():
                watch.changes(changes(before.get(identity, {}), twin))


class _Watch:
    """Events on their way from the callbacks to whoever iterates."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._queue: asyncio.Queue[Seen | Broken] = asyncio.Queue()
        self._notice = notice
        self._given_up: asyncio.TimerHandle | None = None
        self._n = 0

    def message(self, came: Delivered) -> None:
        self._put(came.enqueued, came.event)

    def changes(self, found: list[tuple[float, ev.Event]]) -> None:
        for when, event in found:
            self._put(when, event)

    def trouble(self, sentence: str) -> None:
        """Interrupted, or, with an empty sentence, well again."""
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None
        if sentence:
            self._notice(f"Messages do not come any more; it is tried again, and none is missed. {sentence}")
            self._given_up = self._loop.call_later(_PATIENCE, self.end, Broken(sentence))
        else:
            self._notice("Messages come again.")

    def end(self, why: Broken) -> None:
        self._queue.put_nowait(why)

    async def events(self) -> AsyncGenerator[Seen, None]:
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, Broken):
                    raise item
                yield item
        finally:
            if self._given_up is not None:
                self._given_up.cancel()

    def _put(self, when: float, event: ev.Event) -> None:
        if self._queue.qsize() >= _BACKLOG:
            if self._queue.qsize() == _BACKLOG:
                self.end(Broken("Events were lost: they come faster than they are shown. Name a device with --device."))
            return
        self._n += 1
        # What the hub gave no time for happened about now; nothing is reckoned by it.
        self._queue.put_nowait(Seen(when or time.time(), Entry(self._n, self._loop.time() - self._began, event)))


def twin_query(device: str | None, module: str | None = None) -> str:
    """The query for the twins that may be wanted; wildcards narrow it by what stands before the first."""
    source = "devices" if module is None else "devices.modules"
    conditions = []
    if device is not None:
        prefix = re.split(r"[*?'\\]", device, maxsplit=1)[0]
        if prefix == device:
            conditions.append(f"deviceId = '{device}'")
        elif prefix:
            conditions.append(f"STARTS_WITH(deviceId, '{prefix}')")
    return f"SELECT * FROM {source}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")


def _by_identity(twins: list[dict[str, Any]]) -> dict[Identity, Twin]:
    return {(str(twin.get("deviceId", "")), twin.get("moduleId") or None): twin for twin in twins}
