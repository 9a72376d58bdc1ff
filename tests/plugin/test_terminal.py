"""The live bars of a run on a narrow screen, and that they leave nothing behind."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import PUMP, Preflight
from tests.screens import on_a_screen, seen

pytest.importorskip("pyte")
pytest.importorskip("pty", reason="pseudo-terminals")

WIDTH = 40


def test_each_phase_has_a_live_line_and_leaves_none(preflight_in: Preflight) -> None:
    device = ("--dut", "preflight simulate", "--model-id", PUMP, "--profile", "smoke", "--no-header")
    environment = {k: v for k, v in preflight_in.environment.items() if k not in ("CI", "NO_COLOR", "COLUMNS")}
    code, raw = on_a_screen(
        preflight_in.command(*device), preflight_in.folder, {**environment, "TERM": "xterm-256color"}, WIDTH
    )
    assert code == 0, raw
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw).replace("\r", "\n")
    shown = " ".join(drawn.split())
    assert "device to register" in shown
    assert re.search(r"[0-9]+ s left", shown)
    assert re.search(r"telemetry\W+[0-9]/3", shown)
    assert re.search(r"commands\W+[0-9]/2", shown)

    lines = seen(raw, WIDTH)
    begin = next(i for i, line in enumerate(lines) if "test_provisioning.py" in line)
    assert lines[begin - 1] == ""
    assert "selected" in lines[begin - 2], "the bars have left lines behind"
    assert re.fullmatch(r"test_provisioning\.py \.+ +\[ +[0-9]+%\]", lines[begin])
    assert len({len(line) for line in lines if line.endswith("%]")}) == 1, "the percentages stand in one column"
    assert not [line for line in lines if "━" in line or "s left" in line]
    assert [line for line in lines if line][-1] == "verdict: passed"
