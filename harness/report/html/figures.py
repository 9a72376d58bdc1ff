"""The figures of the page: each telemetry, each property and command, each trial, with a summary in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness.checks.evidence import Evidence, Reading
from harness.dtdl import Capability
from harness.record import events as ev
from harness.record.events import Entry
from harness.report.html.exchanges import Exchange
from harness.report.html.payloads import compact
from harness.report.html.plots import plot
from harness.report.html.safe import Safe, clipped
from harness.report.html.series import gaps_of, numeric
from harness.report.html.strips import Lane, Mark, padded, strip
from harness.report.html.words import PURPOSES, came, duration, fault_words

AT_MOST = 80
"""Figures of one section; the elements after them have their words alone."""
_STEPS = 8
_LANES = 5
_ABBREVIATED = {"dps", "ca", "id", "tls"}
_APART = 0.005
"""Seconds; events closer together are shown on the time axis of all."""


@dataclass(slots=True)
class Figure:
    """`key` says what the marks in it mean; `steps` are exchanges in words, each with its entry."""

    path: str
    kind: str
    chart: Markup | None
    summary: str
    key: list[str] = field(default_factory=list)
    steps: list[tuple[int, str]] = field(default_factory=list)
    note: str = ""
    findings: tuple[int, ...] = ()


def telemetry(evidence: Evidence, span: tuple[float, float], safe: Safe) -> list[Figure]:
    """One for each declared telemetry, in the order of the model."""
    figures: list[Figure] = []
    for capability in evidence.capabilities:
        if capability.kind == "telemetry":
            figures.append(_telemetry(evidence, capability, span, f"t{len(figures)}", len(figures) < AT_MOST, safe))
    return figures


def _telemetry(
    evidence: Evidence, capability: Capability, span: tuple[float, float], ident: str, drawn: bool, safe: Safe
) -> Figure:
    path = capability.path
    readings = evidence.telemetry.get(path, [])
    figure = Figure(path, "telemetry", None, "Not seen.")
    if not readings:
        return figure
    wrong = sum(bool(r.problems) for r in readings)
    series = numeric(evidence, path)
    if series is None:
        return _events(figure, evidence, readings, span, ident, drawn, safe)
    first = f"{_times(series.total, 'message')}, {_when(readings)}."
    values = (
        f" Values {series.low:.6g} to {series.high:.6g}, mean {series.mean:.6g}."
        if series.total > 1
        else (f" Value {series.low:.6g}.")
    )
    figure.summary = first + values
    if series.minimum is not None or series.maximum is not None:
        figure.summary += f" Stated range {_range(series.minimum, series.maximum)}."
        figure.key.append("dashed: stated range")
    if wrong or series.wrong:
        figure.summary += f" {_times(max(wrong, len(series.wrong)), 'value')} wrong or out of range."
        figure.key.append("ringed: wrong or out of range")
    if series.gaps:
        figure.summary += f" {_times(len(series.gaps), 'gap')} {series.gap_rule}."
        figure.key.append("dotted: gap")
    if series.odd:
        figure.key.append("square at the bottom: no number")
    if series.sampled:
        figure.note = "Drawn as the lowest and highest value of each moment."
    figure.chart = plot(series, span, ident, f"{path} over time", figure.summary, safe) if drawn else None
    return figure


def _events(
    figure: Figure,
    evidence: Evidence,
    readings: list[Reading],
    span: tuple[float, float],
    ident: str,
    drawn: bool,
    safe: Safe,
) -> Figure:
    """A telemetry without numbers: a lane for each of a few values, else one for all."""
    lanes: dict[str, list[Mark]] = defaultdict(list)
    scalar = all(not isinstance(r.value, (Mapping, list)) for r in readings)
    different = {compact(r.value) for r in readings[:2000]} if scalar else set()
    apart = 0 < len(different) <= _LANES and len(readings) <= 2000
    for r in readings:
        lane = compact(r.value).strip('"') if apart else "received"
        lanes[lane].append(Mark(r.t, "wrong" if r.problems else "came"))
    gaps, rule = gaps_of(evidence, figure.path, readings)
    if gaps:
        lanes["gap"] = [Mark(a, "gap", b) for a, b in gaps]
    wrong = sum(bool(r.problems) for r in readings)
    last = clipped(compact(readings[-1].value), 120)
    figure.summary = f"{_times(len(readings), 'message')}, {_when(readings)}. Last value {last}."
    if wrong:
        figure.summary += f" {_times(wrong, 'value')} did not fit the schema."
        figure.key.append("cross: does not fit the schema")
    if gaps:
        figure.summary += f" {_times(len(gaps), 'gap')} {rule}."
    rows = [Lane(label, marks) for label, marks in lanes.items()]
    if drawn:
        figure.chart = strip(rows, span, ident, f"{figure.path} over time", figure.summary, safe)
    return figure


def asked(evidence: Evidence, exchanged: Iterable[Exchange], safe: Safe) -> list[Figure]:
    """A timeline for each property and command: set and acknowledged, invoked and answered, reported."""
    by_path: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanged:
        by_path[exchange.path].append(exchange)
    declared = [c for c in evidence.capabilities if c.kind != "telemetry"]
    times = [t for found in by_path.values() for e in found for t in (e.began, e.ended) if t is not None]
    times += [r.t for c in declared for r in evidence.reports.get(c.path, [])]
    whole = padded(times)
    figures: list[Figure] = []
    kinds = {c.path: ("writable property" if c.writable else c.kind) for c in declared}
    unknown = {path: f"{found[0].kind}, not of the model" for path, found in by_path.items() if path not in kinds}
    for path, kind in {**kinds, **unknown}.items():
        ident, drawn = f"x{len(figures)}", len(figures) < AT_MOST
        figures.append(_asked(evidence, path, kind, by_path.get(path, []), whole, ident if drawn else "", safe))
    return figures


def _asked(
    evidence: Evidence,
    path: str,
    kind: str,
    found: list[Exchange],
    whole: tuple[float, float],
    ident: str,
    safe: Safe,
) -> Figure:
    reports = evidence.reports.get(path, [])
    is_command = kind.startswith("command")
    lanes: list[Lane] = []
    if found:
        lanes.append(Lane("invoked" if is_command else "set", [Mark(e.began, "sent") for e in found]))
        answers = [Mark(e.ended, _shape(e)) for e in found if e.ended is not None]
        lanes.append(Lane("answered" if is_command else "acknowledged", answers))
        silent = [Mark(e.began, "wrong") for e in found if came(e)[2] is False and e.ended is None]
        lanes += [Lane("no answer", silent)] if silent else []
    answered = {n for e in found for n in e.events}
    rest = [r for r in reports if r.n not in answered]
    if rest:
        lanes.append(Lane("reported", [Mark(r.t, "came" if r.status < 300 else "wrong") for r in rest]))
    figure = Figure(path, kind, None, _asked_words(found, rest, is_command))
    figure.steps = [(e.events[0], _step(e)) for e in found[:_STEPS]]
    if len(found) > _STEPS:
        figure.note = f"{len(found) - _STEPS} more in the log."
    if any(mark.shape == "wrong" for lane in lanes for mark in lane.marks):
        figure.key.append("cross: not as awaited, or no answer")
    if lanes and ident:
        times = [mark.t for lane in lanes for mark in lane.marks]
        span = padded(times, 0.002) if max(times) - min(times) > _APART else whole
        figure.chart = strip(lanes, span, ident, f"{path} over time", figure.summary, safe)
    return figure


def _shape(e: Exchange) -> str:
    return "wrong" if came(e)[2] is False else "came"


def _asked_words(found: Sequence[Exchange], rest: Sequence[Any], is_command: bool) -> str:
    parts = []
    if found:
        answered = [e.ended - e.began for e in found if e.ended is not None]
        verbs = ("invoked", "answered") if is_command else ("set", "answered")
        fastest = f" in {duration(min(answered))} to {duration(max(answered))}" if answered else ""
        parts.append(f"{verbs[0].capitalize()} {len(found)}×, {verbs[1]} {len(answered)}×{fastest}.")
    if rest:
        last = clipped(compact(rest[-1].value), 120)
        parts.append(f"Reported {len(rest)}×, last at {rest[-1].t:.2f} s: {last}.")
    return " ".join(parts) or "Nothing was seen of it."


def _step(e: Exchange) -> str:
    sent = f" {clipped(compact(e.sent), 60)}" if e.has_payload and e.sent is not None else ""
    verb = "invoked" if e.kind == "command" else "removed" if e.sent is None else "set"
    purpose = PURPOSES.get(e.purpose, e.purpose)
    said, judged, _ = came(e)
    return f"{e.began:.3f} s {verb}{sent}{f' ({purpose})' if purpose else ''} → {clipped(said, 110)}: {judged}"


@dataclass(frozen=True, slots=True)
class Trial:
    """One resilience trial, with the figure of what happened in it. `faults` are those ordered, else those played."""

    name: str
    faults: tuple[str, ...]
    began: int
    saw: str
    seconds: float | None
    figure: Figure

    @property
    def title(self) -> str:
        """`dps-cut` as `DPS cut`."""
        words = [w.upper() if w in _ABBREVIATED else w for w in self.name.split("-")]
        return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def trials(entries: Sequence[Entry], safe: Safe) -> list[Trial]:
    """All trials of the record, in order; one that was cut short has no end."""
    found: list[Trial] = []
    inside: list[Entry] = []
    began: Entry | None = None
    for entry in entries:
        if isinstance(entry.event, ev.TrialBegan):
            began, inside = entry, []
        elif began is not None:
            inside.append(entry)
            if isinstance(entry.event, ev.TrialEnded):
                found.append(_trial(began, inside, len(found), safe))
                began = None
    if began is not None:
        found.append(_trial(began, inside, len(found), safe))
    return found


_TRIAL_LANES: tuple[tuple[str, tuple[type[ev.Event], ...]], ...] = (
    ("fault", (ev.FaultPlayed,)),
    ("DPS", (ev.ProvisioningConnected, ev.RegistrationRequested, ev.RegistrationPolled, ev.RegistrationAnswered)),
    ("hub connection", (ev.HandshakeFailed, ev.HubConnected, ev.HubDisconnected)),
    ("telemetry", (ev.TelemetryReceived,)),
    ("properties", (ev.ReportedPatched, ev.DesiredChanged, ev.TwinRequested)),
    ("commands", (ev.MethodRequested, ev.MethodAnswered)),
)
_SENT = (ev.FaultPlayed, ev.DesiredChanged, ev.MethodRequested)


def _trial(began: Entry, inside: Sequence[Entry], position: int, safe: Safe) -> Trial:
    assert isinstance(began.event, ev.TrialBegan)
    last = inside[-1] if inside else began
    ended = last.event if isinstance(last.event, ev.TrialEnded) else None
    lanes = []
    told = []
    for label, classes in _TRIAL_LANES:
        seen = [e for e in inside if isinstance(e.event, classes)]
        if seen:
            lanes.append(Lane(label, [Mark(e.t, _mark_of(e.event)) for e in seen]))
            told.append(f"{label} {len(seen)}×")
    saw = ended.saw if ended else "the record ends in the middle of it"
    summary = f"Seen: {', '.join(told) or 'nothing'}. It ended with: {saw}."
    span = padded([began.t, last.t], 0.05)
    title = f"trial {began.event.trial} over time"
    chart = strip(lanes, span, f"r{position}", title, summary, safe) if lanes else None
    figure = Figure(began.event.trial, "trial", chart, summary)
    ordered = [fault_words(fault) for fault in began.event.faults]
    played = [f"at {e.event.at} do {e.event.do}" for e in inside if isinstance(e.event, ev.FaultPlayed)]
    faults = tuple(ordered or dict.fromkeys(played))[:_STEPS]
    return Trial(began.event.trial, faults, began.n, saw, ended.seconds if ended else None, figure)


def _mark_of(event: ev.Event) -> str:
    code = getattr(event, "return_code", 0) or (getattr(event, "status", 0) or 0) >= 400
    gone = isinstance(event, ev.HandshakeFailed) or (isinstance(event, ev.HubDisconnected) and event.by != "device")
    return "wrong" if code or gone else "sent" if isinstance(event, _SENT) else "came"


def _times(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _when(readings: Sequence[Reading]) -> str:
    if len(readings) == 1:
        return f"at {readings[0].t:.2f} s"
    return f"{readings[0].t:.2f} s to {readings[-1].t:.2f} s"


def _range(minimum: float | None, maximum: float | None) -> str:
    if minimum is None or maximum is None:
        return f"up to {maximum:g}" if minimum is None else f"from {minimum:g}"
    return f"{minimum:g} to {maximum:g}"
