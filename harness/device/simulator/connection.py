"""One connection to the hub on Microsoft's SDK, and what of the device outlives it."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NoReturn, TypeVar

from .backoff import Backoff
from .behavior import MARKER, Behavior, Message, Patch, version_of
from .running import Say, shown
from .sdk import reasons

T = TypeVar("T")

SHUTDOWN_SECONDS = 1.0
"""A stopped simulator says goodbye to the hub for this long at most."""

_TWIN_SECONDS = 10.0
"""The SDK itself waits for ever for an answer about the twin."""

_TRANSIENT = re.compile(r"status (429|5\d\d)")
"""Answers to a twin operation after which it is worth trying again, as the SDK words them."""


class Lost(Exception):
    """The connection is gone."""


class Life:
    """What a device is across its connections: its behavior, and how far it has come."""

    def __init__(self, device: Behavior, interval: float, retry: float, say: Say) -> None:
        self.device = device
        self.interval = interval
        self.retry = retry
        self.say = say
        self.connections = 0
        self.version: int | None = None
        """Of the desired properties last dealt with; None until the twin was read."""
        self.unsent: Patch = {}
        """What the hub did not take."""


class Connection:
    """A connected client and the life it serves."""

    def __init__(self, client: Any, life: Life) -> None:
        self._client = client
        self._life = life
        self._device = life.device
        self._say = life.say
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._backoff = Backoff(life.retry)
        self._later: list[tuple[float, Callable[[], None]]] = []

    def serve(self) -> NoReturn:
        """Send, report and answer until something raises: Lost, or a signal."""
        self._life.connections += 1
        self._say("connected" if self._life.connections == 1 else "connected again")
        self._subscribe()
        for message in self._device.telemetry():
            self._send(message)
        self._read_twin()
        outgoing: deque[Message] = deque()
        due = time.monotonic() + self._life.interval
        while True:
            self._work(wait=0.0 if outgoing else max(0.0, self._next(due) - time.monotonic()))
            if outgoing:
                self._send(outgoing.popleft())
            elif time.monotonic() >= due:
                due = time.monotonic() + self._life.interval
                outgoing.extend(self._device.telemetry())

    def _next(self, due: float) -> float:
        return min([due, *(when for when, _ in self._later)])

    def _work(self, wait: float) -> None:
        """Do the next piece of work, waiting at most `wait` seconds for one."""
        now = time.monotonic()
        for item in [item for item in self._later if item[0] <= now]:
            self._later.remove(item)
            item[1]()
        try:
            work = self._inbox.get(timeout=wait)
        except Empty:
            return
        work()

    def _subscribe(self) -> None:
        client, put = self._client, self._inbox.put
        client.on_connection_state_change = lambda: put(self._look)
        client.on_background_exception = lambda e: put(partial(self._say, f"the SDK says: {reasons(e)}"))
        try:
            client.on_method_request_received = lambda request: put(partial(self._answer, request))
            client.on_twin_desired_properties_patch_received = lambda patch: put(partial(self._desired, patch))
            client.on_message_received = lambda message: put(partial(self._say, f"message {_text(message.data)}"))
        except Exception as e:
            self._say(f"subscribing failed: {reasons(e)}")
            raise Lost from None

    def _look(self) -> None:
        if not self._client.connected:
            raise Lost

    # --- the twin ------------------------------------------------------------------------------------

    def _read_twin(self) -> None:
        """Read the twin, and do what was desired meanwhile. At the first time, report everything."""
        life = self._life
        try:
            desired = _within(_TWIN_SECONDS, self._client.get_twin).get("desired", {})
        except Lost:
            raise
        except Exception as e:
            self._failed("reading the twin", e, self._read_twin)
            return
        version = version_of(desired)
        if life.version is None:
            life.version = version or 0
            self._report(self._device.initial_report(desired))
        elif version is not None and version > life.version:
            self._desired(desired)
        else:
            self._report({})

    def _desired(self, patch: object) -> None:
        self._say(f"desired {shown(patch)}")
        version = version_of(patch)
        if version is not None and self._life.version is not None:
            self._life.version = max(version, self._life.version)
        self._report(self._device.on_desired(patch))

    def _report(self, patch: Patch) -> None:
        """Report this, with what the hub did not take before."""
        merged, self._life.unsent = _over(self._life.unsent, patch), {}
        if not merged:
            return
        self._say(f"reported {shown(merged)}")
        try:
            _within(_TWIN_SECONDS, partial(self._client.patch_twin_reported_properties, merged))
        except Lost:
            self._life.unsent = merged
            raise
        except Exception as e:
            if _TRANSIENT.search(reasons(e)) or not self._client.connected:
                self._life.unsent = merged
            self._failed("reporting", e, lambda: self._report({}))
        else:
            self._backoff.reset()

    def _failed(self, what: str, error: Exception, again: Callable[[], None]) -> None:
        """The device lives on when the hub refuses something, and tries again where that may help."""
        self._say(f"{what} failed: {reasons(error)}")
        self._look()
        if _TRANSIENT.search(reasons(error)):
            self._later.append((time.monotonic() + self._backoff.next(), again))

    # --- everything else -----------------------------------------------------------------------------

    def _answer(self, request: Any) -> None:
        from azure.iot.device import MethodResponse

        reply = self._device.on_command(request.name, request.payload)
        if reply is None:
            self._say(f"fault: no answer to {request.name}")
            return
        self._say(f"command {request.name} {shown(request.payload)} -> {reply.status} {shown(reply.payload)}")
        response = MethodResponse(request.request_id, reply.status, reply.payload)
        self._try("answering the command", lambda: self._client.send_method_response(response))

    def _send(self, message: Message) -> None:
        from azure.iot.device import Message as SdkMessage

        sdk_message = SdkMessage(message.payload, None, message.content_encoding, message.content_type)  # type: ignore[no-untyped-call]
        if message.component is not None:
            sdk_message.custom_properties["$.sub"] = message.component
        self._say(f"sent {message.component or 'root'} {shown(message.values)}")
        self._try("sending telemetry", lambda: self._client.send_message(sdk_message))

    def _try(self, what: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as e:
            self._say(f"{what} failed: {reasons(e)}")
            self._look()


def _over(older: Patch, newer: Patch) -> Patch:
    """Both patches as one; a null stays, for it deletes."""
    merged = dict(older)
    for name, value in newer.items():
        below = merged.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping) and MARKER in value
        merged[name] = {**below, **value} if both else value  # type: ignore[dict-item]
    return merged


def _text(data: bytes) -> str:
    return shown(bytes(data).decode("utf-8", "replace"))


def _within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises; Lost when it takes longer: nothing of this client can be relied on then."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except Exception as e:
            done.set_exception(e)

    threading.Thread(target=run, name="twin", daemon=True).start()
    try:
        return done.result(seconds)
    except FutureTimeout:
        raise Lost from None


def shut_down(client: Any) -> None:
    """Disconnect, within SHUTDOWN_SECONDS: the SDK waits for ever on a dead connection."""

    def run() -> None:
        with suppress(Exception):
            client.shutdown()

    goodbye = threading.Thread(target=run, daemon=True)
    goodbye.start()
    goodbye.join(SHUTDOWN_SECONDS)
