from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Command
from tests.watch.conftest import cloud

__all__ = ["cloud", "preflight"]


@pytest.fixture
def preflight(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start `preflight` with arguments, in an empty folder."""
    started: list[Command] = []

    def start(*arguments: str) -> Command:
        started.append(Command(*arguments, folder=tmp_path))
        return started[-1]

    yield start
    for command in started:
        command.kill()
