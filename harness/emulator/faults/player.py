"""Plays a plan: counts the moments of each device, decides what is due, does it, and tells the record.

Pure like the cores: it is given timers, a clock and the event sink. What a fault leaves behind (a device that
the hub no longer knows) is kept here and ends with the plan, or when DPS assigns the device again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.emulator.faults import acts
from harness.emulator.faults.gate import Answer, Operation, Point
from harness.emulator.faults.plan import Fault, Plan
from harness.emulator.options import EmulatorOptions
from harness.mqtt import Timers
from harness.record.events import Event, FaultPlayed

_MAX_COUNTERS = 200_000
"""Identities are counted before they have proved themselves, so their number must have an end."""


@dataclass(frozen=True, slots=True)
class Barred:
    """A device the hub refuses: the fault that did it, and what its CONNECT is answered.

    With a `token` it is refused for as long as it shows that one.
    """

    fault: Fault
    answer: Answer
    token: bytes = field(default=b"", repr=False)


class FaultPlayer:
    """The `FaultGate` of a running emulator. `skew` is what the service's clock is ahead, in seconds, just now."""

    def __init__(
        self,
        timers: Timers,
        wall: Callable[[], float],
        emit: Callable[[Event], None],
        options: EmulatorOptions,
    ) -> None:
        self.active = False
        self.plan = Plan()
        self.timers = timers
        self.options = options
        self.skew = 0.0
        self.orders = 0
        """How many plans there were: what an earlier one left for later is not done."""
        self._wall = wall
        self._emit = emit
        self._counts: dict[tuple[int, str], int] = {}
        self._played: dict[int, int] = {}
        self._barred: dict[str, Barred] = {}
        self._by_point: dict[Point, list[tuple[int, Fault]]] = {}

    # --- the order -----------------------------------------------------------------------------------

    def order(self, plan: Plan) -> None:
        """Play this plan from now on, in place of any other; all counts begin anew."""
        self.plan = plan
        self.orders += 1
        self._counts.clear()
        self._played.clear()
        self._barred.clear()
        self._by_point = {}
        for number, fault in enumerate(plan.faults):
            self._by_point.setdefault(fault.at, []).append((number, fault))
        self.active = bool(plan.faults)

    def add(self, faults: Sequence[Fault]) -> None:
        """Order further faults; what was counted stays counted, and the new ones begin at their first moment."""
        start = len(self.plan.faults)
        self.plan = Plan((*self.plan.faults, *faults))
        for number, fault in enumerate(faults, start):
            self._by_point.setdefault(fault.at, []).append((number, fault))
        self.active = bool(self.plan.faults)

    def played(self) -> list[int]:
        """Return how often each fault of the plan was played, in the plan's order."""
        return [self._played.get(number, 0) for number in range(len(self.plan.faults))]

    # --- what the rest of the emulator sees through it -----------------------------------------------

    def now(self) -> float:
        """Unix time as the services have it."""
        return self._wall() + self.skew

    # --- FaultGate -----------------------------------------------------------------------------------

    def assigned(self, device_id: str) -> None:
        moved = self._barred.get(device_id.lower())
        if moved is not None and moved.fault.do == "hub-moved":
            del self._barred[device_id.lower()]

    def run(self, operation: Operation) -> None:
        if not self.active:
            operation.proceed()
            return
        barred = self._barred.get(operation.identity.lower()) if operation.point is Point.HUB_CONNECT else None
        if barred is not None and barred.token not in (b"", operation.token):
            del self._barred[operation.identity.lower()]
            barred = None
        if barred is not None and operation.answer is not None:
            self._tell(operation.identity, barred.fault, 0)
            operation.answer(barred.answer)
            return
        fault = self._due(operation.point, operation.identity, lambda fault: acts.possible(fault, operation))
        if fault is None:
            operation.proceed()
        else:
            acts.play(self, fault, operation)

    def handshake(self) -> Fault | None:
        """Count a TLS handshake that is about to begin; the fault it must meet, if any."""
        return self._due(Point.TLS, "", lambda _: True) if self.active else None

    # --- for the acts --------------------------------------------------------------------------------

    def bar(self, identity: str, fault: Fault, answer: Answer, token: bytes = b"") -> None:
        """Refuse the device's CONNECTs until it is assigned again (hub-moved), has another token than the one given,
        or the plan changes."""
        self._barred[identity.lower()] = Barred(fault, answer, token)
        if len(self._barred) > _MAX_COUNTERS:
            del self._barred[next(iter(self._barred))]

    @contextmanager
    def skewed(self, seconds: float) -> Iterator[None]:
        """Let the service's clock be wrong while something is carried out."""
        before, self.skew = self.skew, seconds
        try:
            yield
        finally:
            self.skew = before

    # --- inside --------------------------------------------------------------------------------------

    def _due(self, point: Point, identity: str, possible: Callable[[Fault], bool]) -> Fault | None:
        chosen: tuple[int, Fault, int] | None = None
        for number, fault in self._by_point.get(point, ()):
            if not fault.is_for(identity) or not possible(fault):
                continue
            occurrence = self._count(number, identity)
            if chosen is None and fault.due(occurrence):
                chosen = number, fault, occurrence
        if chosen is None:
            return None
        number, fault, occurrence = chosen
        self._played[number] = self._played.get(number, 0) + 1
        self._tell(identity, fault, occurrence)
        return fault

    def _count(self, number: int, identity: str) -> int:
        key = (number, identity.lower())
        self._counts[key] = count = self._counts.get(key, 0) + 1
        if len(self._counts) > _MAX_COUNTERS:
            del self._counts[next(iter(self._counts))]
        return count

    def _tell(self, identity: str, fault: Fault, occurrence: int) -> None:
        self._emit(FaultPlayed(identity, fault.at.value, fault.do, occurrence, fault.detail))
