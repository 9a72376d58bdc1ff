"""The words of findings, with what a hostile device puts into them."""

from __future__ import annotations

from harness.report.text import finding_text, plain
from harness.verdict import Finding, Severity


def test_what_a_device_chose_moves_no_cursor_and_commands_no_ci_system() -> None:
    hostile = "a\x1b[2J\x07b\r\u202ec\u2028##vso[task.complete]"
    finding = Finding("x", Severity.ERROR, "IoTPnP.D2C", hostile, f"Telemetry {hostile} is wrong.", actual=hostile)
    text = finding_text(finding)
    assert not set("\x1b\x07\r\u202e\u2028") & set(text)
    assert r"a\u001b[2J\u0007b" in text
    assert "##vso[" not in text


def test_ordinary_text_is_left_as_it_is() -> None:
    assert plain("Größe 温度 🌡\n  next") == "Größe 温度 🌡\n  next"
