"""Direct methods: a request to a device that is connected and subscribed, an answer in time, or an error.

404103 when the device is not there (at once without a connect time-out, else when that ran out); 504101 when
it does not answer. A late answer is recorded as late and goes nowhere.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.emulator.context import Context
from harness.emulator.errors import ServiceError
from harness.emulator.faults import Answer, Operation, Point
from harness.emulator.hub.registry import Identity
from harness.mqtt import Timer
from harness.record.events import MethodAnswered, MethodRequested, ProtocolViolation

_NAME = re.compile(r"[!-~]{1,1024}")
_FORBIDDEN = frozenset('$()<>@,;:\\"/[]?={}#+')
_REMEMBERED = 64
"""Timed-out requests of one identity whose late answer is still recognised."""


@dataclass(frozen=True, slots=True)
class MethodResult:
    """The device's answer: its own status, and the payload's raw bytes."""

    status: int
    payload: bytes


Outcome = Callable[["MethodResult | ServiceError"], None]


@dataclass(slots=True, eq=False)
class _Call:
    name: str
    payload: bytes
    response_seconds: float
    done: Outcome
    timer: Timer | None = None
    request_id: str = ""


@dataclass(slots=True)
class _Desk:
    """The calls of one identity: waiting for the device, and waiting for its answer."""

    waiting: list[_Call] = field(default_factory=list)
    asked: dict[str, _Call] = field(default_factory=dict)
    late: OrderedDict[str, str] = field(default_factory=OrderedDict)
    last_id: int = 0


class Methods:
    """All direct methods of one hub."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._desks: dict[Identity, _Desk] = {}

    def invoke(
        self,
        identity: Identity,
        name: str,
        payload: bytes,
        done: Outcome,
        *,
        response_seconds: float | None = None,
        connect_seconds: float = 0,
    ) -> Callable[[], None]:
        """Start a call; `done` is called once, maybe before this returns. Returns a function that withdraws
        it.

        `payload` is JSON text or empty. Raises ServiceError 400004, 403800 and 413001 for what the service refuses to
        start.
        """
        options = self._context.options
        seconds = options.method_response_seconds if response_seconds is None else response_seconds
        check_call(name, seconds, connect_seconds, options.method_timeout_range)
        if len(payload) > options.max_method_payload:
            raise ServiceError(413001, f"the payload is longer than {options.max_method_payload} bytes")
        desk = self._desks.setdefault(identity, _Desk())
        if len(desk.asked) + len(desk.waiting) >= options.max_methods_in_flight:
            raise ServiceError(403800, f"the device has {options.max_methods_in_flight} methods in flight")
        call = _Call(name, payload, seconds, done)
        if _ready(identity):
            self._ask(identity, desk, call)
        elif connect_seconds:
            desk.waiting.append(call)
            call.timer = self._context.timers.later(
                connect_seconds, lambda: self._not_online(desk, call, connect_seconds)
            )
        else:
            self._not_online(desk, call, 0)
        return lambda: self._withdraw(desk, call)

    def ready(self, identity: Identity) -> None:
        """The device has connected and subscribed: ask what was waiting."""
        desk = self._desks.get(identity)
        if desk is not None and desk.waiting:
            waiting, desk.waiting = desk.waiting, []
            for call in waiting:
                _stop(call)
                self._ask(identity, desk, call)

    def answered(self, identity: Identity, request_id: str, status: int, payload: bytes) -> None:
        """The device has answered `$iothub/methods/res/{status}/?$rid={request_id}`."""
        desk = self._desks.get(identity)
        call = desk.asked.pop(request_id, None) if desk else None
        if desk is None or (call is None and request_id not in desk.late):
            detail = f"an answer to the unknown method request {request_id}"
            violation = ProtocolViolation(
                identity.device_id, identity.module_id, "unknown-method-request", detail, closed=False
            )
            self._context.emit(violation)
            return
        name = call.name if call is not None else desk.late.pop(request_id)
        self._context.emit(
            MethodAnswered(identity.device_id, identity.module_id, request_id, name, status, payload, late=call is None)
        )
        if call is not None:
            _stop(call)
            call.done(MethodResult(status, payload))

    def forget(self, identity: Identity) -> None:
        """The identity was deleted: end its calls."""
        desk = self._desks.pop(identity, None)
        for call in [*desk.waiting, *desk.asked.values()] if desk else ():
            _stop(call)
            call.done(ServiceError(404001, f"the device {identity.device_id} was deleted"))

    def _ask(self, identity: Identity, desk: _Desk, call: _Call) -> None:
        # Small decimal numbers: the C SDK reads a request id as uint16.
        desk.last_id = desk.last_id % 0xFFFF + 1
        call.request_id = request_id = str(desk.last_id)
        desk.asked[request_id] = call
        call.timer = self._context.timers.later(call.response_seconds, lambda: self._no_answer(desk, call))

        def proceed() -> None:
            connection = identity.connection
            if connection is not None:
                self._context.emit(
                    MethodRequested(identity.device_id, identity.module_id, request_id, call.name, call.payload)
                )
                connection.send_method(call.name, request_id, call.payload)

        def answer(fault: Answer) -> None:
            if desk.asked.pop(request_id, None) is not None:
                _stop(call)
                code = fault.error_code or fault.status * 1000
                call.done(ServiceError(code, fault.message, status=fault.status))

        session = identity.connection.session if identity.connection else None
        self._context.faults.run(Operation(Point.METHOD, identity.name, proceed, answer, session))

    def _no_answer(self, desk: _Desk, call: _Call) -> None:
        desk.asked.pop(call.request_id, None)
        desk.late[call.request_id] = call.name
        while len(desk.late) > _REMEMBERED:
            desk.late.popitem(last=False)
        info = {"timeout": clock_text(call.response_seconds)}
        call.done(ServiceError(504101, "Timed out waiting for the response from device.", info=info))

    def _not_online(self, desk: _Desk, call: _Call, seconds: float) -> None:
        if call in desk.waiting:
            desk.waiting.remove(call)
        info = {"timeout": clock_text(seconds)}
        call.done(ServiceError(404103, "Timed out waiting for device to connect.", info=info))

    def _withdraw(self, desk: _Desk, call: _Call) -> None:
        _stop(call)
        if call in desk.waiting:
            desk.waiting.remove(call)
        if desk.asked.pop(call.request_id, None) is not None:
            desk.late[call.request_id] = call.name


def check_call(name: str, response: float, connect: float, response_range: tuple[float, float]) -> None:
    """Raises ServiceError 400004 for a name or a time-out that the service refuses."""
    if not _NAME.fullmatch(name) or _FORBIDDEN & set(name):
        raise ServiceError(400004, f"{name!r} is not a method name: printable ASCII without separators")
    low, high = response_range
    if not low <= response <= high:
        raise ServiceError(400004, f"responseTimeoutInSeconds must be {low:g} to {high:g}")
    if not 0 <= connect <= high:
        raise ServiceError(400004, f"connectTimeoutInSeconds must be 0 to {high:g}")


def clock_text(seconds: float) -> str:
    """Return seconds as Azure writes a time span: 00:00:30."""
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _ready(identity: Identity) -> bool:
    return identity.connection is not None and identity.connection.takes_methods


def _stop(call: _Call) -> None:
    if call.timer is not None:
        call.timer.cancel()
        call.timer = None
