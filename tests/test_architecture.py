"""Imports point one way, as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import REPO

RANK = {
    "expectations": -1,
    "mqtt": 0,
    "dtdl": 0,
    "verdict": 0,
    "settings": 0,
    "record": 0,
    "aics": 1,
    "azure": 1,
    "emulator": 1,
    "bundle": 1,
    "checks": 1,
    "device": 1,
    "diagnosis": 0,
    "target": 2,
    "watch": 2,
    "doctor": 3,
    "run": 3,
    "report": 4,
    "fleet": 4.5,
    "plugin": 5,
    "suite": 6,
    "cli": 6,
}
PURE = (
    "checks",
    "expectations",
    "verdict.py",
    "mqtt",
    "emulator/dps",
    "emulator/hub",
    "emulator/faults",
    "emulator/policies.py",
    "dtdl/parser",
    "dtdl/payload",
    "watch/choosing.py",
    "watch/content.py",
    "watch/judging.py",
    "watch/kinds.py",
    "watch/ledger.py",
    "watch/standing.py",
    "watch/wording.py",
    "azure/twins.py",
)
IMPURE_MODULES = {"asyncio", "socket", "ssl", "threading", "subprocess", "pytest", "aiohttp", "requests", "time"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def _files(place: str) -> list[Path]:
    root = REPO / "harness" / place
    return [root] if root.suffix else sorted(root.rglob("*.py"))


@pytest.mark.parametrize("place", sorted(p.name for p in (REPO / "harness").iterdir() if (p / "__init__.py").exists()))
def test_a_folder_imports_only_from_below(place: str) -> None:
    for path in _files(place):
        for module in _imports(path):
            parts = module.split(".")
            if parts[0] != "harness" or len(parts) < 2 or parts[1] == place:
                continue
            assert RANK[parts[1]] < RANK[place], f"{path.relative_to(REPO)} imports {module}"


@pytest.mark.parametrize("place", PURE)
def test_the_cores_do_no_io(place: str) -> None:
    for path in _files(place):
        found = {m.split(".")[0] for m in _imports(path)} & IMPURE_MODULES
        assert not found, f"{path.relative_to(REPO)} imports {sorted(found)}"
