"""`preflight azure cleanup`: which of the runs' notes it reads. What it removes is tested with the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.azure.ledger import DEVICE, Ledger, Made
from harness.cli import main
from harness.target.azure.leftovers import cleanup


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFLIGHT_STATE", raising=False)


def _noted(folder: Path, name: str) -> None:
    Ledger(folder).note(Made(DEVICE, name, "hub", "mark", pid=1, began=0.0))


def test_the_notes_are_those_of_the_runs_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(*arguments: str) -> str:
        main(["azure", "cleanup", "--list", *arguments])
        return capsys.readouterr().out

    assert "Nothing is noted" in listed()
    for name in ("default", "filed", "exported", "given"):
        _noted(tmp_path / (".preflight" if name == "default" else name), name)
    assert "device default at hub" in listed()
    (tmp_path / "preflight.toml").write_text('state = "filed"\n', encoding="utf-8")
    assert "device filed at hub" in listed()
    monkeypatch.setenv("PREFLIGHT_STATE", "exported")
    assert "device exported at hub" in listed()
    assert "device given at hub" in listed("--state", "given")


def test_settings_that_cannot_be_read_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "preflight.toml").write_text("state = ", encoding="utf-8")
    assert main(["azure", "cleanup", "--list"]) == 2
    assert "preflight.toml is not valid TOML" in capsys.readouterr().err


def test_a_run_names_its_folder_where_it_is_not_the_usual_one(tmp_path: Path) -> None:
    assert cleanup(Path(".preflight")) == cleanup(tmp_path / ".preflight") == "preflight azure cleanup"
    assert cleanup(Path("a b"), "--kept") == "preflight azure cleanup --kept --state 'a b'"
