"""report.html in a real browser: at a desk, on a phone, on paper, in the dark, with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.report.html.page import page
from tests.report import stories
from tests.report.browser import Browser, Tab, browser, executable
from tests.report.stories import replayed, summary_of

pytestmark = pytest.mark.skipif(executable() is None, reason="no chromium is installed here (apt-get install chromium)")
TALES: dict[str, Callable[[], stories.Tale]] = {"good": stories.good, "bad": stories.bad, "blocked": stories.blocked}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOWN = "[...document.querySelectorAll('.log tbody tr')].filter(r => !r.hidden).length"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = executable()
    assert path is not None
    with browser(path) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for name, tale in TALES.items():
        folder = tmp_path_factory.mktemp(name)
        run = replayed(tale(), folder)
        found[name] = folder / "report.html"
        found[name].write_text(page(run, summary_of(run)), encoding="utf-8")
    return found


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", TALES)
def test_nothing_complains_and_nothing_overflows(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    async def steps(tab: Tab) -> tuple[list[str], int, str]:
        await tab.open(pages[name], width, 800, dark=width == 360)
        return tab.complaints, await tab.value(OVERFLOW), await tab.value("document.title")

    complaints, overflow, title = chromium.look(steps)
    assert complaints == []
    assert overflow <= 0
    assert title.startswith("Pre-flight ")


def test_the_filter_filters_both_views_and_can_be_undone(chromium: Browser, pages: dict[str, Path]) -> None:
    async def choose(tab: Tab, field: str, label: str) -> None:
        await tab.value(
            f"(() => {{ const s = document.querySelector('select[name={field}]');"
            f"s.value = [...s.options].find(o => o.text === '{label}').value;"
            "s.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    async def steps(tab: Tab) -> tuple[int, int, int, str, int]:
        await tab.open(pages["good"])
        every = await tab.value(SHOWN)
        await choose(tab, "k", "command")
        commands = await tab.value(SHOWN)
        await choose(tab, "e", "stop")
        one = await tab.value(SHOWN)
        said = await tab.value("document.querySelector('output').textContent")
        raw = await tab.value("[...document.querySelectorAll('.raw')].filter(r => !r.hidden).length")
        await tab.value("location.hash = '#m5'")
        await tab.value("new Promise(done => setTimeout(done, 0))")
        assert await tab.value(SHOWN) == every
        assert raw == 2
        return every, commands, one, said, raw

    every, commands, one, said, _ = chromium.look(steps)
    assert every > commands == 2
    assert one == 1
    assert said == f"1 of {every} rows"


def test_links_lead_from_a_finding_to_its_evidence_and_back(chromium: Browser, pages: dict[str, Path]) -> None:
    async def steps(tab: Tab) -> tuple[str, str]:
        await tab.open(pages["bad"])
        await tab.value("document.querySelector('#F1 dd a[href^=\"#m\"]').click()")
        await tab.value("new Promise(done => setTimeout(done, 0))")
        row = await tab.value("document.querySelector(':target').tagName")
        await tab.value("document.querySelector('tr:target a.f').click()")
        await tab.value("new Promise(done => setTimeout(done, 0))")
        return row, await tab.value("document.querySelector(':target').id")

    row, back = chromium.look(steps)
    assert row == "TR"
    assert back.startswith("F")


def test_the_keyboard_reaches_the_content_first(chromium: Browser, pages: dict[str, Path]) -> None:
    async def steps(tab: Tab) -> tuple[str, str]:
        await tab.open(pages["good"])
        await tab.key("Tab")
        first = await tab.value("document.activeElement.textContent")
        await tab.key("Enter")
        await tab.value("new Promise(done => setTimeout(done, 0))")
        return first, await tab.value("location.hash")

    assert chromium.look(steps) == ("Skip to the content", "#main")


def test_without_script_everything_is_open_and_no_filter_is_shown(
    chromium: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    async def steps(tab: Tab) -> tuple[bool, int]:
        await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        await tab.open(pages["good"])
        await tab.ask("Emulation.setScriptExecutionDisabled", value=False)
        hidden = await tab.value("document.getElementById('filter').getClientRects().length === 0")
        return hidden, await tab.value("document.querySelectorAll('details:not([open])').length")

    assert chromium.look(steps) == (True, 0)


def test_on_paper_all_is_open_and_the_filter_is_gone(chromium: Browser, pages: dict[str, Path]) -> None:
    async def steps(tab: Tab) -> tuple[bytes, str, bool]:
        await tab.open(pages["bad"])
        pdf = await tab.pdf()
        await tab.ask("Emulation.setEmulatedMedia", media="print")
        # What content-visibility hides is settled when a frame is drawn.
        await tab.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        closed = await tab.value(
            "[...document.querySelectorAll('.cases')].some(c => !c.checkVisibility({contentVisibilityAuto: true}))"
        )
        form = await tab.value("getComputedStyle(document.getElementById('filter')).display")
        return pdf, form, closed

    pdf, form, closed = chromium.look(steps)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2
    assert form == "none"
    assert not closed


def test_dark_mode_is_dark(chromium: Browser, pages: dict[str, Path]) -> None:
    async def steps(tab: Tab, *, dark: bool) -> str:
        await tab.open(pages["good"], dark=dark)
        return str(await tab.value("getComputedStyle(document.body).backgroundColor"))

    assert chromium.look(lambda tab: steps(tab, dark=True)) == "rgb(20, 23, 26)"
    assert chromium.look(lambda tab: steps(tab, dark=False)) == "rgb(255, 255, 255)"


def test_the_plots_are_seen(chromium: Browser, pages: dict[str, Path]) -> None:
    """Text of a plot that is too small to read, or a line without colour, is no plot."""

    async def steps(tab: Tab) -> tuple[float, str, str]:
        await tab.open(pages["good"], 360, 800)
        size = await tab.value(
            "(() => { const t = document.querySelector('svg.plot .axis text');"
            "return t.getBoundingClientRect().height; })()"
        )
        stroke = await tab.value("getComputedStyle(document.querySelector('.plot .values .line')).stroke")
        fill = await tab.value("getComputedStyle(document.querySelector('.plot .values .line')).fill")
        return size, stroke, fill

    size, stroke, fill = chromium.look(steps)
    assert size > 8
    assert stroke == "rgb(11, 92, 173)"
    assert fill == "none"
