"""Events over time as lanes of marks, for what is no curve: texts, properties, commands, trials.

pygal has no such chart; it is a few lines of SVG, labelled and coloured as the plots are. Shape tells the marks apart,
so that colour is not needed: a triangle is what was sent to the device, a disc what came from it, a cross what was
wrong.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.html.plots import WIDTH, label_chart, ticks
from harness.report.html.safe import Safe, svg_markup

_LEFT, _RIGHT, _LANE, _TOP = 98, 14, 20, 6
_SLOTS = 200
"""Marks of one lane that can be told apart; of those that fall together the wrong one is drawn."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`shape` is sent, came or wrong; with `until` a bar from `t` to there is drawn as well."""

    t: float
    shape: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    label: str
    marks: Sequence[Mark]


def strip(lanes: Sequence[Lane], span: tuple[float, float], ident: str, title: str, summary: str, safe: Safe) -> Markup:
    """The lanes over a time axis of `span` seconds."""
    height = _TOP + _LANE * len(lanes) + 20
    root = ET.Element("svg", {"viewBox": f"0 0 {WIDTH} {height}", "class": "strip", "id": ident})
    label_chart(root, ident, safe.svg(title), safe.svg(summary, 600), ET)
    _axis(root, span, height)
    for position, lane in enumerate(lanes):
        y = _TOP + _LANE * position + _LANE // 2
        label = ET.SubElement(root, "text", {"x": str(_LEFT - 8), "y": str(y + 4), "class": "lane"})
        label.text = safe.svg(lane.label, 16)
        ET.SubElement(root, "path", {"d": f"M{_LEFT} {y}H{WIDTH - _RIGHT}", "class": "base"})
        for mark in _told_apart(lane.marks, span):
            _draw(root, mark, y, span)
    return svg_markup(ET.tostring(root, encoding="unicode"))


def padded(times: Sequence[float], floor: float = 0.01) -> tuple[float, float]:
    """A time axis on which all these times are seen."""
    low, high = min(times, default=0.0), max(times, default=1.0)
    room = max((high - low) * 0.04, floor)
    return max(0.0, low - room), high + room


def _told_apart(marks: Sequence[Mark], span: tuple[float, float]) -> list[Mark]:
    if len(marks) <= _SLOTS:
        return list(marks)
    width = (span[1] - span[0]) / _SLOTS or 1.0
    kept: dict[int, Mark] = {}
    for mark in marks:
        slot = int((mark.t - span[0]) / width)
        if slot not in kept or mark.shape == "wrong":
            kept[slot] = mark
    return list(kept.values())


def _x(t: float, span: tuple[float, float]) -> float:
    share = (t - span[0]) / ((span[1] - span[0]) or 1.0)
    return round(_LEFT + min(1.0, max(0.0, share)) * (WIDTH - _RIGHT - _LEFT), 1)


def _draw(root: ET.Element, mark: Mark, y: int, span: tuple[float, float]) -> None:
    x = _x(mark.t, span)
    if mark.until is not None:
        end = max(_x(mark.until, span), x + 1)
        ET.SubElement(root, "path", {"d": f"M{x:g} {y}H{end:g}", "class": f"bar {mark.shape}"})
        return
    paths = {
        "sent": f"M{x - 4:g} {y - 4}H{x + 4:g}L{x:g} {y + 4}Z",
        "wrong": f"M{x - 4:g} {y - 4}L{x + 4:g} {y + 4}M{x + 4:g} {y - 4}L{x - 4:g} {y + 4}",
    }
    if mark.shape in paths:
        ET.SubElement(root, "path", {"d": paths[mark.shape], "class": mark.shape})
    else:
        ET.SubElement(root, "circle", {"cx": f"{x:g}", "cy": str(y), "r": "3.2", "class": mark.shape})


def _axis(root: ET.Element, span: tuple[float, float], height: int) -> None:
    for tick in ticks(*span, 4):
        x = _x(tick, span)
        ET.SubElement(root, "path", {"d": f"M{x:g} {_TOP}V{height - 18}", "class": "guide"})
        ET.SubElement(root, "text", {"x": f"{x:g}", "y": str(height - 5), "class": "tick"}).text = f"{tick:g} s"
