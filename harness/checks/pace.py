"""How much telemetry is enough, how long it is waited for, and at which intervals it came.

The window of the exercise and the checks ask the same questions here, so that nothing is judged for which was
not waited. In the smoke profile one message of each is enough, whatever was stated.
"""

from __future__ import annotations

import itertools

from harness.checks.evidence import Evidence, Reading
from harness.checks.sameness import same
from harness.expectations import ABSENT
from harness.record import events as ev

SLACK = 0.1
"""Seconds by which the arrival of a message may differ from its sending without anybody's fault."""


def is_thorough(evidence: Evidence) -> bool:
    """Whether stated numbers and intervals are judged; the smoke profile has no time for them."""
    started = evidence.first(ev.RunStarted)
    return started is None or started[1].settings.get("profile") != "smoke"


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


def stated_messages(evidence: Evidence) -> tuple[int, float | None]:
    """How many messages of any kind are stated, and in how many seconds (None: in the window)."""
    device = evidence.expectations.device
    if device.messages is None or not is_thorough(evidence):
        return 1, None
    return device.messages, device.within


def settled(evidence: Evidence) -> int | None:
    """The entry with which the stated messages had come; None as long as they have not."""
    wanted, within = stated_messages(evidence)
    arrivals = evidence.times(ev.TelemetryReceived)
    for last in range(wanted - 1, len(arrivals)):
        if within is None or arrivals[last] - arrivals[last - wanted + 1] <= within + SLACK:
            return evidence.of(ev.TelemetryReceived)[last][0]
    return None


def most_messages(evidence: Evidence) -> int:
    """The largest number of messages that came in the stated time."""
    _, within = stated_messages(evidence)
    arrivals = evidence.times(ev.TelemetryReceived)
    if within is None:
        return len(arrivals)
    most = first = 0
    for last, arrival in enumerate(arrivals):
        while arrival - arrivals[first] > within + SLACK:
            first += 1
        most = max(most, last - first + 1)
    return most
