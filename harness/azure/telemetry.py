"""Device-to-cloud messages of a hub while they come, read from its built-in Event Hubs endpoint.

Nothing is missed and nothing comes twice: before `start` returns, the last sequence number of every partition is
known, and reading goes on from there whenever the link itself comes up, or up again. Messages of other devices are
dropped by their annotation, before their body is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from harness.azure.connection_strings import EventHubConnection, HubConnection
from harness.azure.errors import ReaderError, explained
from harness.azure.messages import Delivered, delivered, device_of, is_telemetry
from harness.azure.reaching import reach, trust
from harness.azure.redirect import AMQP_PORT, find_event_hub

__all__ = ["Delivered", "EventReader", "EventStream", "ReaderError"]

NOW, START = "now", "start"
_REACH_SECONDS = 10.0
_TICK = 0.25
"""Seconds after which azure-eventhub calls back for a partition that brought nothing."""
_RECLAIM_SECONDS = 5.0
"""How often it takes up partitions that it lost."""
_AT_ONCE = 8
"""Partitions asked about side by side."""

# Without a handler of somebody's own, its warnings would go to stderr, in its words and beside ours.
logging.getLogger("azure.eventhub").addHandler(logging.NullHandler())


class EventStream:
    """The messages of a hub, for an event loop, from `start` to `stop`.

    `device_id` lets only that device's messages through; where its `partition` is known, no other has to be read (a
    hub keeps a device in one, and does not say in which). `since` is "now", "start" (all that is kept) or Unix time.
    `on_message` gets each message in the order of its partition; `on_trouble` a sentence when reading is interrupted
    and an empty one when it goes on. Both are called from the loop.
    """

    def __init__(
        self,
        event_hub: EventHubConnection | HubConnection,
        *,
        on_message: Callable[[Delivered], None],
        on_trouble: Callable[[str], None] = lambda sentence: None,
        consumer_group: str = "$Default",
        ca_path: Path | None = None,
        device_id: str | None = None,
        partition: str | None = None,
        since: str | float = NOW,
        amqp_port: int = AMQP_PORT,
        seconds: float = 60.0,
    ) -> None:
        self._given = event_hub
        self._on_message = on_message
        self._on_trouble = on_trouble
        self._group = consumer_group
        self._ca_path = ca_path
        self._device_id = device_id
        self._partition = partition
        self._since = since
        self._amqp_port = amqp_port
        self._seconds = seconds
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None
        self._last: dict[str, int] = {}
        """By partition, the sequence number of the last message that is not to be told any more."""
        self._waited_for: set[str] = set()
        self._up: set[str] = set()
        self._opened: asyncio.Future[None] | None = None
        self._lost: dict[str, str] = {}
        self.event_hub: EventHubConnection | None = event_hub if isinstance(event_hub, EventHubConnection) else None

    async def start(self) -> None:
        """Return when all partitions are being received. Raises ReaderError."""
        try:
            await asyncio.wait_for(self._start(), self._seconds)
        except (asyncio.TimeoutError, TimeoutError):
            await self.stop()
            raise self._silent() from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End reading. Nothing is told afterwards."""
        self._on_message, self._on_trouble = _ignore, _ignore
        task, self._task = self._task, None
        client, self._client = self._client, None
        if task is not None:
            task.cancel()
        if client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(), 5.0)
        if task is not None:
            await asyncio.wait({task}, timeout=5.0)

    async def _start(self) -> None:
        consumer = _consumer()
        if self.event_hub is None:
            assert isinstance(self._given, HubConnection)
            self.event_hub = await find_event_hub(
                self._given, ca_path=self._ca_path, port=self._amqp_port, seconds=self._seconds / 2
            )
        where = self.event_hub
        port = where.port or AMQP_PORT
        await reach(where.host, port, trust(self._ca_path), min(self._seconds, _REACH_SECONDS))
        self._client = consumer(where, self._group, self._ca_path)
        try:
            partitions = self._wanted(await self._client.get_partition_ids(), where)
            limit = asyncio.Semaphore(_AT_ONCE)
            ends = await asyncio.gather(*(self._end_of(name, limit) for name in partitions))
        except Exception as error:
            raise explained(error, where, self._group) from None
        self._waited_for = set(partitions)
        self._opened = asyncio.get_running_loop().create_future()
        if self._since == NOW:
            self._last = dict(zip(partitions, ends, strict=True))
        self._task = asyncio.ensure_future(self._receive(partitions))
        await asyncio.wait({self._opened, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if self._opened.done():
            self._opened.result()
        elif self._task.exception() is not None:
            raise explained(self._task.exception(), where, self._group)

    def _wanted(self, names: list[str], where: EventHubConnection) -> list[str]:
        if self._partition is None:
            return names
        if self._partition not in names:
            raise ReaderError(
                "not-found", f"{where.entity_path} has no partition {self._partition!r}: it has {', '.join(names)}."
            )
        return [self._partition]

    async def _end_of(self, partition: str, limit: asyncio.Semaphore) -> int:
        if self._since != NOW:
            return -1
        async with limit:
            return int((await self._client.get_partition_properties(partition))["last_enqueued_sequence_number"])

    async def _receive(self, partitions: list[str]) -> None:
        positions: Any
        if self._since == NOW:
            # A number for what was there; the beginning where nothing ever was.
            positions = {name: self._last[name] if self._last[name] >= 0 else "-1" for name in partitions}
        elif self._since == START:
            positions = "-1"
        else:
            positions = datetime.fromtimestamp(float(self._since), timezone.utc)
        await self._client.receive(
            self._arrived,
            on_error=self._failed,
            max_wait_time=_TICK,
            starting_position=positions,
            partition_id=self._partition,
        )

    async def _arrived(self, context: Any, event: Any) -> None:
        partition = context.partition_id
        if partition in self._waited_for:
            self._sign_of_life(partition, event is not None)
        if event is None:
            if partition in self._lost and _attached(self._client, partition):
                self._regained(partition)
            return
        self._regained(partition)
        sequence = event.sequence_number
        if sequence is not None:
            if sequence <= self._last.get(partition, -1):
                return
            self._last[partition] = sequence
            # In memory only: where to go on when the link breaks.
            await context.update_checkpoint(event)
        if self._device_id is not None and device_of(event) != self._device_id:
            return
        if is_telemetry(event):
            self._on_message(delivered(event, partition))

    def _sign_of_life(self, partition: str, certain: bool) -> None:
        """A refused link is up for a moment too, before it is taken down; so an idle one counts the second time."""
        if not certain:
            was_up = partition in self._up
            if not _attached(self._client, partition):
                self._up.discard(partition)
                return
            self._up.add(partition)
            if not was_up:
                return
        self._waited_for.discard(partition)
        if not self._waited_for and self._opened is not None and not self._opened.done():
            self._opened.set_result(None)

    async def _failed(self, context: Any, error: BaseException) -> None:
        assert self.event_hub is not None
        found = explained(error, self.event_hub, self._group)
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(found)
            return
        partition = context.partition_id if context is not None else ""
        first = not self._lost
        self._lost[partition] = str(found)
        if first:
            self._on_trouble(str(found))

    def _regained(self, partition: str) -> None:
        if self._lost.pop(partition, None) is not None:
            self._lost.pop("", None)
            if not self._lost:
                self._on_trouble("")

    def _silent(self) -> ReaderError:
        where = self.event_hub
        name = f"{where.host}, event hub {where.entity_path}," if where else f"{_host(self._given)}"
        missing = f" Partitions that gave no sign: {', '.join(sorted(self._waited_for))}." if self._waited_for else ""
        return ReaderError(
            "silent",
            f"{name} took the connection but could not be read within {self._seconds:g} s.{missing} Try again; if it "
            "stays so, look at the hub's state on the portal, and whether a proxy reads or delays this traffic.",
        )


class EventReader:
    """A stream for a program without an event loop: a thread of its own reads it, and calls what it calls."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def event_hub(self) -> EventHubConnection | None:
        """The endpoint that is read, once it is known."""
        return self._stream.event_hub

    def start(self) -> None:
        """Block until all partitions are being received. Raises ReaderError."""
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run, args=(loop,), name="event-reader", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._stream.start(), loop).result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End reading; may be called more than once. No message is told after it has returned."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._stream.stop(), loop).result(15.0)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(15.0)


def _consumer() -> Callable[[EventHubConnection, str, Path | None], Any]:
    try:
        from azure.eventhub import TransportType
        from azure.eventhub.aio import EventHubConsumerClient
    except ImportError:
        raise ReaderError(
            "package", "To read a hub's messages, azure-eventhub is needed: pip install 'pnp-preflight[azure]'."
        ) from None

    def make(where: EventHubConnection, group: str, ca_path: Path | None) -> Any:
        options: dict[str, Any] = {
            "connection_verify": None if ca_path is None else str(ca_path),
            "transport_type": TransportType.Amqp,
            "retry_total": 0,  # what it tells at once is told well; lost partitions it takes up again anyway
            "load_balancing_interval": _RECLAIM_SECONDS,
        }
        if where.port:
            options["custom_endpoint_address"] = where.address
        return EventHubConsumerClient.from_connection_string(where.text, group, **options)

    return make


def _attached(client: Any, partition: str) -> bool:
    """Whether the link of a partition is up.

    azure-eventhub does not tell. Where its insides change, it is taken to be up: no message can be missed by that, only
    a wrong consumer group would be noticed later.
    """
    try:
        consumers = [p._consumers[partition] for p in client._event_processors.values() if partition in p._consumers]
        links = [consumer._handler._link for consumer in consumers if consumer.running and consumer._handler]
        return any(link is not None and link.state.name == "ATTACHED" for link in links)
    except AttributeError:
        return True


def _host(given: EventHubConnection | HubConnection) -> str:
    return given.host


def _ignore(_: object) -> None:
    return


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        with contextlib.suppress(Exception):
            loop.run_until_complete(_drain())
    finally:
        loop.close()


async def _drain() -> None:
    """Let what the SDK left running end."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=5.0)
