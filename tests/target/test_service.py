"""The service side on Microsoft's SDK, where a hub is shared with others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.emulator import Emulator, EmulatorOptions
from harness.target.service import HubService
from tests.addresses import free_address


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    options = EmulatorOptions(https_port=None, feedback_batch_seconds=0.2)
    with Emulator(address=free_address(), state_dir=tmp_path, emit=lambda _: None, options=options) as emulator:
        yield emulator


@pytest.fixture
def service(emulator: Emulator) -> Iterator[HubService]:
    service = HubService(emulator.endpoints.hub_connection_string, emulator.endpoints.ca_path)
    yield service
    service.close()


def _make(device: str, services: Any) -> None:
    services.hub.put_device(device, {}, None)


def end_all(emulator: Emulator, *devices: str) -> None:
    """Take what waits for the devices out of their queues, which is told as feedback in one batch."""
    emulator.call(lambda services: [services.hub.c2d.purge(device) for device in devices])


@pytest.mark.parametrize(("others", "left"), [((), 0), (("theirs",), 2)], ids=["ours alone", "shared"])
def test_feedback_that_is_for_others_too_is_left_to_them(
    emulator: Emulator, service: HubService, others: tuple[str, ...], left: int
) -> None:
    for device in ("ours", *others):
        emulator.call(partial(_make, device))
        service.send_c2d(device, b"x", f"to-{device}")
    end_all(emulator, "ours", *others)
    assert service.c2d_feedback("ours", "to-ours", 5.0) == ["Purged"]
    assert emulator.call(_waiting) == left


def test_a_hub_on_this_machine_is_reached_past_the_proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    emulator.call(partial(_make, "ours"))
    ends = emulator.endpoints
    service = HubService(ends.hub_connection_string, ends.ca_path, direct=True)
    try:
        assert service.has_device("ours")
    finally:
        service.close()


def _waiting(services: Any) -> int:
    lent = services.hub.c2d.feedback.take()
    return len(lent.item) if lent else 0
