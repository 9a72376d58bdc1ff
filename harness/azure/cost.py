"""What a run costs in Azure: messages of the hub's daily quota and operations, as an estimate and as counted.

A hub counts device-to-cloud and cloud-to-device messages, commands (request and response), reads and updates of
twins and digital twins, each in units of 0.5 KB (free tier) or 4 KB (standard tiers). Operations of registry and DPS
are free, and throttled: 100 and 1,000 a minute. Figures of Microsoft's pages on quotas and pricing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.dtdl import Capability

FREE_A_DAY = 8_000
"""Messages that a hub of the free tier takes in a day, of all its devices together."""
FREE_UNIT, STANDARD_UNIT = 512, 4096
"""Bytes."""

TELEMETRY = "device-to-cloud messages"
TWINS = "reads and updates of twins"
COMMANDS = "commands"
C2D = "cloud-to-device messages"
METERED = (TELEMETRY, TWINS, COMMANDS, C2D)
REGISTRY = "operations of the registry"
DPS = "operations of DPS"
FEEDBACK = "looks for feedback"
FREE = (REGISTRY, DPS, FEEDBACK)

_TWIN, _PROPERTY = 900, 400
"""Bytes of an empty twin as a service reads it, and of each property with its dates."""
_INTERVAL = 5.0
"""Seconds between two messages of a component where nothing is stated."""


@dataclass(slots=True)
class Tally:
    """What was used, counted as it is used, from any thread."""

    operations: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    standard_units: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, what: str, *sizes: int) -> None:
        """One operation, of messages with so many bytes: a command has two, most others one."""
        with self._lock:
            self.operations[what] += 1
            for size in sizes or (0,):
                self.units[what] += _units(size, FREE_UNIT)
                self.standard_units[what] += _units(size, STANDARD_UNIT)

    def refuse(self) -> None:
        """The service answered that it is throttled."""
        with self._lock:
            self.throttled += 1

    def sentence(self) -> str:
        """What was used, for a person."""
        with self._lock:
            units = sum(self.units[k] for k in METERED)
            standard = sum(self.standard_units[k] for k in METERED)
            parts = ", ".join(f"{self.operations[k]} {k}" for k in METERED if self.operations[k])
            free = ", ".join(f"{self.operations[k]} {k}" for k in FREE if self.operations[k])
            busy = f" Throttled {self.throttled} times." if self.throttled else ""
        return (
            f"the run used {units} of the hub's messages as a free hub counts them ({_share(units)}), "
            f"{standard} as a standard one does: {parts or 'nothing'}. Free of charge: {free or 'nothing'}.{busy} "
            "What the device reads and reports of its twin is estimated from what was seen."
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run may use, in units of the free tier."""

    telemetry: int
    twins: int
    commands: int
    c2d: int

    @property
    def messages(self) -> int:
        return self.telemetry + self.twins + self.commands + self.c2d

    def sentence(self) -> str:
        """The same for a person."""
        return (
            f"Azure: the run will use about {self.messages} of the hub's messages ({_share(self.messages)}): "
            f"telemetry {self.telemetry}, twins {self.twins}, commands {self.commands}, cloud-to-device {self.c2d}. "
            "Registry and DPS are free of charge."
        )


def estimate(capabilities: Iterable[Capability], *, window: float, smoke: bool) -> Estimate:
    """What a device with these capabilities uses in a run; `window` is the longest time of watching, in seconds.

    The watch ends as soon as all was seen, so most runs use less.
    """
    every = list(capabilities)
    telemetry = {c.component for c in every if c.kind == "telemetry"}
    writable = sum(c.kind == "property" and c.writable for c in every)
    commands = sum(c.kind == "command" for c in every)
    watched = window if telemetry or any(c.kind == "property" and not c.writable for c in every) else 0.0
    # Each writable property is set a few times, and each time reported: two updates of the twin and one notification.
    writes = writable * (2 if smoke else 6)
    reads = round(watched / 2) + 2 * writes // 3 + 10
    size = _TWIN + _PROPERTY * sum(c.kind == "property" for c in every)
    return Estimate(
        telemetry=round(len(telemetry) * watched / _INTERVAL),
        twins=_units(size, FREE_UNIT) * reads + 3 * writes,
        commands=2 * commands * (1 if smoke else 4),
        c2d=0 if smoke else 2,
    )


def _units(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def _share(units: int) -> str:
    share = 100 * units / FREE_A_DAY
    return f"{'under 1' if share < 1 else f'{share:.0f}'} % of a free hub's {FREE_A_DAY:,} a day"
