from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.fixtures import LocalCloud


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """An emulator with its control endpoint, on an address of its own."""
    state: Path = tmp_path_factory.getbasetemp() / "watched-emulator"
    with LocalCloud(EmulatorOptions(control_port=0), None, state) as cloud:
        yield cloud
