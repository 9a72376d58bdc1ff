"""A numeric telemetry over time, drawn by pygal, as SVG that stands in the page and takes its colours from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pygal
from markupsafe import Markup
from pygal.etree import etree

from harness.report.html.safe import Safe, svg_markup
from harness.report.html.series import Point, Series

WIDTH, HEIGHT = 440, 168
_DOTS = 60
"""Points up to which each is drawn as a dot."""
_KEPT = {"viewBox", "class", "id"}
_SVG = "{http://www.w3.org/2000/svg}"


def plot(series: Series, span: tuple[float, float], ident: str, title: str, summary: str, safe: Safe) -> Markup:
    """The plot. `span` is the time axis in seconds; `ident` makes the ids of title and description unique."""
    chart = pygal.XY(
        width=WIDTH,
        height=HEIGHT,
        css=(),
        js=(),
        show_legend=False,
        disable_xml_declaration=True,
        no_prefix=True,
        margin=4,
        margin_right=14,
        spacing=6,
        dots_size=2,
        print_values=False,
        show_y_guides=True,
        show_x_guides=False,
        truncate_label=-1,
        value_formatter=_figure,
        x_value_formatter=lambda t: f"{t:g} s",
    )
    low, high = _bounds(series)
    chart.range, chart.xrange = (low, high), span
    chart.y_labels, chart.x_labels = ticks(low, high, 4), ticks(*span, 5)
    names = []
    for name, points, options in _lines(series, span, low):
        names.append(name)
        chart.add("", points, **options)
    chart.add_xml_filter(lambda root: _tidied(root, names, ident, safe.svg(title), safe.svg(summary, 600)))
    return svg_markup(str(chart.render(is_unicode=True)))


def _lines(
    series: Series, span: tuple[float, float], low: float
) -> list[tuple[str, Sequence[Point | None], dict[str, Any]]]:
    """Name, points and options of everything in the plot, in the order it is drawn."""
    found: list[tuple[str, Sequence[Any], dict[str, Any]]] = []
    for bound in (series.minimum, series.maximum):
        if bound is not None:
            found.append(("bound", [(span[0], bound), (span[1], bound)], {"show_dots": False}))
    for gap in series.gaps:
        found.append(("gap", list(gap), {"show_dots": False}))
    dots = len(series.points) <= _DOTS
    gaps = dict(series.gaps)
    line: list[Any] = []
    for point in series.points:
        line.append(point)
        if point in gaps:
            line.append((point[0], None))
    found.append(("values", line, {"show_dots": dots, "allow_interruptions": True}))
    if series.wrong:
        found.append(("wrong", series.wrong, {"stroke": False, "dots_size": 4}))
    if series.odd:
        found.append(("odd", [(t, low) for t in series.odd], {"stroke": False, "dots_size": 4}))
    return found


def _tidied(root: Any, names: Sequence[str], ident: str, title: str, summary: str) -> Any:
    """Without pygal's style, script, comments and tooltips; with names for style sheet and screen reader."""
    for parent in list(root.iter()):
        for child in list(parent):
            tag = child.tag if isinstance(child.tag, str) else ""
            unwanted = tag.replace(_SVG, "") in ("", "script", "style", "desc", "title", "defs")
            if unwanted or child.get("class") == "tooltip":
                parent.remove(child)
    for node in root.iter():
        node.attrib.pop("style", None)
        kind = str(node.get("class", ""))
        if kind.startswith("series serie-"):
            node.set("class", f"series {names[int(kind.split()[1][6:])]}")
    for attribute in [a for a in root.attrib if a not in _KEPT]:
        del root.attrib[attribute]
    root.set("class", "plot")
    root.set("id", ident)
    label_chart(root, ident, title, summary, etree)
    return root


def label_chart(root: Any, ident: str, title: str, summary: str, tree: Any) -> None:
    """Make an SVG an image with a title and a description."""
    root.set("role", "img")
    root.set("aria-labelledby", f"{ident}-t {ident}-d")
    for position, (tag, text) in enumerate((("title", title), ("desc", summary))):
        node = tree.Element(tag, {"id": f"{ident}-{tag[0]}"})
        node.text = text
        root.insert(position, node)


def _bounds(series: Series) -> tuple[float, float]:
    """The value axis: all values, the range where it is near, and some room."""
    low, high = series.low, series.high
    reach = max(high - low, abs(high) * 0.02, abs(low) * 0.02, 1e-9)
    for bound in (series.minimum, series.maximum):
        if bound is not None and low - 20 * reach < bound < high + 20 * reach:
            low, high = min(low, bound), max(high, bound)
    room = max((high - low) * 0.08, reach * 0.08)
    return low - room, high + room


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from `low` to `high`, some `about` of them; the ends themselves where floats leave no room."""
    step = (high - low) / about
    if not step > 0 or not math.isfinite(step):
        return [low]
    unit = 10.0 ** math.floor(math.log10(step)) if step > 1e-300 else step
    step = next((unit * factor for factor in (1, 2, 5) if unit * factor >= step * 0.75), unit * 10)
    found = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)][: 4 * about]
    return sorted({float(f"{tick:.12g}") for tick in found if low <= tick <= high}) or [low, high]


def _figure(value: float) -> str:
    return f"{value:.6g}"
