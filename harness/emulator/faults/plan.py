"""An order of faults, and the table of what can be ordered where.

A `Fault` names a device, a moment, which times that moment is struck, and what goes wrong. Moments are counted
for each device by itself: `first=2` is the second register request of every device that the fault is for.
TLS handshakes are counted together, for a handshake does not say which device it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.emulator.faults.gate import Point

EVERY_DEVICE = "*"
CERTIFICATES = ("expired", "wrong-name", "unknown-ca")
"""What can be wrong with the server's certificate."""


class PlanError(ValueError):
    """A plan cannot be played. `problems` are sentences, each with its place and what to write instead."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. `times` None is for ever; `seconds`, `after` and `retry_after` are seconds.

    `device` is the registration id for the moments of DPS, `device` or `device/module` for those of the hub,
    `*` for every device. With `after` the operation is carried out, and the fault follows that much later.
    """

    at: Point
    do: str
    device: str = EVERY_DEVICE
    first: int = 1
    times: int | None = 1
    code: int | None = None
    retry_after: int | None = None
    seconds: float | None = None
    after: float | None = None
    kind: str | None = None
    message: str = ""

    def due(self, occurrence: int) -> bool:
        """Whether the n-th moment, from 1, is one of those ordered."""
        return occurrence >= self.first and (self.times is None or occurrence < self.first + self.times)

    def is_for(self, identity: str) -> bool:
        return self.device == EVERY_DEVICE or self.device.lower() == identity.lower()

    def document(self) -> dict[str, Any]:
        """Return the fault in the words of a plan, defaults left out."""
        document: dict[str, Any] = {} if self.device == EVERY_DEVICE else {"device": self.device}
        document["at"] = self.at.value
        if self.times == 1:
            document |= {} if self.first == 1 else {"occurrence": self.first}
        else:
            document["from"] = self.first
            document |= {} if self.times is None else {"times": self.times}
        document["do"] = self.do
        for word, value in (("code", self.code), ("retry-after", self.retry_after), ("seconds", self.seconds)):
            document |= {} if value is None else {word: value}
        for word, text in (("after", self.after), ("kind", self.kind), ("message", self.message or None)):
            document |= {} if text is None else {word: text}
        return document

    @property
    def detail(self) -> str:
        """The particulars in a few words, as `429, retry-after 5`; empty where there are none."""
        parts = [] if self.kind is None else [self.kind]
        parts += [] if self.code is None else [str(self.code)]
        parts += [] if self.retry_after is None else [f"retry-after {self.retry_after}"]
        parts += [] if self.seconds is None else [f"{self.seconds:g} s"]
        parts += [] if self.after is None else [f"after {self.after:g} s"]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults in order; where several are due at one moment, the first is played."""

    faults: tuple[Fault, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the plan as TOML and JSON have it."""
        return {"fault": [fault.document() for fault in self.faults]}


NO_FAULTS = Plan()


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done: at which moments, and with which particulars. `help` is for people."""

    help: str
    points: frozenset[Point]
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


_DPS = frozenset({Point.DPS_REGISTER, Point.DPS_POLL})
_CONNECTS = frozenset({Point.DPS_CONNECT, Point.HUB_CONNECT})
_SUBSCRIBES = frozenset({Point.DPS_SUBSCRIBE, Point.HUB_SUBSCRIBE})
_TWIN = frozenset({Point.TWIN_GET, Point.TWIN_PATCH})
_TLS = frozenset({Point.TLS})
_FILES = frozenset({Point.FILE_UPLOAD, Point.BLOB, Point.FILE_NOTIFICATION})
_HUB = frozenset(
    {
        Point.HUB_CONNECT,
        Point.HUB_SUBSCRIBE,
        Point.HUB_PUBLISH,
        Point.DESIRED,
        Point.C2D,
        Point.METHOD,
        Point.METHOD_ANSWER,
    }
)
_ALL = frozenset(Point)

ACTS = MappingProxyType(
    {
        "error": Act(
            "answer with a status (code = 429) or one of Azure's numbers (code = 429001); a SUBSCRIBE with 0x80",
            _DPS | _TWIN | _SUBSCRIBES | _FILES | {Point.METHOD},
            takes=frozenset({"code", "retry-after", "message"}),
        ),
        "silence": Act("never answer, never deliver", _ALL),
        "delay": Act("carry it out that many seconds later", _ALL - _TLS, needs=frozenset({"seconds"})),
        "connack": Act("refuse the CONNECT with this return code", _CONNECTS, needs=frozenset({"code"})),
        "cut": Act("drop the connection without a word", _ALL, takes=frozenset({"after"})),
        "bad-certificate": Act("show a certificate not to be trusted", _TLS, needs=frozenset({"kind"})),
        "tls-refused": Act("end the handshake with an alert", _TLS),
        "token-expires": Act("the device's token is over", _HUB | _TWIN, takes=frozenset({"after"})),
        "hub-moved": Act(
            "the hub no longer knows the device (code = 401 or 404) until DPS has assigned it again",
            _HUB | _TWIN,
            takes=frozenset({"code", "after"}),
        ),
        "disabled": Act(
            "the device is disabled; at the hub until the plan is changed",
            _DPS | _HUB | _TWIN,
            takes=frozenset({"after"}),
        ),
        "poll-without-operation-id": Act("leave operationId out of the reply", frozenset({Point.DPS_POLL})),
        "duplicate-delivery": Act(
            "deliver the message to the device twice", _DPS | _TWIN | {Point.DESIRED, Point.C2D, Point.METHOD}
        ),
        "clock-skew": Act(
            "the service's clock is ahead by that many seconds (behind, if negative)",
            _DPS | _CONNECTS | _TWIN,
            needs=frozenset({"seconds"}),
        ),
    }
)
"""Every word of a plan's `do`."""
