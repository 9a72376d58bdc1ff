"""One request of a device and its answer, the same for every protocol: the record, the faults, the pace.

A binding makes an `Exchange` for the connection or request, and calls `register`, `poll` or `look_up` with what
sends the answer. That is called once, at once or later, or never, for faults have their say here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from harness.emulator.dps.core import ProvisioningService, Reply, Throttled, without_operation_id
from harness.emulator.dps.enrollments import Credentials
from harness.emulator.dps.monitor import Caller
from harness.emulator.dps.pacing import Haste
from harness.emulator.dps.requests import MAX_BODY
from harness.emulator.errors import ServiceError, device_body
from harness.emulator.faults import Answer, Operation, Point, Pretence
from harness.mqtt import ServerSession
from harness.record.events import (
    ProtocolViolation,
    RegistrationAnswered,
    RegistrationPolled,
    RegistrationRequested,
)

Send = Callable[[Reply, int | None], None]
"""Sends an answer; the number is Azure's error code, None for a success."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Who asks, and with what. `session` is the MQTT connection that a fault may cut, if it is one.

    `refusal` answers every request: the credentials did not hold when they were shown.
    """

    service: ProvisioningService
    registration_id: str
    credentials: Credentials = field(repr=False)
    caller: Caller = field(default_factory=Caller)
    session: ServerSession | None = None
    refusal: ServiceError | None = None

    def attested(self) -> Exchange:
        """Try the credentials and count the attempt; return the exchange with its `refusal`, if they do not hold."""
        monitor = self.service.monitor
        try:
            self.service.attest(self.registration_id, self.credentials)
        except ServiceError as error:
            monitor.attested(self.caller, self.registration_id, error.status, error.message)
            return replace(self, refusal=error)
        monitor.attested(self.caller, self.registration_id)
        return self

    def register(self, request_id: str, body: bytes, send: Send) -> None:
        service = self.service
        self._requested(request_id, body)
        self._note(service.pacing.registered(self.registration_id, service.context.timers.time()))
        self._run(
            Point.DPS_REGISTER,
            request_id,
            lambda: service.register(self.registration_id, self.credentials, body),
            send,
        )

    def challenge(self, request_id: str, body: bytes, send: Send) -> bool:
        """Answer the first register request of a device with a TPM. False when it is not that: nothing happened."""
        try:
            reply = self.service.challenge(self.registration_id, body)
        except ServiceError as error:
            reply = self._refusal(error, None)
        if reply is None:
            return False
        self._requested(request_id, body)
        self._send(request_id, reply, self.service.context.options.dps_unauthorized_code, send)
        return True

    def poll(self, request_id: str, operation_id: str, send: Send) -> None:
        service = self.service
        service.context.emit(RegistrationPolled(self.registration_id, request_id, operation_id))
        self._note(service.pacing.polled(self.registration_id, service.context.timers.time()))
        self._run(
            Point.DPS_POLL,
            request_id,
            lambda: service.poll(self.registration_id, self.credentials, operation_id, self.caller),
            send,
        )

    # --- inside --------------------------------------------------------------------------------------

    def _requested(self, request_id: str, body: bytes) -> None:
        # What is longer than DPS reads is refused, and not kept.
        self.service.context.emit(RegistrationRequested(self.registration_id, request_id, body[:MAX_BODY]))

    def _run(self, point: Point, request_id: str, action: Callable[[], Reply], send: Send) -> None:
        def proceed(alter: Callable[[Reply], Reply] = lambda reply: reply) -> None:
            try:
                if self.refusal is not None:
                    raise self.refusal
                reply = alter(action())
            except ServiceError as error:
                retry_after = error.retry_after if isinstance(error, Throttled) else None
                self._send(request_id, self._refusal(error, retry_after), error.code, send)
            else:
                self._send(request_id, reply, None, send)

        def pretend(pretence: Pretence) -> None:
            if pretence is Pretence.DISABLED:
                self._send(request_id, self.service.pretend_disabled(self.registration_id), None, send)
            else:
                proceed(without_operation_id)

        def answer(fault: Answer) -> None:
            error = ServiceError(fault.error_code or fault.status * 1000, fault.message, status=fault.status)
            self._send(request_id, self._refusal(error, fault.retry_after), error.code, send)

        gate = self.service.context.faults
        gate.run(Operation(point, self.registration_id, proceed, answer, self.session, pretend))

    def _refusal(self, error: ServiceError, retry_after: int | None) -> Reply:
        return Reply(error.status, device_body(error, self.service.context.wall()), retry_after)

    def _send(self, request_id: str, reply: Reply, error_code: int | None, send: Send) -> None:
        service = self.service
        now = service.context.timers.time()
        service.pacing.answered(self.registration_id, reply.status, reply.retry_after, now)
        send(reply, error_code)
        service.context.emit(
            RegistrationAnswered(
                self.registration_id, request_id, reply.status, reply.body, reply.retry_after, error_code
            )
        )

    def _note(self, haste: Haste | None) -> None:
        if haste is not None:
            self.service.context.emit(
                ProtocolViolation(self.registration_id, None, haste.rule, haste.detail, closed=False)
            )
