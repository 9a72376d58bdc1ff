"""How much telemetry is enough, how long it is waited for, and at which intervals it came.

The window of the exercise and the checks ask the same questions here, so that nothing is judged for which was
not waited. In the smoke profile one message of each is enough, whatever was stated.
"""

from __future__ import annotations

import itertools
from collections import deque

from harness.checks.central import BURST, BURST_SECONDS
from harness.checks.evidence import Evidence, Reading
from harness.checks.messages import TORRENT
from harness.checks.sameness import same
from harness.expectations import ABSENT
from harness.record import events as ev

RATES, RATE_SECONDS = (BURST * BURST_SECONDS, TORRENT), float(BURST_SECONDS)
"""More messages than these in so many seconds are too many, for IoT Central and for a hub."""

SLACK = 0.1
"""Seconds by which the arrival of a message may differ from its sending without anybody's fault."""


def is_thorough(evidence: Evidence) -> bool:
    """Whether stated numbers and intervals are judged; the smoke profile has no time for them."""
    return evidence.profile != "smoke"


def count_of(evidence: Evidence, path: str) -> int:
    """How many messages with this telemetry are stated."""
    return evidence.expectations.telemetry(path).count if is_thorough(evidence) else 1


def needed(evidence: Evidence, path: str) -> int:
    """How many are waited for: the stated number, and two where their interval is to be measured."""
    interval = evidence.expectations.telemetry(path).interval
    return max(count_of(evidence, path), 2 if interval and is_thorough(evidence) else 1)


def is_as_expected(evidence: Evidence, path: str) -> bool:
    """Whether a message had the stated value, where one is stated."""
    expected = evidence.expectations.telemetry(path).expected
    return expected is ABSENT or any(same(r.value, expected) for r in evidence.telemetry.get(path, []))


def patience(evidence: Evidence, path: str, window: float) -> float:
    """Seconds to wait for this telemetry: as stated, else the window, or as long as its interval asks for."""
    stated = evidence.expectations.telemetry(path)
    if not is_thorough(evidence):
        return min(stated.timeout or window, window)
    if stated.timeout is not None:
        return stated.timeout
    longest = (stated.interval or 0) * (1 + stated.tolerance) * needed(evidence, path)
    return max(window, longest)


def gaps(evidence: Evidence, path: str) -> list[float]:
    """Seconds between messages while they were watched, and since the last; not across a lost connection."""
    ended = evidence.final(ev.ObservationEnded)
    readings = [r for r in evidence.telemetry.get(path, []) if ended is None or r.n < ended[0]]
    lost = [n for n, _ in evidence.of(ev.HubDisconnected)]
    found = [b.t - a.t for a, b in itertools.pairwise(readings) if not _between(a, b, lost)]
    if ended and readings and ended[1].reason == "window-elapsed" and not any(n > readings[-1].n for n in lost):
        silence = evidence.times(ev.ObservationEnded)[-1] - readings[-1].t
        if silence > highest(evidence, path):
            found.append(silence)
    return found


def _between(one: Reading, other: Reading, numbers: list[int]) -> bool:
    return any(one.n < n < other.n for n in numbers)


def lowest(evidence: Evidence, path: str) -> float:
    """The shortest gap that the stated interval allows, in seconds."""
    stated = evidence.expectations.telemetry(path)
    return max(0.0, (stated.interval or 0) * (1 - stated.tolerance) - SLACK)


def highest(evidence: Evidence, path: str) -> float:
    """The longest gap that the stated interval allows, in seconds."""
    stated = evidence.expectations.telemetry(path)
    return (stated.interval or 0) * (1 + stated.tolerance) + SLACK


def messages(evidence: Evidence) -> Messages:
    """Those of the record, counted."""
    counted = Messages(evidence)
    for entry in evidence.entries(ev.TelemetryReceived):
        counted.add(entry.n, evidence.moment(entry))
    return counted


class Messages:
    """Counts messages of any kind, as they come, against the number that is stated.

    `within`: in how many seconds (None: in the window). `most` is the largest number that came in that time, `settled`
    the entry with which the stated ones had come, None as long as they have not.
    """

    def __init__(self, evidence: Evidence) -> None:
        device = evidence.expectations.device
        stated = device.messages is not None and is_thorough(evidence)
        self.wanted = (device.messages or 0) if stated else 1
        self.within = device.within if stated else None
        self.most = 0
        self.settled: int | None = None
        self._moments: deque[float] = deque()

    def add(self, n: int, moment: float) -> None:
        """Take in the next message, of entry `n`."""
        self._moments.append(moment)
        while self.within is not None and moment - self._moments[0] > self.within + SLACK:
            self._moments.popleft()
        self.most = max(self.most, len(self._moments))
        if self.settled is None and self.most >= self.wanted:
            self.settled = n


class Rate:
    """How long a device that sends much has to be watched, so that it does not depend on all else how much that is."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._count = 0

    def add(self, moment: float) -> None:
        """Take in the next message."""
        self._first = moment if self._first is None else self._first
        self._count += 1

    @property
    def decided(self) -> float:
        """The moment from which on it is too many messages, or on average not."""
        if self._first is None:
            return 0.0
        waits = (
            min(RATE_SECONDS, (self._count - 1) * RATE_SECONDS / most) for most in RATES if 1 < self._count <= most
        )
        return self._first + max(waits, default=0.0)
