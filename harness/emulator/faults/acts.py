"""What each word of a plan's `do` does to an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.emulator.faults.gate import Answer, Operation, Point, Pretence, carry_out_later
from harness.emulator.faults.plan import Fault
from harness.mqtt import ServerSession, Wire
from harness.mqtt.packets import NOT_AUTHORIZED

if TYPE_CHECKING:
    from harness.emulator.faults.player import FaultPlayer

_ORDERED = "ordered by the fault plan"
_DPS = (Point.DPS_REGISTER, Point.DPS_POLL)
_CODES = {
    400: (400004, 400004),
    401: (401002, 401002),
    404: (404201, 404001),
    412: (412001, 412001),
    429: (429001, 429001),
    500: (500001, 500001),
    503: (503005, 503005),
    504: (504101, 504101),
}
"""Azure's number for a bare status: of DPS, and of the hub."""

EXPIRED = Answer(NOT_AUTHORIZED, 401003, message="the token has expired (ordered by the fault plan)")


def possible(fault: Fault, operation: Operation) -> bool:
    """Whether the binding that carries the operation can show the fault: HTTPS has no session to close."""
    if fault.do in ("error", "connack"):
        return operation.answer is not None
    if fault.do == "poll-without-operation-id" or (fault.do == "disabled" and operation.point in _DPS):
        return operation.pretend is not None
    if fault.do == "cut":
        return operation.session is not None or operation.cut is not None
    if fault.do in ("duplicate-delivery", "token-expires", "hub-moved", "disabled"):
        return operation.session is not None
    return True


def play(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    """Do to the operation what was ordered."""
    _ACTS[fault.do](player, fault, operation)


def _error(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    assert operation.answer is not None
    code = fault.code or 0
    status = code if code < 1000 else code // 1000
    number: int | None = code
    if code < 1000:
        of_dps, of_hub = _CODES.get(code, (code * 1000, code * 1000))
        number = of_dps if operation.point in _DPS else of_hub
    operation.answer(Answer(status, number, fault.retry_after, fault.message or _ORDERED))


def _silence(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    """Nothing at all."""


def _delay(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    def later() -> None:
        # To accept a CONNECT whose client has gone would leave the hub with a dead connection.
        gone = operation.session is not None and operation.session.closed
        if not (gone and operation.point in (Point.HUB_CONNECT, Point.DPS_CONNECT)):
            carry_out_later(operation)

    player.timers.later(fault.seconds or 0, later)


def _connack(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    assert operation.answer is not None
    operation.answer(Answer(fault.code or NOT_AUTHORIZED, message=_ORDERED))


def _cut(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    cut = operation.cut
    if cut is not None:
        _in_its_time(player, fault, operation, cut)
    else:
        _now_or_after(player, fault, operation, lambda session: session.cut("a fault plan cut the connection"))


def _token_expires(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    if operation.point is Point.HUB_CONNECT and fault.after is None and operation.answer is not None:
        if operation.token:
            player.bar(operation.identity, fault, EXPIRED, operation.token)
        operation.answer(EXPIRED)
        return
    _now_or_after(player, fault, operation, lambda session: session.close("the token has expired", 401003))


def _hub_moved(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    code = 401003 if fault.code == 401 else 404001
    _turn_away(player, fault, operation, Answer(NOT_AUTHORIZED, code, message="the device was moved to another hub"))


def _disabled(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    if operation.point in _DPS:
        assert operation.pretend is not None
        operation.pretend(Pretence.DISABLED)
        return
    code = player.options.disabled_return_code
    _turn_away(player, fault, operation, Answer(code, 403012, message="the device is disabled"))


def _turn_away(player: FaultPlayer, fault: Fault, operation: Operation, refusal: Answer) -> None:
    """Close the device's connection and bar it; at CONNECT the refusal itself is the answer."""
    if operation.point is Point.HUB_CONNECT and fault.after is None and operation.answer is not None:
        player.bar(operation.identity, fault, refusal)
        operation.answer(refusal)
        return

    def close(session: ServerSession) -> None:
        player.bar(operation.identity, fault, refusal)
        session.close(refusal.message, refusal.error_code)

    _now_or_after(player, fault, operation, close)


def _now_or_after(
    player: FaultPlayer, fault: Fault, operation: Operation, act: Callable[[ServerSession], None]
) -> None:
    session = operation.session
    assert session is not None
    _in_its_time(player, fault, operation, lambda: None if session.closed else act(session))


def _in_its_time(player: FaultPlayer, fault: Fault, operation: Operation, act: Callable[[], None]) -> None:
    if fault.after is None:
        act()
        return
    operation.proceed()
    order = player.orders

    def later() -> None:
        if player.orders == order:
            act()

    # Also after 0 s: by then what the operation wrote has left, as a SUBACK before the cut.
    player.timers.later(fault.after, later)


def _without_operation_id(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    assert operation.pretend is not None
    operation.pretend(Pretence.WITHOUT_OPERATION_ID)


def _duplicate(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    session = operation.session
    assert session is not None
    tap = _Tap(session.wire)
    session.wire = tap
    try:
        operation.proceed()
    finally:
        session.wire = tap.wire
    for packet in tap.published:
        session.wire.write(packet)


def _clock_skew(player: FaultPlayer, fault: Fault, operation: Operation) -> None:
    with player.skewed(fault.seconds or 0):
        operation.proceed()


class _Tap:
    """A wire that keeps what is published through it, as it must be sent again."""

    __slots__ = ("published", "wire")

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.published: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.wire.write(data)
        if data[0] & 0xF0 == 0x30:
            # DUP marks a repetition, and must be 0 at QoS 0 [MQTT-3.3.1-2].
            repeated = data[0] | 0x08 if data[0] & 0x06 else data[0]
            self.published.append(bytes([repeated]) + data[1:])

    def close(self) -> None:
        self.wire.close()

    def abort(self) -> None:
        self.wire.abort()


_ACTS: dict[str, Callable[[FaultPlayer, Fault, Operation], None]] = {
    "error": _error,
    "silence": _silence,
    "delay": _delay,
    "connack": _connack,
    "cut": _cut,
    "token-expires": _token_expires,
    "hub-moved": _hub_moved,
    "disabled": _disabled,
    "poll-without-operation-id": _without_operation_id,
    "duplicate-delivery": _duplicate,
    "clock-skew": _clock_skew,
}
