"""The gate that every operation of a core passes: what may stand there, and what it is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from harness.mqtt import RemoteError, ServerSession


class Point(str, Enum):
    """The moments a fault can be ordered for. The value is the word of a plan's `at`."""

    TLS = "tls"
    DPS_CONNECT = "dps-connect"
    DPS_SUBSCRIBE = "dps-subscribe"
    DPS_REGISTER = "register"
    DPS_POLL = "poll"
    HUB_CONNECT = "connect"
    HUB_SUBSCRIBE = "subscribe"
    HUB_PUBLISH = "publish"
    TWIN_GET = "twin-get"
    TWIN_PATCH = "twin-patch"
    DESIRED = "desired"
    C2D = "c2d"
    METHOD = "method"
    METHOD_ANSWER = "method-answer"
    FILE_UPLOAD = "file-upload"
    BLOB = "blob"
    FILE_NOTIFICATION = "file-notification"


class Pretence(str, Enum):
    """Results a core can be asked to answer with though they are not so."""

    DISABLED = "disabled"
    WITHOUT_OPERATION_ID = "without-operation-id"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say instead of doing: a status or CONNACK code, with Azure's error code and retry-after if any."""

    status: int
    error_code: int | None = None
    retry_after: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a core is about to do. `identity` is the registration id, device id or device/module.

    `answer` says an error in place of the result; None where the protocol has no way to say one. `pretend`
    answers with a result that is not so; None where the core has none to offer. `cut` drops the connection where
    there is no session; None where there is nothing to drop. `token` is the SAS token of a CONNECT; empty where the
    device shows none.
    """

    point: Point
    identity: str
    proceed: Callable[[], None]
    answer: Callable[[Answer], None] | None = None
    session: ServerSession | None = None
    pretend: Callable[[Pretence], None] | None = None
    cut: Callable[[], None] | None = None
    token: bytes = field(default=b"", repr=False)


class FaultGate(Protocol):
    active: bool
    """False lets hot paths skip the gate."""

    def run(self, operation: Operation) -> None:
        """Carry the operation out, or what was ordered instead."""

    def assigned(self, device_id: str) -> None:
        """DPS assigned the device (again), which ends what kept it from its hub."""


class NoFaults:
    """The gate when nothing is ordered."""

    active = False

    def run(self, operation: Operation) -> None:
        operation.proceed()

    def assigned(self, device_id: str) -> None:
        """Nothing keeps a device from its hub."""


def carry_out_later(operation: Operation) -> None:
    """Carry out a delayed operation: what the device did wrong in it still closes its connection, and no more."""
    try:
        operation.proceed()
    except RemoteError as error:
        if operation.session is not None:
            operation.session.fail(error)
