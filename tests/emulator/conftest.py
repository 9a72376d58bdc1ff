from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from harness.emulator import Emulator, EmulatorOptions
from harness.record.events import Event
from tests.addresses import free_address
from tests.emulator.watching import Watcher

T = TypeVar("T", bound=Event)


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One CA for all emulators of a test run."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def start(state_dir: Path) -> Iterator[Callable[..., Watcher]]:
    """Starts emulators on addresses of their own and stops them after the test."""
    started: list[Emulator] = []

    def begin(options: EmulatorOptions | None = None, address: str | None = None) -> Watcher:
        watcher = Watcher()
        emulator = Emulator(
            address=address or free_address(),
            state_dir=state_dir,
            emit=watcher.emit,
            options=options,
            on_error=watcher.on_error,
        )
        started.append(emulator)
        watcher.emulator = emulator
        watcher.endpoints = emulator.start()
        return watcher

    yield begin
    for emulator in started:
        emulator.stop()


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    return start()
