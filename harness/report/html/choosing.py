"""Which entries of a long record are shown: the first and the last of each element, and whatever a finding cites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.record.events import Entry

HEAD, TAIL = 25, 15
"""Messages of one element, and exchanges of one element, from the beginning and the end of the run."""
OTHERS_HEAD, OTHERS_TAIL = 80, 40
"""Entries of one kind that belong to no element."""
ELEMENTS = 150
"""Elements of which so many are shown; of further ones, only a few."""
_FEW = 2


@dataclass(slots=True)
class Chosen:
    """`numbers` of the entries shown; `sentences` about those left out."""

    numbers: set[int] = field(default_factory=set)
    sentences: list[str] = field(default_factory=list)


def choose(entries: Sequence[Entry], evidences: Iterable[Evidence], cited: set[int]) -> Chosen:
    """The choice over a whole record."""
    chosen = Chosen(set(cited))
    telemetry: dict[str, list[int]] = defaultdict(list)
    for evidence in evidences:
        for path, readings in evidence.telemetry.items():
            telemetry[path] += [r.n for r in readings]
            chosen.numbers |= ends([r.n for r in readings if r.problems], 10, 5)
        for strays in (evidence.stray_telemetry, evidence.nested):
            for path, numbers in strays.items():
                telemetry[path] += numbers
        telemetry["(unreadable)"] += [m.n for m in evidence.malformed]
    for position, numbers in enumerate(telemetry.values()):
        few = position >= ELEMENTS
        chosen.numbers |= ends(sorted(set(numbers)), _FEW if few else HEAD, 0 if few else TAIL)
    _tell(chosen, telemetry)
    known = {n for numbers in telemetry.values() for n in numbers}
    others: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        if entry.n not in known:
            others[entry.event.kind].append(entry.n)
    for kind, numbers in others.items():
        chosen.numbers |= ends(numbers, OTHERS_HEAD, OTHERS_TAIL)
        if kind == ev.TelemetryReceived.kind:
            _say(chosen, "other messages", numbers)
        elif kind not in _ASKED:
            _say(chosen, f"entries “{kind.replace('_', ' ')}”", numbers)
    return chosen


_ASKED = {e.kind for e in (ev.PropertyWritten, ev.CommandSent, ev.CommandReturned, ev.DesiredChanged)} | {
    e.kind for e in (ev.MethodRequested, ev.MethodAnswered, ev.ReportedPatched)
}
"""Parts of exchanges, which are counted as exchanges."""


def ends(numbers: Sequence[int], head: int, tail: int) -> set[int]:
    """The first and the last of them."""
    if len(numbers) <= head + tail:
        return set(numbers)
    return {*numbers[:head], *(numbers[-tail:] if tail else ())}


def _tell(chosen: Chosen, telemetry: dict[str, list[int]]) -> None:
    left_out = []
    for path, numbers in telemetry.items():
        different = set(numbers)
        shown = len(different & chosen.numbers)
        if shown < len(different):
            left_out.append(f"{path} {shown:,} of {len(different):,}")
    if left_out:
        more = f" and {len(left_out) - 30} more elements" if len(left_out) > 30 else ""
        chosen.sentences.append(f"Messages shown: {', '.join(left_out[:30])}{more}.")


def _say(chosen: Chosen, what: str, numbers: Sequence[int]) -> None:
    shown = sum(n in chosen.numbers for n in numbers)
    if shown < len(numbers):
        chosen.sentences.append(f"Of {len(numbers):,} {what}, {shown:,} are shown.")
