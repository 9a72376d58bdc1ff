"""The emulator as a thread with an event loop of its own, started and stopped from any other thread."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from harness.emulator.context import Sink
from harness.emulator.dps.enrollments import Enrolled, SymmetricKey
from harness.emulator.options import EmulatorError, EmulatorOptions, Endpoints, Enrollment
from harness.emulator.services import Services
from harness.record.events import Event

T = TypeVar("T")

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class Emulator:
    """A DPS and an IoT Hub on one address.

    `emit` is called from the emulator's thread, in order, and must be quick; what it raises goes to
    `on_error` (where it happened, the exception), by default to the log. Methods may be called from any
    thread but the emulator's own, between `start` and `stop`.
    """

    def __init__(
        self,
        *,
        address: str = "127.0.0.1",
        state_dir: Path,
        emit: Callable[[Event], None],
        options: EmulatorOptions | None = None,
        on_error: Callable[[str, BaseException], None] | None = None,
    ) -> None:
        self.address = address
        self.options = options or EmulatorOptions()
        self._state_dir = Path(state_dir)
        self._sink = Sink(emit, on_error)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._services: Services | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> Endpoints:
        """Start and return when devices can connect.

        Raises EmulatorError: PortInUse, AddressNotLocal, NotPermitted, or with another reason.
        """
        if self._thread is not None:
            raise EmulatorError("This emulator was started already; make a new one.")
        ready: Future[Endpoints] = Future()
        self._thread = threading.Thread(target=self._thread_main, args=(ready,), name="preflight-emulator", daemon=True)
        self._thread.start()
        try:
            return ready.result(_START_SECONDS)
        except EmulatorError:
            self._thread.join(_STOP_SECONDS)
            raise

    def stop(self) -> None:
        """Drop all connections and end the thread. Does nothing when it is not running."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                loop.call_soon_threadsafe(stopping.set)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoints(self) -> Endpoints:
        """Where it is. Raises EmulatorError before `start`."""
        return self._running().endpoints

    def enroll(self, registration_id: str, *, device_id: str | None = None) -> Enrollment:
        """Let a device provision itself by symmetric key; keys are new. Replaces an earlier enrollment."""

        def add(services: Services) -> Enrollment:
            key = SymmetricKey()
            enrolled = Enrolled(key, registration_id=registration_id, device_id=device_id)
            services.enrollments.add(enrolled)
            return Enrollment(registration_id, device_id or registration_id, key.primary, key.secondary)

        return self.call(add)

    def call(self, function: Callable[[Services], T]) -> T:
        """Run a function on the emulator's thread, where all its state lives, and return what it returns."""
        services, loop = self._running(), self._loop
        if loop is None or threading.current_thread() is self._thread:
            return function(services)
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function(services))
            except BaseException as error:
                result.set_exception(error)

        try:
            loop.call_soon_threadsafe(run)
        except RuntimeError:
            raise EmulatorError("The emulator is not running.") from None
        return result.result(_STOP_SECONDS)

    # --- on the thread -------------------------------------------------------------------------------

    def _running(self) -> Services:
        if self._services is None:
            raise EmulatorError("The emulator is not running.")
        return self._services

    def _thread_main(self, ready: Future[Endpoints]) -> None:
        loop = _new_loop(self.options)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._main(ready))
            loop.run_until_complete(loop.shutdown_asyncgens())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            else:
                self._sink.report("the emulator's thread failed", error)
        finally:
            self._services = None
            asyncio.set_event_loop(None)
            loop.close()

    async def _main(self, ready: Future[Endpoints]) -> None:
        loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._loop = loop
        id_scope = "0ne" + secrets.token_hex(4).upper()
        services = Services(loop, time.time, self._sink, self.options, id_scope)
        try:
            endpoints = await services.start(self.address, self._state_dir)
            self._services = services
            ready.set_result(endpoints)
            await self._stopping.wait()
        finally:
            await services.stop()


def _new_loop(options: EmulatorOptions) -> asyncio.AbstractEventLoop:
    if options.uvloop:
        with contextlib.suppress(ImportError):
            loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
            return loop
    return asyncio.new_event_loop()
