"""A hub with its AMQP endpoint, and devices whose messages it takes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.azure.connection_strings import EventHubConnection, HubConnection, parse_event_hub, parse_hub
from harness.emulator import Emulator, EmulatorOptions
from harness.record.events import TelemetryReceived
from tests.addresses import free_address

AMQP_PORT = 5671


class Hub:
    """The emulator as Azure is seen: by connection strings and a CA."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.ca_path = emulator.endpoints.ca_path
        self.connection: HubConnection = parse_hub(emulator.endpoints.hub_connection_string)
        self.events: EventHubConnection = parse_event_hub(emulator.endpoints.event_hub_connection_string)
        for device_id in ("mine", "other"):
            emulator.call(partial(_add, device_id))

    def send(self, *payloads: bytes, device: str = "mine", **fields: Any) -> None:
        """Have the hub take messages as it takes a device's."""
        for payload in payloads:
            message = TelemetryReceived(device, None, **{"component": None, "payload": payload, **fields})
            self.emulator.call(partial(_take, message))

    def drop(self) -> None:
        """Break every AMQP connection."""
        self.emulator.call(_drop)


def _add(device_id: str, services: Any) -> None:
    services.hub.put_device(device_id, {}, None)


def _take(message: TelemetryReceived, services: Any) -> None:
    services.hub.telemetry(message)


def _drop(services: Any) -> None:
    for connection in list(services.amqp._sockets):
        connection.abort()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
    state: Path = tmp_path_factory.mktemp("azure")
    options = EmulatorOptions(amqp_port=AMQP_PORT, event_partitions=2, consumer_groups=("mine",))
    with Emulator(address=free_address(AMQP_PORT), state_dir=state, emit=lambda _: None, options=options) as emulator:
        yield Hub(emulator)
