"""How fast devices may go: polls of one device, requests after a 429, registrations of the whole instance.

Polling is limited to 5 in 10 s for one device (quotas, "Rate limits"), and a device is to heed `retry-after`.
Breaking that is recorded and not punished, as far as is known; the limit of registrations answers 429.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from harness.emulator.options import EmulatorOptions

WINDOW = 10.0
POLLS = 5
_TOLERANCE = 0.5
"""Seconds a request may come early: devices count in whole ticks of their own clock."""
_MAX_DEVICES = 100_000
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Haste:
    """A rule about time that a device broke."""

    rule: str
    detail: str


@dataclass(slots=True)
class _Pace:
    polls: deque[float] = field(default_factory=lambda: deque(maxlen=POLLS + 1))
    answered: float = 0.0
    retry_after: int | None = None
    throttled: bool = False


class Pacing:
    """Judges when requests come. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._paces: OrderedDict[str, _Pace] = OrderedDict()

    def registered(self, registration_id: str, now: float) -> Haste | None:
        """A register request came: it begins anew, but must not come before what a 429 told."""
        pace = self._pace(registration_id)
        early = self._early(pace, now) if pace.throttled else None
        pace.polls.clear()
        pace.retry_after, pace.throttled = None, False
        return Haste("dps-register-too-early", early) if early else None

    def polled(self, registration_id: str, now: float) -> Haste | None:
        """A poll came. The first after a register is free: Microsoft's Python SDK waits 2 s whatever it is told."""
        pace = self._pace(registration_id)
        first = not pace.polls and not pace.throttled
        pace.polls.append(now)
        if first:
            return None
        early = self._early(pace, now)
        if early:
            return Haste("dps-poll-too-early", early)
        # Who waits as long as it was told keeps within what the service wants, whatever that adds up to.
        if pace.retry_after is None and len(pace.polls) > POLLS and now - pace.polls[0] < WINDOW:
            return Haste(
                "dps-poll-rate", f"{POLLS + 1} polls within {now - pace.polls[0]:.1f} s; {POLLS} in 10 s are allowed"
            )
        return None

    def answered(self, registration_id: str, status: int, retry_after: int | None, now: float) -> None:
        """The service answered a register or poll."""
        pace = self._pace(registration_id)
        pace.answered, pace.retry_after, pace.throttled = now, retry_after, status >= 429

    def clear(self) -> None:
        self._paces.clear()

    def _early(self, pace: _Pace, now: float) -> str | None:
        if pace.retry_after is None:
            return None
        waited = now - pace.answered
        if waited + _TOLERANCE >= pace.retry_after:
            return None
        return f"{waited:.1f} s after an answer with retry-after={pace.retry_after}"

    def _pace(self, registration_id: str) -> _Pace:
        key = registration_id.lower()
        pace = self._paces.setdefault(key, _Pace())
        self._paces.move_to_end(key)
        if len(self._paces) > _MAX_DEVICES:
            self._paces.popitem(last=False)
        return pace


class Throttle:
    """Lets so many registrations pass in a minute (`EmulatorOptions.dps_registrations_per_minute`)."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._limit = options.dps_registrations_per_minute
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        """Whether one more may pass; if so it is counted."""
        if self._limit is None:
            return True
        while self._passed and now - self._passed[0] >= _MINUTE:
            self._passed.popleft()
        if len(self._passed) >= self._limit:
            return False
        self._passed.append(now)
        return True

    def clear(self) -> None:
        self._passed.clear()
