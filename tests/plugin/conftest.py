"""Runs of the whole pre-flight, each in a folder of its own and on an address of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.addresses import free_address
from tests.paths import REPO

PUMP = "dtmi:test:Pump;1"
MODELS = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Outcome:
    """What a user sees of a run: exit code, terminal, reports."""

    code: int
    terminal: str
    reports: Path

    @property
    def result(self) -> dict[str, Any]:
        return json.loads((self.reports / "result.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @property
    def junit(self) -> ET.Element:
        return ET.parse(self.reports / "junit.xml").getroot()

    @property
    def cases(self) -> dict[str, str]:
        return {c["id"]: c["outcome"] for c in self.result["cases"]}

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Codes and elements; notes, which change no verdict, are left out."""
        return [(f["code"], f["element"]) for f in self.result["findings"] if f["severity"] != "info"]

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.reports / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Preflight:
    """Runs `pytest` in a folder as a user would, in a process of its own."""

    folder: Path
    address: str

    def __call__(self, *arguments: str, timeout: float = 60) -> Outcome:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr, self.folder / "reports")

    def command(self, *arguments: str) -> list[str]:
        ours = ["-m", "pytest", "--models", str(MODELS), "--listen", self.address, "-p", "no:cacheprovider"]
        return [sys.executable, *ours, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PREFLIGHT_", "PYTEST_", "GITHUB_", "TF_"))}
        return {**ours, "PYTHONPATH": str(REPO)}


@pytest.fixture
def preflight_in(tmp_path: Path) -> Preflight:

    return Preflight(tmp_path, free_address())
