"""`preflight test-cases` writes a file that `pytest --test-cases` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.aics import read_file
from harness.cli import main

MODELS = str(Path(__file__).parents[1] / "plugin" / "models")
PUMP = "dtmi:test:Pump;1"


def test_a_file_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.json"
    assert main(["test-cases", PUMP, "--models", MODELS, "--output", str(path)]) == 0
    assert f"pytest --test-cases {path}" in capsys.readouterr().out
    assert "flow" in read_file(path).tables["telemetry"]
    before = path.read_text(encoding="utf-8")
    assert main(["test-cases", PUMP, "--models", MODELS, "--output", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == before


def test_standard_output_takes_either_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test-cases", PUMP, "--models", MODELS]) == 0
    wrapped = json.loads(capsys.readouterr().out)
    assert main(["test-cases", PUMP, "--models", MODELS, "--list"]) == 0
    assert json.loads(capsys.readouterr().out) == wrapped["certificationBadgeTestCases"]


def test_a_folder_that_is_not_there_and_an_id_that_is_no_interface(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no" / "cases.json"
    assert main(["test-cases", PUMP, "--models", MODELS, "--output", str(missing)]) == 2
    assert "cannot be written" in capsys.readouterr().err
