"""Readings made ready for a plot: numbers, downsampled, with the gaps between them."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks import pace
from harness.checks.evidence import Evidence, Reading
from harness.record import events as ev
from harness.report.html.rows import is_outside

BUCKETS = 160
"""Of a downsampled plot; each gives its lowest and its highest value."""
_MOST_MARKED = 60
_USUAL, _LONGER = 6, 3.0
_HUGE = 1e300

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """`points` in order of time; `wrong` those that do not fit or are out of range; `gaps` the pairs of points between
    which nothing came for too long. `odd` are when values came that are no numbers.
    """

    points: list[Point]
    wrong: list[Point]
    gaps: list[tuple[Point, Point]]
    odd: list[float]
    minimum: float | None
    maximum: float | None
    gap_rule: str
    total: int
    low: float
    mean: float
    high: float
    sampled: bool


def number(value: object) -> float | None:
    """The value as a float that can be drawn; None for what is no number, and for what no plot holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not -_HUGE < value < _HUGE:
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def numeric(evidence: Evidence, path: str) -> Series | None:
    """The series of a telemetry with numbers; None where it has none."""
    readings = evidence.telemetry.get(path, [])
    pairs = [(r, number(r.value)) for r in readings]
    points = [(r.t, v) for r, v in pairs if v is not None]
    if not points:
        return None
    stated = evidence.expectations.telemetry(path)
    low, high = stated.minimum, stated.maximum
    wrong = [(r.t, v) for r, v in pairs if v is not None and (r.problems or is_outside(v, low, high))]
    values = [v for _, v in points]
    gaps, rule = gaps_of(evidence, path, [r for r, v in pairs if v is not None])
    at = {r.t: v for r, v in pairs if v is not None}
    return Series(
        downsampled(points),
        _spread(wrong),
        [((a, at[a]), (b, at[b])) for a, b in gaps],
        [r.t for r, v in pairs if v is None][:_MOST_MARKED],
        low,
        high,
        rule,
        len(readings),
        min(values),
        math.fsum(v / len(values) for v in values),
        max(values),
        len(points) > 2 * BUCKETS,
    )


def gaps_of(evidence: Evidence, path: str, readings: Sequence[Reading]) -> tuple[list[tuple[float, float]], str]:
    """Pairs of times between which nothing came for too long, and by which rule."""
    pairs = [(a, b) for a, b in itertools.pairwise(readings) if b.t > a.t]
    lost = [n for n, _ in evidence.of(ev.HubDisconnected)]
    away = {a.n for a, b in pairs if bisect.bisect(lost, b.n) > bisect.bisect(lost, a.n)} if lost else set()
    stated = evidence.expectations.telemetry(path)
    if stated.interval is not None:
        longest = pace.highest(evidence, path)
        rule = f"longer than {longest:g} s, by the stated interval of {stated.interval:g} s"
    elif len(pairs) >= _USUAL:
        usual = sorted(b.t - a.t for a, b in pairs)[len(pairs) // 2]
        longest = max(_LONGER * usual, 1.0)
        rule = f"longer than {longest:.3g} s, three times the usual"
    else:
        longest, rule = math.inf, "while the device was not connected"
    found = [(a.t, b.t) for a, b in pairs if b.t - a.t > longest or a.n in away]
    return sorted(found, key=lambda g: g[0] - g[1])[:_MOST_MARKED], rule


def downsampled(points: list[Point]) -> list[Point]:
    """At most two points a bucket of time: what is lowest and what is highest in it, in the order they came."""
    if len(points) <= 2 * BUCKETS:
        return points
    first, width = points[0][0], (points[-1][0] - points[0][0]) / BUCKETS or 1.0
    buckets: dict[int, tuple[Point, Point]] = {}
    for point in points:
        key = min(BUCKETS - 1, int((point[0] - first) / width))
        low, high = buckets.get(key, (point, point))
        buckets[key] = (point if point[1] < low[1] else low, point if point[1] > high[1] else high)
    return [p for key in sorted(buckets) for p in sorted(dict.fromkeys(buckets[key]))]


def _spread(points: list[Point]) -> list[Point]:
    """Some of them, from the first to the last."""
    step = max(1, len(points) // _MOST_MARKED)
    return points[::step][:_MOST_MARKED]
