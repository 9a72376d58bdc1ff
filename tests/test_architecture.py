"""Imports point one way, as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import REPO

EVERYTHING = "everything below"
PURE = (
    "checks",
    "expectations",
    "environment.py",
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
    "azure/twin_events.py",
    "azure/twins.py",
)
IMPURE_MODULES = {"asyncio", "socket", "ssl", "threading", "subprocess", "pytest", "aiohttp", "requests", "time"}


def _table() -> dict[str, str]:
    """The table of folders: what each imports, in its words, from the top down."""
    text = (REPO / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \| .* \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return dict(rows)


TABLE = _table()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(place: str) -> list[Path]:
    root = REPO / "harness" / place
    return [root] if root.suffix else sorted(root.rglob("*.py"))


def test_the_table_has_every_folder() -> None:
    folders = {p.name for p in (REPO / "harness").iterdir() if (p / "__init__.py").exists()}
    assert set(TABLE) == folders | {"environment", "verdict"}


@pytest.mark.parametrize("place", TABLE)
def test_a_folder_imports_what_the_table_says(place: str) -> None:
    below = list(TABLE)[list(TABLE).index(place) + 1 :]
    said = set(below) if TABLE[place] == EVERYTHING else set(re.findall(r"`(\w+)`", TABLE[place]))
    assert said <= set(below), "imports point down the table"
    found = set()
    for path in _files(place if (REPO / "harness" / place).is_dir() else f"{place}.py"):
        ours = {module.split(".")[1] for module in _imports(path) if module.startswith("harness.")} - {place}
        assert ours <= said, f"{path.relative_to(REPO)} imports {sorted(ours - said)}"
        found |= ours
    assert TABLE[place] == EVERYTHING or said == found, f"{place} imports no {sorted(said - found)}"


@pytest.mark.parametrize("place", PURE)
def test_the_cores_do_no_io(place: str) -> None:
    for path in _files(place):
        found = {m.split(".")[0] for m in _imports(path)} & IMPURE_MODULES
        assert not found, f"{path.relative_to(REPO)} imports {sorted(found)}"
