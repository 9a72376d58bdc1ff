"""The test messaging view: one row an exchange or message, with what was awaited, what came and how it was judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.evidence import Evidence, Reading
from harness.record import events as ev
from harness.record.events import Entry
from harness.report.html import words
from harness.report.html.choosing import HEAD, TAIL, Chosen, ends
from harness.report.html.exchanges import Exchange
from harness.report.html.payloads import compact
from harness.report.html.safe import clipped

UP, DOWN, RUN = "up", "down", "run"
DIRECTIONS = {UP: "device to cloud", DOWN: "cloud to device", RUN: "harness"}
_VALUE = 160
_AT_MOST = 6
"""Values of one message that are told; the raw data has all."""


@dataclass(slots=True)
class Row:
    """`ok` True: it came as awaited; False: it did not; None: nothing was awaited. `findings` are their numbers."""

    n: int
    t: float
    direction: str
    kind: str
    what: str
    awaited: str = ""
    came: str = ""
    judged: str = ""
    ok: bool | None = None
    elements: tuple[str, ...] = ()
    events: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    """Entries of this row that another row has the anchor of."""
    findings: tuple[int, ...] = ()
    trial: str = ""
    raw: tuple[int, ...] = ()


@dataclass(slots=True)
class Log:
    """What the rows are made from."""

    entries: Sequence[Entry]
    chosen: Chosen
    cited: dict[int, tuple[int, ...]]
    by_code: dict[tuple[str, str], int] = field(default_factory=dict)
    """The number of a finding by its element and its code: a finding cites only the first of its messages."""
    serious: set[int] = field(default_factory=set)
    """The numbers of errors and warnings."""
    trial_of: dict[int, str] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Give a row its events, its findings and its trial. Each entry has its anchor in one row."""
        own = tuple(n for n in row.events if n not in self.taken)
        row.also = tuple(n for n in row.events if n in self.taken)
        row.events = own
        self.taken.update(own)
        cited = {f for n in (*own, *row.also) for f in self.cited.get(n, ())}
        row.findings = tuple(sorted(cited | set(row.findings)))
        if row.ok and self.serious.intersection(row.findings):
            row.ok = None  # what a finding says of it stands beside it
        row.trial = self.trial_of.get(row.n, "")
        self.rows.append(row)


def rows(log: Log, exchanged: Iterable[Exchange], evidences: Sequence[Evidence]) -> list[Row]:
    """All rows of the chosen entries, in the order of the record."""
    for exchange in few(exchanged, log):
        log.add(_exchange(exchange))
    _telemetry(log, evidences)
    for entry in log.entries:
        if entry.n in log.chosen.numbers and entry.n not in log.taken:
            _single(log, entry)
    return sorted(log.rows, key=lambda row: row.n)


def few(exchanged: Iterable[Exchange], log: Log) -> list[Exchange]:
    """The exchanges shown; the entries of the others are no rows of their own."""
    by_path: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanged:
        by_path[exchange.path].append(exchange)
    shown = []
    for path, found in by_path.items():
        keep = ends(range(len(found)), HEAD, TAIL)
        kept = [e for i, e in enumerate(found) if i in keep or any(n in log.cited for n in e.events)]
        shown += kept
        for e in found:
            if e not in kept:
                log.chosen.numbers.difference_update(e.events)
        if len(kept) < len(found):
            log.chosen.sentences.append(f"Of {len(found):,} exchanges with {path}, {len(kept):,} are shown.")
    return sorted(shown, key=lambda e: e.events[0])


def _exchange(e: Exchange) -> Row:
    sent = clipped(compact(e.sent), _VALUE) if e.has_payload else "no payload"
    removed = e.kind == "property" and e.sent is None
    verb = ("removed" if removed else f"set to {sent}") if e.kind == "property" else f"invoked with {sent}"
    purpose = words.PURPOSES.get(e.purpose, e.purpose)
    row = Row(e.events[0], e.began, DOWN, e.kind, f"{e.path} {verb}" + (f" ({purpose})" if purpose else ""))
    row.elements, row.events = (e.path,), e.events
    row.awaited = words.awaited(e)
    row.came, row.judged, row.ok = words.came(e)
    return row


def _telemetry(log: Log, evidences: Sequence[Evidence]) -> None:
    readings: dict[int, list[tuple[str, Reading]]] = defaultdict(list)
    strays: dict[int, list[str]] = defaultdict(list)
    faults: dict[int, str] = {}
    bounds: dict[str, tuple[float | None, float | None]] = {}
    for evidence in evidences:
        for path, found in evidence.telemetry.items():
            stated = evidence.expectations.telemetry(path)
            bounds[path] = stated.minimum, stated.maximum
            for reading in found:
                if reading.n in log.chosen.numbers:
                    readings[reading.n].append((path, reading))
        for path, numbers in evidence.stray_telemetry.items():
            for n in log.chosen.numbers.intersection(numbers):
                strays[n].append(path)
        faults |= {m.n: m.problems[0].message for m in evidence.malformed if m.n in log.chosen.numbers}
    for n in sorted(log.chosen.numbers):
        entry = log.entries[n - 1] if 0 < n <= len(log.entries) else None
        if entry is not None and isinstance(entry.event, ev.TelemetryReceived) and n not in log.taken:
            log.add(_message(log, entry, entry.event, readings[n], strays[n], faults.get(n, ""), bounds))


def _message(
    log: Log,
    entry: Entry,
    event: ev.TelemetryReceived,
    readings: list[tuple[str, Reading]],
    strays: list[str],
    fault: str,
    bounds: dict[str, tuple[float | None, float | None]],
) -> Row:
    row = Row(entry.n, entry.t, UP, "telemetry", "telemetry", events=(entry.n,))
    row.elements = tuple(dict.fromkeys([*(p for p, _ in readings), *strays]))
    row.what = "telemetry" + (f" of component {event.component}" if event.component else "")
    row.awaited = "values that fit their schema"
    names = [f"{path.rpartition('.')[2]} {clipped(compact(r.value), _VALUE)}" for path, r in readings[:_AT_MOST]]
    more = f" and {len(readings) - _AT_MOST} more" if len(readings) > _AT_MOST else ""
    row.came = ", ".join(names) + more or ", ".join(strays[:_AT_MOST]) or "a message without declared telemetry"
    wrong = [(p, "telemetry-invalid", f"does not fit {_schema(r)}") for p, r in readings if r.problems]
    out = [p for p, r in readings if is_outside(r.value, *bounds[p])]
    wrong += [(p, "telemetry-out-of-range", "is out of the stated range") for p in out]
    wrong += [(p, "telemetry-undeclared", "is not declared") for p in strays]
    told = [f"{path} {words_}" for path, _, words_ in wrong[:_AT_MOST]] + ([fault] if fault else [])
    row.findings = tuple(log.by_code[p, code] for p, code, _ in wrong if (p, code) in log.by_code)
    row.judged = "; ".join(told) or ("fits" if readings else "nothing to judge")
    row.ok = not told if readings or told else None
    return row


def _schema(reading: Reading) -> str:
    expected = reading.problems[0].expected.partition(":")[0]
    return clipped(expected, 60) or "its schema"


def is_outside(value: Any, minimum: float | None, maximum: float | None) -> bool:
    """Whether a number is out of the stated range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (minimum is not None and value < minimum) or (maximum is not None and value > maximum)


def _single(log: Log, entry: Entry) -> None:
    told = words.single(entry.event)
    row = Row(entry.n, entry.t, told.direction, told.kind, told.what, told.awaited, told.came, told.judged, told.ok)
    row.elements, row.events = told.elements, (entry.n,)
    log.add(row)
