"""The summary as a person sees it: at several widths, in a pipe, without colours, with pytest's own switches."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.report.folding import folded
from tests.paths import REPO
from tests.report.stories import Tale, replayed
from tests.screens import on_a_screen, seen

pytest.importorskip("pyte")
pytest.importorskip("pty", reason="pseudo-terminals")

SNAPSHOT = """\
device:  pump --serve (dev1)
model:   dtmi:test:Pump;1
target:  local
cases:   N passed, N warning, N failed in 30.1 s
reports: none: a replay writes them only where --reports names a folder
recorded verdict: none. The recorded run did not end; it is judged up to entry 31, 30.1 s after its start.
verdict: failed
"""
TOLD = '"a wet pump tells no number, and says so at some length"'
CHOSEN = ("-k", "telemetry or registers or refused")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run with a failure, warnings and notes."""
    folder = tmp_path_factory.mktemp("terminal")
    tale = Tale().begun().connected()
    for i in range(20):
        tale.telemetry(2.0 + i, {"flow": json.loads(TOLD) if i % 2 else 1})
    replayed(tale.ended(30.0, "window-elapsed", ("part1.heat",)), folder)
    return folder / "told.jsonl"


@pytest.fixture(scope="module")
def piped(journal: Path) -> str:
    code, text = replay(journal, *CHOSEN)
    assert code == 1
    return text


def replay(journal: Path, *arguments: str, width: int | None = None, **more: str) -> tuple[int, str]:
    """The exit code and what came: on a screen of this width, or through a pipe."""
    command = [sys.executable, "-m", "pytest", "--replay", journal.name, "-p", "no:cacheprovider", *arguments]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PREFLIGHT_", "GITHUB_", "TF_", "CI"))}
    environment = {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(REPO), **more}
    environment.pop("COLUMNS", None)
    if width is None:
        done = subprocess.run(
            command, cwd=journal.parent, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout
    return on_a_screen(command, journal.parent, environment, width)


def words(text: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text))


def summary_of(text: str) -> str:
    """What follows our heading, without the colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")
    return re.split(r"=+ pre-flight =+\n", plain)[1]


@pytest.mark.parametrize(("width", "colours"), [(40, {}), (80, {"NO_COLOR": "1"}), (120, {})])
def test_nothing_is_lost_and_words_are_whole_at_any_width(
    journal: Path, piped: str, width: int, colours: dict[str, str]
) -> None:
    code, raw = replay(journal, *CHOSEN, width=width, **colours)
    assert code == 1
    on_screen = summary_of(raw)
    assert words(on_screen) == words(summary_of(piped)), "what stands in a pipe stands on the screen"
    assert words("The value is " + TOLD) in words(raw)
    too_wide = [line for line in on_screen.splitlines() if len(line) > width]
    assert all(len(line.split()) == 1 for line in too_wide), "only what is one word may be too long"
    assert [line for line in seen(raw, width) if line][-1] == "verdict: failed"
    assert bool(re.search(r"\x1b\[[0-9;]*m", raw)) is not bool(colours)


def test_a_pipe_gets_whole_lines_and_no_colour(piped: str) -> None:
    assert "\x1b" not in piped
    assert "\r" not in piped
    assert max(map(len, summary_of(piped).splitlines())) > 120
    assert "failed: " not in summary_of(piped), "pytest has shown the failures"


def test_the_summary_is_the_same_with_pytests_own_switches(journal: Path, piped: str) -> None:
    switched = replay(journal, *CHOSEN, "-vv", "-s", "--no-header", "--tb=short")[1]
    assert summary_of(switched) == summary_of(piped)


def test_failures_that_pytest_hides_are_told_by_the_summary(journal: Path) -> None:
    """And what stands at the end, word by word, but for the numbers that change with each new check."""
    code, text = replay(journal, *CHOSEN, "-qq", "--tb=no")
    assert code == 1
    summary = summary_of(text)
    assert "failed: Telemetry flow: " in summary
    end = re.sub(r"\d+ (passed|warning|blocked|failed)", r"N \1", summary[summary.index("device: ") :])
    assert end == SNAPSHOT


def test_a_line_is_folded_at_words_below_its_own_beginning() -> None:
    text = "  clause:    one two three four five six seven\nplain words go on\n  /a/path/that/goes/on\n"
    parts = ["  clause:    one two three four five six", "             seven"]
    assert folded(text, 40).splitlines() == [*parts, "plain words go on", "  /a/path/that/goes/on"]
    assert folded("  /a/path/that/goes/on", 20) == "  /a/path/that/goes/on"
    assert folded(text, None) == text
    assert folded("reports: " + "a b " * 10, 20, " " * 9).splitlines()[1] == "         a b a b a b"
