"""What every core of the emulator is given, so that none of them needs a clock, a loop or a thread."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from harness.emulator.faults import FaultGate, NoFaults
from harness.emulator.options import EmulatorOptions
from harness.mqtt import Timers
from harness.record.events import Event

logger = logging.getLogger("harness.emulator")


class Sink:
    """Passes events on, and keeps a failing receiver from costing a device its connection."""

    __slots__ = ("_receive", "report")

    def __init__(
        self, receive: Callable[[Event], None], report: Callable[[str, BaseException], None] | None = None
    ) -> None:
        self._receive = receive
        self.report = report or log_failure

    def __call__(self, event: Event) -> None:
        try:
            self._receive(event)
        except Exception as error:
            self.report(f"the receiver of events failed on {event.kind}", error)


def log_failure(where: str, error: BaseException) -> None:
    """Report a fault of the harness's own to the log."""
    logger.error("%s: %s", where, error, exc_info=error)


@dataclass(frozen=True, slots=True)
class Context:
    """`wall` is Unix time in seconds (what tokens and time stamps go by); `timers` is monotonic."""

    timers: Timers
    wall: Callable[[], float]
    emit: Callable[[Event], None]
    options: EmulatorOptions = field(default_factory=EmulatorOptions)
    faults: FaultGate = field(default_factory=NoFaults)

    def timestamp(self) -> str:
        """Return the wall time as Azure writes it in JSON: UTC with seven decimals and Z."""
        return utc_text(self.wall())


def utc_text(seconds: float) -> str:
    """Unix time as `2024-05-01T10:00:00.1234560Z`."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def new_guid() -> str:
    return str(uuid.uuid4())
