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
from typing import TYPE_CHECKING, TypeVar

from harness.emulator import managing
from harness.emulator.context import Sink
from harness.emulator.dps import enrolling
from harness.emulator.dps.assignment import Allocate
from harness.emulator.dps.enrolling import Certificate, Terms
from harness.emulator.dps.enrollments import Attestation, GroupSymmetricKey, SymmetricKey
from harness.emulator.faults import NO_FAULTS, Plan
from harness.emulator.options import EmulatorError, EmulatorOptions, Endpoints, Enrollment, EnrollmentGroup
from harness.emulator.services import Services
from harness.record.events import Event

if TYPE_CHECKING:
    from typing_extensions import Unpack

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
        faults: Plan = NO_FAULTS,
    ) -> None:
        self.address = address
        self._plan = faults
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

    def enroll(
        self,
        registration_id: str,
        *,
        device_id: str | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        **terms: Unpack[Terms],
    ) -> Enrollment:
        """Let a device provision itself by symmetric key; keys not given are new. Replaces an earlier enrollment.

        `terms` of this and the following methods: `harness.emulator.dps.enrolling.Terms`. All raise EmulatorError
        with a sentence for what does not fit.
        """
        key = enrolling.symmetric_key(primary_key, secondary_key)
        return self._enroll(registration_id, key, device_id, terms)

    def enroll_x509(
        self,
        registration_id: str,
        certificate: Certificate,
        secondary: Certificate | None = None,
        *,
        device_id: str | None = None,
        **terms: Unpack[Terms],
    ) -> Enrollment:
        """Let a device provision itself by one of these client certificates, whose CN is the registration id."""
        attestation = enrolling.client_certificates(certificate, secondary)
        return self._enroll(registration_id, attestation, device_id, terms)

    def enroll_tpm(
        self,
        registration_id: str,
        endorsement_key: str,
        storage_root_key: str | None = None,
        *,
        device_id: str | None = None,
        **terms: Unpack[Terms],
    ) -> Enrollment:
        """Let a device provision itself over HTTPS by its TPM. Keys are TPM2B_PUBLIC in base64."""
        attestation = enrolling.tpm(endorsement_key, storage_root_key)
        return self._enroll(registration_id, attestation, device_id, terms)

    def enroll_group(
        self,
        group_id: str,
        *,
        certificate: Certificate | None = None,
        secondary: Certificate | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        **terms: Unpack[Terms],
    ) -> EnrollmentGroup:
        """Let any device provision itself that has a key derived from the group's, or with `certificate`, of a root
        or intermediate CA, any whose certificate is issued beneath it.
        """
        if certificate is not None:
            attestation = enrolling.signing_certificates(certificate, secondary)
        else:
            attestation = enrolling.symmetric_key(primary_key, secondary_key, of_group=True)

        def add(services: Services) -> EnrollmentGroup:
            services.enrollments.add(enrolling.group(group_id, attestation, terms, services.dps.assigner.hosts))
            return EnrollmentGroup(group_id, *_keys(attestation))

        return self.call(add)

    def remove_enrollment(self, id: str, *, group: bool = False) -> None:  # noqa: A002
        """Delete the enrollment of a registration id, or with `group` of a group id; devices stay in their hubs.

        Raises EmulatorError when there is none.
        """

        def remove(services: Services) -> None:
            store = services.enrollments
            enrolled = store.get_group(id) if group else store.get(id)
            if enrolled is None:
                raise EmulatorError(f"There is no enrollment{' group' if group else ''} {id}.")
            services.dps.remove(enrolled)

        self.call(remove)

    def add_authority(self, name: str, certificate: Certificate) -> None:
        """Upload a CA certificate to DPS, for enrollment groups that refer to it by name (`caReferences`)."""
        der = enrolling.authority(certificate)
        self.call(lambda services: services.enrollments.authorities.update({name: der}))

    def allocate_with(self, allocate: Allocate | None) -> None:
        """Answer enrollments with the allocation `custom`. It is called on the emulator's thread and must be quick."""

        def put(services: Services) -> None:
            services.dps.assigner.allocate = allocate

        self.call(put)

    def _enroll(
        self, registration_id: str, attestation: Attestation, device_id: str | None, terms: Terms
    ) -> Enrollment:
        def add(services: Services) -> Enrollment:
            hosts = services.dps.assigner.hosts
            services.enrollments.add(enrolling.individual(registration_id, attestation, terms, hosts, device_id))
            return Enrollment(registration_id, device_id or registration_id, *_keys(attestation))

        return self.call(add)

    def order(self, plan: Plan) -> None:
        """Play this fault plan from now on, in place of any other; `NO_FAULTS` ends them all."""
        self.call(lambda services: services.order(plan))

    def reset(self) -> None:
        """Forget devices, enrollments, twins and faults, and drop all connections; keep certificates and keys."""
        self.call(managing.reset)

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
        id_scope = self.options.id_scope or new_id_scope()
        services = Services(loop, time.time, self._sink, self.options, id_scope, self._plan)
        try:
            endpoints = await services.start(self.address, self._state_dir)
            self._services = services
            ready.set_result(endpoints)
            await self._stopping.wait()
        finally:
            await services.stop()


def _keys(attestation: Attestation) -> tuple[str, str]:
    if isinstance(attestation, (SymmetricKey, GroupSymmetricKey)):
        return attestation.primary, attestation.secondary
    return "", ""


def new_id_scope() -> str:
    """An ID scope of the form that Azure gives."""
    return "0ne" + secrets.token_hex(4).upper()


def _new_loop(options: EmulatorOptions) -> asyncio.AbstractEventLoop:
    if options.uvloop:
        with contextlib.suppress(ImportError):
            loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
            return loop
    return asyncio.new_event_loop()
