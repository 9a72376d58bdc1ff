"""The one place where every core asks: is a fault ordered for this moment?

An operation is handed to the gate as a continuation, not asked about with a flag: the gate then can carry it
out (no fault), never (silence), later (delay), twice (duplicate), answer in its place (an error status), or
cut the connection, and the cores know nothing of plans, counters or delays.

First cut: nothing is ever ordered. A fault plan is another `FaultGate`, given to the emulator's `Context`; it
counts the moments by `Point` and identity, and calls `Operation.proceed` or `Operation.answer`, or uses the
session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from harness.mqtt import ServerSession


class Point(str, Enum):
    """The moments a fault can be ordered for."""

    TLS = "tls"
    DPS_CONNECT = "dps.connect"
    DPS_SUBSCRIBE = "dps.subscribe"
    DPS_REGISTER = "dps.register"
    DPS_POLL = "dps.poll"
    HUB_CONNECT = "hub.connect"
    HUB_SUBSCRIBE = "hub.subscribe"
    HUB_PUBLISH = "hub.publish"
    TWIN_GET = "twin.get"
    TWIN_PATCH = "twin.patch"
    DESIRED = "twin.desired"
    METHOD = "method"
    METHOD_ANSWER = "method.answer"


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

    `answer` says an error in place of the result; None where the protocol has no way to say one.
    """

    point: Point
    identity: str
    proceed: Callable[[], None]
    answer: Callable[[Answer], None] | None = None
    session: ServerSession | None = None


class FaultGate(Protocol):
    active: bool
    """False lets hot paths skip the gate."""

    def run(self, operation: Operation) -> None:
        """Carry the operation out, or what was ordered instead."""


class NoFaults:
    """The gate when nothing is ordered."""

    active = False

    def run(self, operation: Operation) -> None:
        operation.proceed()
